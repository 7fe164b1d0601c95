"""The end of the recipe: the VAE's decoder learns to draw what the experts meant.

What an expert makes is softer than what the encoder makes of a drawing, and the decoder has only ever seen the latter. So
drawings are noised and finished by the low-noise expert, and the decoder is shown both latents, the encoder's and the
expert's, beside the drawing. What changes from frame to frame counts apart: a mouth that moves, a background that does not.
Encoder and experts stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from generation.families import FAMILIES
from generation.toon.crops import corner, to_signed
from generation.toon.data import Drawings
from generation.toon.experts import Batches, Painter, velocity
from generation.toon.vae import decode, psnr, quick_passes, reconstruction_loss
from generation.training.loop import Loop, rank
from generation.training.precision import device, mixed

GUIDANCE = FAMILIES["toon"].guidance[1]
"""As it renders: guided latents overshoot a little, and the decoder is to know it."""
LAST = (0.5, 0.3, 0.0)
"""The noise levels of the sampler's last steps; half of the drawings begin at the first, half at the second."""
SIZE, RIM = 10, 1
"""Latents along a crop's side, and how many of them at its rim only serve those within."""
KEPT = 0.25
"""The share of the decoder as it was before, in the mean that is shipped: it returns what the encoder meant a little better."""


def guess_set(painter: Painter, batches: Batches, path: Path, count: int) -> np.ndarray:
    """What the expert makes of the first `count` drawings once noised: normalised latents (count, 16, T, h, w) fp16, kept at
    `path`."""
    if path.exists():
        return np.load(path, mmap_mode="r")
    painter.eval()
    rows = 16 if batches.latents.x.shape[2] == 1 else 2
    made = []
    with torch.inference_mode():
        for first in range(0, count, rows):
            rng = np.random.default_rng([61, first])
            batch = batches.rows_of(np.arange(first, min(first + rows, count)), rng, dropping=False)
            x0 = batch["x"].float()
            noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(first))
            begin = int(rng.random() < 0.5)
            x = (1 - LAST[begin]) * x0 + LAST[begin] * noise
            batch = {name: value.to(device()) for name, value in batch.items()}
            made.append(_finished(painter, batch, x.to(device()), begin).half().cpu().numpy())
    part = path.with_suffix(".part.npy")
    np.save(part, np.concatenate(made))
    part.replace(path)
    return np.load(path, mmap_mode="r")


def _finished(painter: Painter, batch: dict[str, Tensor], x: Tensor, begin: int) -> Tensor:
    """Latents x of noise level LAST[begin], brought to 0 in the sampler's last steps, guided as in use."""
    nothing = torch.zeros_like(batch["words"])
    nothing[:, 0] = 1  # the end mark alone: the empty prompt
    empty = {**batch, "words": nothing, "present": torch.zeros_like(batch["present"]), "heard": torch.zeros_like(batch["heard"])}
    for level, after in zip(LAST[begin:], LAST[begin + 1 :], strict=False):
        s = torch.full((len(x),), level, device=x.device)
        told, untold = velocity(painter, batch, x, s), velocity(painter, empty, x, s)
        x = x - (level - after) * (untold + GUIDANCE * (told - untold))
    return x


class Pairs:
    """A drawn set beside its latents: `meant` (N, 16, T, h, w) as the encoder has them, `made` (M, 16, T, h, w) as the expert has
    those of the first M, both as the decoder takes them."""

    def __init__(self, drawings: Drawings, meant: np.ndarray, made: np.ndarray, mean: np.ndarray, std: np.ndarray) -> None:
        self.drawings, self.meant, self.made = drawings, meant, made
        self.mean, self.std = mean.reshape(-1, 1, 1, 1), std.reshape(-1, 1, 1, 1)

    def take(self, rng: np.random.Generator, count: int, frames: int) -> tuple[Tensor, Tensor]:
        """Crops of latents (count, 16, frames, SIZE, SIZE), every other one the expert's, and of their drawings, without the rim,
        (count, 3, 4 * frames - 3, 8 * (SIZE - 2 * RIM), ...) in -1..1."""
        z, x = [], []
        for _ in range(count):
            i = int(rng.integers(len(self.made)))
            top, left = (int(v) // 8 for v in corner(self.drawings, i, rng, 8 * SIZE))
            source = self.made[i] * self.std + self.mean if rng.random() < 0.5 else self.meant[i]
            z.append(np.asarray(source[:, :frames, top : top + SIZE, left : left + SIZE], np.float32))
            inner = (slice(8 * (k + RIM), 8 * (k + SIZE - RIM)) for k in (top, left))
            x.append(self.drawings.frames[i, : 4 * frames - 3][:, *inner])
        return torch.from_numpy(np.stack(z)).to(device()), to_signed(np.stack(x)).to(device())


def finish_loop(work: Path, vae: AutoencoderKLWan, steps: int) -> Loop:
    """The loop of this stretch; it moves the decoder alone."""
    vae.requires_grad_(False)
    vae.decoder.requires_grad_(True)
    vae.post_quant_conv.requires_grad_(True)
    return Loop(work, "vae-finish", vae, steps=steps, rate=8e-4)


def finish(loop: Loop, vae: AutoencoderKLWan, pictures: Pairs, clips: Pairs) -> None:
    """Crops of clips of 9 and 17 frames, every third step pictures; ends with the averaged weights in place."""
    rim = slice(8 * RIM, -8 * RIM)
    with quick_passes():
        for step in loop:
            frames = 3 if np.random.default_rng([step, 14]).random() < 0.7 else 5  # the same in every process
            rng = np.random.default_rng([step, 15, rank()])
            z, x = clips.take(rng, 1, frames) if step % 3 else pictures.take(rng, 6, 1)
            with mixed():
                y = decode(vae, z)[..., rim, rim].float()
            loop.update(reconstruction_loss(x, y))
            if step % 249 < 2:
                loop.say(f"{'clips' if step % 3 else 'pictures'} psnr {psnr(x, y.detach().clamp(-1, 1)):.2f}")
    loop.use_average()
