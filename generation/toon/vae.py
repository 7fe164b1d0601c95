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
from torch import Tensor

from generation.quick import quick_arithmetic
from generation.toon.data import Drawings
from generation.training.loop import Loop, rank
from generation.training.precision import device, mixed

CONFIG: dict[str, Any] = {
    "base_dim": 24, "decoder_base_dim": 32, "z_dim": 16, "dim_mult": [1, 2, 2], "temperal_downsample": [True, True],
    "num_res_blocks": 2, "is_residual": True, "patch_size": 2, "in_channels": 12, "out_channels": 12, "scale_factor_spatial": 8,
    "scale_factor_temporal": 4,
    "latents_mean": [0.0] * 16, "latents_std": [1.0] * 16,
}  # fmt: skip


FOLLOW = 0.02
"""Weight of `straying` in the loss of clips."""
LENGTHS = (9, 9, 13, 17)
"""Frames of a crop of a clip, each as often as it is named."""


@contextmanager
def quick_passes() -> Iterator[None]:
    """Runs causal 3-D convolutions as 2-D ones, and norms without leaving bf16; equal up to rounding."""
    with quick_arithmetic():
        norm, wan.WanRMS_norm.forward = wan.WanRMS_norm.forward, _norm
        try:
            yield
        finally:
            wan.WanRMS_norm.forward = norm


def _norm(self: wan.WanRMS_norm, x: Tensor) -> Tensor:
    dim = 1 if self.channel_first else -1
    return x * torch.rsqrt(x.square().mean(dim, keepdim=True) + 1e-12) * self.gamma.to(x.dtype)


