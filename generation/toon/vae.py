"""The toon VAE: stock `AutoencoderKLWan`, trained on crops of drawn pictures, then of drawn clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders import autoencoder_kl_wan as wan

from generation.quick import quick_arithmetic
from generation.toon.data import Drawings
from generation.training.loop import Loop, rank
from generation.training.precision import device, mixed

CONFIG: dict[str, Any] = {
    "base_dim": 24, "decoder_base_dim": 32, "z_dim": 16, "dim_mult": [1, 2, 2], "temperal_downsample": [True, True],
    "num_res_blocks": 1, "is_residual": True, "patch_size": 2, "in_channels": 12, "out_channels": 12, "scale_factor_spatial": 8,
    "scale_factor_temporal": 4,
    "latents_mean": [0.0] * 16, "latents_std": [1.0] * 16,
}  # fmt: skip


FOLLOW = 0.02
"""Weight of `straying` in the loss of clips."""


@contextmanager
def quick_passes() -> Iterator[None]:
    """Runs causal 3-D convolutions as 2-D ones, and norms without leaving bf16; equal up to rounding."""
    with quick_arithmetic():
        norm, wan.WanRMS_norm.forward = wan.WanRMS_norm.forward, _norm
        try:
            yield
        finally:
            wan.WanRMS_norm.forward = norm


def _norm(self: wan.WanRMS_norm, x: torch.Tensor) -> torch.Tensor:
    dim = 1 if self.channel_first else -1
    return x * torch.rsqrt(x.square().mean(dim, keepdim=True) + 1e-12) * self.gamma.to(x.dtype)


def encode(vae: AutoencoderKLWan, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and log-variance (B, 16, k+1, H/8, W/8) of clips (B, 3, 4k+1, H, W) in -1..1."""
    mean, logvar = vae._encode(x).chunk(2, 1)
    return mean, logvar.clamp(-20, 10)


def decode(vae: AutoencoderKLWan, z: torch.Tensor) -> torch.Tensor:
    """Unclamped clips, since the stock clamp has no gradient; frame by latent frame as in use."""
    vae.clear_cache()
    z = vae.post_quant_conv(z)
    parts = []
    for i in range(z.shape[2]):
        vae._conv_idx = [0]
        first = {"first_chunk": True} if i == 0 else {}
        parts.append(vae.decoder(z[:, :, i : i + 1], feat_cache=vae._feat_map, feat_idx=vae._conv_idx, **first))
    vae.clear_cache()
    return wan.unpatchify(torch.cat(parts, 2), patch_size=2)


