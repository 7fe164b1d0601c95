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
from generation.toon.crops import Crops
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
STEADY = 1.0
"""Weight of the change from frame to frame in the loss of clips: a mouth that opens and shuts within the four frames of a latent,
a background that does not move."""


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


def reconstruction_loss(x: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """L1 + L2 + gradients: edges and eyes matter more than flat areas; and, of clips, how the error changes from frame to frame.

    x, y: (B, 3, T, H, W). `weight` (B, 1, T, H, W) of each pixel counts in all but the gradients.
    """
    error = y - x
    weight = torch.ones_like(error[:, :1]) if weight is None else weight
    dx, dy = error.diff(dim=-1).abs().mean(), error.diff(dim=-2).abs().mean()
    lost = (weight * (error.abs() + 2 * error.square())).mean() + 0.5 * (dx + dy)
    if x.shape[2] > 1:
        lost = lost + STEADY * (weight[:, :, 1:] * error.diff(dim=2).abs()).mean()
    return lost


def train_vae(work: Path, pictures: Drawings, clips: Drawings, *, picture_steps: int, clip_steps: int) -> None:
    """Pictures first; then clips, with what the encoder makes of a picture left as it is."""
    vae = fresh_vae()
    torch.manual_seed(100 + rank())
    train_pictures(_picture_loop(work, vae, picture_steps), vae, Crops(pictures))
    with frozen_pictures(vae):
        train_clips(_clip_loop(work, vae, clip_steps), vae, Crops(pictures), Crops(clips))


def trained_vae(work: Path) -> AutoencoderKLWan:
    """What `train_vae` left under `work`, in eval mode."""
    vae = fresh_vae()
    _picture_loop(work, vae, 1).use_average()
    with frozen_pictures(vae):
        _clip_loop(work, vae, 1).use_average()
    return vae.eval()


def train_again(work: Path, vae: AutoencoderKLWan, pictures: Drawings, clips: Drawings, *, steps: int) -> None:
    """A trained VAE on more clips; its latents of pictures stay."""
    torch.manual_seed(300 + rank())
    with frozen_pictures(vae):
        train_clips(_again_loop(work, vae, steps), vae, Crops(pictures), Crops(clips))


def trained_again(work: Path, vae: AutoencoderKLWan) -> AutoencoderKLWan:
    """The VAE as `train_again` left it under `work`, in eval mode."""
    with frozen_pictures(vae):
        _again_loop(work, vae, 1).use_average()
    return vae.eval()


def _picture_loop(work: Path, vae: AutoencoderKLWan, steps: int) -> Loop:
    return Loop(work, "vae-pictures", vae, steps=steps, rate=2e-3)


def _clip_loop(work: Path, vae: AutoencoderKLWan, steps: int) -> Loop:
    return Loop(work, "vae-clips", vae, steps=steps, rate=1.2e-3)


def _again_loop(work: Path, vae: AutoencoderKLWan, steps: int) -> Loop:
    return Loop(work, "vae-again", vae, steps=steps, rate=8e-4)


def fresh_vae() -> AutoencoderKLWan:
    """The untrained VAE, from a fixed seed."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan.from_config(CONFIG)
    with torch.no_grad():
        vae.quant_conv.bias[16:] -= 6.0  # start with little noise in the latents
    return vae.to(device())


def train_pictures(loop: Loop, vae: AutoencoderKLWan, pictures: Crops) -> None:
    """Crops of single pictures; ends with the averaged weights in place."""
    compiled = torch.compile(reconstruct)
    with quick_passes():
        for step in loop:
            x = pictures.some(np.random.default_rng([step, 11, rank()]), 8, 1, 64)[0].to(device())
            noise = torch.randn(len(x), 16, 1, 8, 8, device=x.device)
            with mixed():
                y, mean, logvar = compiled(vae, x, noise)
            _learn(loop, x, y, mean, logvar)
    loop.use_average()


def train_clips(loop: Loop, vae: AutoencoderKLWan, pictures: Crops, clips: Crops) -> None:
    """Crops of clips of 9 to 17 frames in which much moves; every sixth step is pictures, to keep them."""
    with quick_passes():
        for step in loop:
            length = LENGTHS[int(np.random.default_rng([step, 12]).integers(len(LENGTHS)))]  # the same in every process
            rng = np.random.default_rng([step, 13, rank()])
            moving = bool(step % 6)
            x, weight = clips.lively(rng, length, 64) if moving else pictures.some(rng, 8, 1, 64)
            x, weight = x.to(device()), weight.to(device())
            noise = torch.randn(len(x), 16, (x.shape[2] + 3) // 4, 8, 8, device=x.device)
            with mixed():
                y, mean, logvar = reconstruct(vae, x, noise)
            _learn(loop, x, y, mean, logvar, weight, FOLLOW * straying(vae, x, mean) if moving else None)
    loop.use_average()


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


def _learn(
    loop: Loop, x: Tensor, y: Tensor, mean: Tensor, logvar: Tensor, weight: Tensor | None = None, more: Tensor | None = None
) -> None:
    more = x.new_zeros(()) if more is None else more
    y, mean, logvar = y.float(), mean.float(), logvar.float()
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    loop.update(reconstruction_loss(x, y, weight) + 1e-4 * kl + more)
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