def encode(vae: AutoencoderKLWan, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log-variance (B, 16, k+1, H/8, W/8) of clips (B, 3, 4k+1, H, W) in -1..1.

    As the stock class encodes, but all frames at once where that goes through them in fours; so does `decode`. On small crops
    that is half as fast again, and it compiles to one graph.
    """
    encoder = vae.encoder
    x = encoder.conv_in(wan.patchify(x, 2))
    for block in encoder.down_blocks:
        x = _down(block, x)
    x = encoder.conv_out(encoder.nonlinearity(encoder.norm_out(encoder.mid_block(x))))
    mean, logvar = vae.quant_conv(x).chunk(2, 1)
    return mean, logvar.clamp(-20, 10)


def decode(vae: AutoencoderKLWan, z: Tensor) -> Tensor:
    """Unclamped clips, since the stock clamp has no gradient."""
    decoder = vae.decoder
    x = decoder.mid_block(decoder.conv_in(vae.post_quant_conv(z)))
    for block in decoder.up_blocks:
        x = _up(block, x)
    return wan.unpatchify(decoder.conv_out(decoder.nonlinearity(decoder.norm_out(x))), 2)


def _down(block: wan.WanResidualDownBlock, x: Tensor) -> Tensor:
    short = block.avg_shortcut(x)
    for resnet in block.resnets:
        x = resnet(x)
    if block.downsampler is not None:
        x = _each_frame(block.downsampler.resample, x)
        if block.downsampler.mode == "downsample3d" and x.shape[2] > 1:
            x = torch.cat([x[:, :, :1], block.downsampler.time_conv(x)], 2)
    return x + short


def _up(block: wan.WanResidualUpBlock, x: Tensor) -> Tensor:
    short = None if block.avg_shortcut is None else block.avg_shortcut(x, first_chunk=True)
    for resnet in block.resnets:
        x = resnet(x)
    if block.upsampler is not None:
        if block.upsampler.mode == "upsample3d" and x.shape[2] > 1:
            twice = block.upsampler.time_conv(x[:, :, 1:]).unflatten(1, (2, -1))  # of every frame but the first, two
            x = torch.cat([x[:, :, :1], twice.permute(0, 2, 3, 1, 4, 5).flatten(2, 3)], 2)
        x = _each_frame(block.upsampler.resample, x)
    return x if short is None else x + short


def _each_frame(layer: torch.nn.Module, x: Tensor) -> Tensor:
    out: Tensor = layer(x.transpose(1, 2).flatten(0, 1))
    return out.unflatten(0, (len(x), -1)).transpose(1, 2)


def reconstruct(vae: AutoencoderKLWan, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Output, mean and log-variance of clips (B, 3, 4k+1, H, W); `noise` as their latents."""
    mean, logvar = encode(vae, x)
    return decode(vae, mean + noise * (0.5 * logvar).exp()), mean, logvar


def reconstruction_loss(x: Tensor, y: Tensor) -> Tensor:
    """L1 + L2 + gradients: edges and eyes matter more than flat areas."""
    error = y - x
    dx, dy = error.diff(dim=-1).abs().mean(), error.diff(dim=-2).abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * (dx + dy)


def to_signed(frames: np.ndarray) -> Tensor:
    """(B, T, H, W, 3) uint8 to (B, 3, T, H, W) float32 in -1..1."""
    return torch.from_numpy(np.array(frames)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def crops(drawings: Drawings, rng: np.random.Generator, count: int, frames: int, size: int) -> Tensor:
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
    compiled = torch.compile(reconstruct)
    with quick_passes():
        for step in loop:
            x = crops(pictures, np.random.default_rng([step, 11, rank()]), 8, 1, 64)
            noise = torch.randn(len(x), 16, 1, 8, 8, device=x.device)
            with mixed():
                y, mean, logvar = compiled(vae, x, noise)
            _learn(loop, x, y, mean, logvar)
    loop.use_average()


def train_clips(loop: Loop, vae: AutoencoderKLWan, pictures: Drawings, clips: Drawings) -> None:
    """Crops of clips of 9 to 17 frames in which much moves; every sixth step is pictures, to keep them."""
    with quick_passes():
        for step in loop:
            length = LENGTHS[int(np.random.default_rng([step, 12]).integers(len(LENGTHS)))]  # the same in every process
            rng = np.random.default_rng([step, 13, rank()])
            x = lively(clips, rng, length, 64) if step % 6 else crops(pictures, rng, 8, 1, 64)
            noise = torch.randn(len(x), 16, (x.shape[2] + 3) // 4, 8, 8, device=x.device)
            with mixed():
                y, mean, logvar = reconstruct(vae, x, noise)
            _learn(loop, x, y, mean, logvar, FOLLOW * straying(vae, x, mean) if step % 6 else None)
    loop.use_average()


def lively(clips: Drawings, rng: np.random.Generator, frames: int, size: int) -> Tensor:
    """Of three random crops (1, 3, frames, size, size) the one in which most changes: a camera that pans, a figure that jumps.
    They are what is hard."""
    some = crops(clips, rng, 3, frames, size)
    return some[some.diff(dim=2).abs().mean((1, 2, 3, 4)).argmax()][None]


def straying(vae: AutoencoderKLWan, x: Tensor, mean: Tensor) -> Tensor:
    """How far the latents of clips stray from those of their frames as lone pictures, each fourth frame's, in spreads squared.

    Left to itself the encoder gives later frames a code of their own, twice as large; experts that have learned to draw
    pictures could then not draw a second frame.
    """
    with torch.no_grad(), mixed():
        frames = x[:, :, ::4].transpose(1, 2).flatten(0, 1)[:, :, None]
        still = encode(vae, frames)[0].float().unflatten(0, (len(x), -1))[:, :, :, 0].transpose(1, 2)
        spread = still.std((0, 2, 3, 4), keepdim=True).clamp_min(0.1)
    return ((mean.float() - still) / spread).square().mean()


def _learn(loop: Loop, x: Tensor, y: Tensor, mean: Tensor, logvar: Tensor, more: Tensor | None = None) -> None:
    more = x.new_zeros(()) if more is None else more
    y, mean, logvar = y.float(), mean.float(), logvar.float()
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    loop.update(reconstruction_loss(x, y) + 1e-4 * kl + more)
    kind = "clips" if x.shape[2] > 1 else "pictures"
    if loop.step % 249 < 3:
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


def _without_last_tap(gradient: Tensor) -> Tensor:
    gradient = gradient.clone()
    gradient[:, :, -1] = 0
    return gradient


def psnr(x: Tensor, y: Tensor) -> float:
    """In dB, for values in -1..1."""
    return float(10 * torch.log10(4 / (x - y).square().mean()))