def pass_pictures(
    vae: AutoencoderKLWan, x: torch.Tensor, noise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Output, mean and log-variance of pictures (B, 3, 1, H, W): without caches, so that it compiles to one graph."""
    mean, logvar = vae.quant_conv(vae.encoder(wan.patchify(x, 2))).chunk(2, 1)
    logvar = logvar.clamp(-20, 10)
    z = mean + noise * (0.5 * logvar).exp()
    return wan.unpatchify(vae.decoder(vae.post_quant_conv(z), first_chunk=True), 2), mean, logvar


def reconstruction_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """L1 + L2 + gradients: edges and eyes matter more than flat areas."""
    error = y - x
    dx, dy = error.diff(dim=-1).abs().mean(), error.diff(dim=-2).abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * (dx + dy)


def to_signed(frames: np.ndarray) -> torch.Tensor:
    """(B, T, H, W, 3) uint8 to (B, 3, T, H, W) float32 in -1..1."""
    return torch.from_numpy(np.array(frames)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def crops(drawings: Drawings, rng: np.random.Generator, count: int, frames: int, size: int) -> torch.Tensor:
    """Random crops (count, 3, frames, size, size); half of them about a face."""
    n, t = drawings.frames.shape[:2]
    out = np.empty((count, frames, size, size, 3), np.uint8)
    for k in range(count):
        i, start = int(rng.integers(n)), int(rng.integers(t - frames + 1))
        y, x = corner(drawings, i, rng, size)
        out[k] = drawings.frames[i, start : start + frames, y : y + size, x : x + size]
    return to_signed(out).to(device())


def corner(drawings: Drawings, index: int, rng: np.random.Generator, size: int) -> tuple[int, int]:
    """Top and left of a random crop of one drawing; every other crop is about a face."""
    h, w = drawings.frames.shape[2:4]
    y, x = int(rng.integers(h - size + 1)), int(rng.integers(w - size + 1))
    faces = [f for f in drawings.faces[index] if f[2] > f[0]]
    if faces and rng.random() < 0.5:
        f = faces[int(rng.integers(len(faces)))]
        y = int(np.clip((f[1] + f[3]) / 2 - size / 2 + rng.normal(0, 8), 0, h - size))
        x = int(np.clip((f[0] + f[2]) / 2 - size / 2 + rng.normal(0, 8), 0, w - size))
    return y, x


def train_vae(work: Path, pictures: Drawings, clips: Drawings, *, picture_steps: int, clip_steps: int) -> None:
    """Pictures first; then clips, with what the encoder makes of a picture left as it is."""
    vae = fresh_vae()
    torch.manual_seed(100 + rank())
    train_pictures(_picture_loop(work, vae, picture_steps), vae, pictures)
    with frozen_pictures(vae):
        train_clips(_clip_loop(work, vae, clip_steps), vae, pictures, clips)


def trained_vae(work: Path) -> AutoencoderKLWan:
    """What `train_vae` left under `work`, in eval mode."""
    vae = fresh_vae()
    _picture_loop(work, vae, 1).use_average()
    with frozen_pictures(vae):
        _clip_loop(work, vae, 1).use_average()
    return vae.eval()


def _picture_loop(work: Path, vae: AutoencoderKLWan, steps: int) -> Loop:
    return Loop(work, "vae-pictures", vae, steps=steps, rate=2e-3)


def _clip_loop(work: Path, vae: AutoencoderKLWan, steps: int) -> Loop:
    return Loop(work, "vae-clips", vae, steps=steps, rate=1.2e-3)


def fresh_vae() -> AutoencoderKLWan:
    """The untrained VAE, from a fixed seed."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan.from_config(CONFIG)
    with torch.no_grad():
        vae.quant_conv.bias[16:] -= 6.0  # start with little noise in the latents
    return vae.to(device())


def train_pictures(loop: Loop, vae: AutoencoderKLWan, pictures: Drawings) -> None:
    """Crops of single pictures; ends with the averaged weights in place."""
    compiled = torch.compile(pass_pictures)
    with quick_passes():
        for step in loop:
            x = crops(pictures, np.random.default_rng([step, 11, rank()]), 8, 1, 64)
            noise = torch.randn(len(x), 16, 1, 8, 8, device=x.device)
            with mixed():
                y, mean, logvar = compiled(vae, x, noise)
            _learn(loop, x, y, mean, logvar)
    loop.use_average()


def train_clips(loop: Loop, vae: AutoencoderKLWan, pictures: Drawings, clips: Drawings) -> None:
    """Crops of clips of 9 and 13 frames, through the caches as in use; every fourth step is pictures, to keep them."""
    with quick_passes():
        for step in loop:
            length = 9 if np.random.default_rng([step, 12]).random() < 0.75 else 13  # the same in every process
            rng = np.random.default_rng([step, 13, rank()])
            x = crops(clips, rng, 1, length, 64) if step % 4 else crops(pictures, rng, 8, 1, 64)
            with mixed():
                mean, logvar = encode(vae, x)
                y = decode(vae, mean + torch.randn_like(mean) * (0.5 * logvar).exp())
            _learn(loop, x, y, mean, logvar, FOLLOW * straying(vae, x, mean) if step % 4 else None)
    loop.use_average()


def straying(vae: AutoencoderKLWan, x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """How far the latents of clips stray from those of their frames as lone pictures, each fourth frame's, in spreads squared.

    Left to itself the encoder gives later frames a code of their own, twice as large; experts that have learned to draw
    pictures could then not draw a second frame.
    """
    with torch.no_grad(), mixed():
        frames = x[:, :, ::4].transpose(1, 2).flatten(0, 1)[:, :, None]
        still = encode(vae, frames)[0].float().unflatten(0, (len(x), -1))[:, :, :, 0].transpose(1, 2)
        spread = still.std((0, 2, 3, 4), keepdim=True).clamp_min(0.1)
    return ((mean.float() - still) / spread).square().mean()


def _learn(
    loop: Loop, x: torch.Tensor, y: torch.Tensor, mean: torch.Tensor, logvar: torch.Tensor, more: torch.Tensor | None = None
) -> None:
    more = x.new_zeros(()) if more is None else more
    y, mean, logvar = y.float(), mean.float(), logvar.float()
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    loop.update(reconstruction_loss(x, y) + 1e-4 * kl + more)
    kind = "clips" if x.shape[2] > 1 else "pictures"
    if loop.step % 249 < 2:
        sharp = psnr(x, y.detach().clamp(-1, 1))
        loop.say(f"{kind} psnr {sharp:.2f} kl {float(kl.detach()):.2f} straying {float(more.detach()) / FOLLOW:.3f}")


@contextmanager
def frozen_pictures(vae: AutoencoderKLWan) -> Iterator[None]:
    """Only the encoder's earlier time taps train, and all of the decoder: latents of pictures, and of every clip's first
    frame, stay what they are, so that the experts can already learn from them."""
    hooks = []
    for module in [*vae.encoder.modules(), vae.quant_conv]:
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)
        if isinstance(module, wan.WanCausalConv3d) and module.kernel_size[0] > 1:
            module.weight.requires_grad_(True)
            alone = module.kernel_size[1] == 1  # a time convolution: a lone picture never passes it
            hooks += [] if alone else [module.weight.register_hook(_without_last_tap)]
            if alone and module.bias is not None:
                module.bias.requires_grad_(True)
    try:
        yield
    finally:
        vae.requires_grad_(True)
        for hook in hooks:
            hook.remove()


def _without_last_tap(gradient: torch.Tensor) -> torch.Tensor:
    gradient = gradient.clone()
    gradient[:, :, -1] = 0
    return gradient


def psnr(x: torch.Tensor, y: torch.Tensor) -> float:
    """In dB, for values in -1..1."""
    return float(10 * torch.log10(4 / (x - y).square().mean()))
