"""Drawn sets behind the VAE: what the experts learn from, made once and kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan

from generation.request import SIDES
from generation.toon.closeness import closeness
from generation.toon.crops import to_signed
from generation.toon.data import Drawings
from generation.toon.experts import TEXT_ROWS, Latents
from generation.toon.locator import spots
from generation.toon.vae import encode, quick_passes
from generation.training.precision import device, mixed


def encode_set(vae: AutoencoderKLWan, drawings: Drawings, path: Path) -> np.ndarray:
    """Posterior means (N, 16, k+1, H/8, W/8) fp16, not normalised; kept at `path`."""
    if path.exists():
        return np.load(path, mmap_mode="r")
    vae.to(device())
    count, frames = drawings.frames.shape[:2]
    rows = 64 if frames == 1 else 4
    parts = []
    with quick_passes(), torch.inference_mode(), mixed():
        for i in range(0, count, rows):
            mean, _ = encode(vae, to_signed(drawings.frames[i : i + rows]).to(device()))
            parts.append(mean.half().cpu().numpy())
    made = np.concatenate(parts)
    part = path.with_suffix(".part.npy")
    np.save(part, made)
    part.replace(path)
    return made


def statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread (16,) of each channel: the VAE's `latents_mean` and `latents_std`."""
    some = x[:4000].astype(np.float32)
    return some.mean((0, 2, 3, 4)), some.std((0, 2, 3, 4))


def prepare(
    drawings: Drawings, x: np.ndarray, mean: np.ndarray, std: np.ndarray, tokenizer: Any, base: int, *, fine: bool = False
) -> Latents:
    """Normalised latents with their words and where to look closely; `fine` is for an expert that knows the rest: faces and
    mouths weigh more, and so do the channels that hold detail."""
    shape = (1, 16, 1, 1, 1)
    normal = ((x.astype(np.float32) - mean.reshape(shape)) / std.reshape(shape)).astype(np.float16)
    words = np.zeros((len(x), 4, TEXT_ROWS), np.int16)
    for i, note in enumerate(drawings.notes):
        rows = [row for row in tokenizer(note["captions"])["input_ids"] if len(row) < TEXT_ROWS] or [[1]]
        for k in range(4):
            row = rows[k % len(rows)]
            words[i, k, : len(row)] = row
    close, sides = closeness(drawings, fine=fine), _sides(drawings)
    channels = smoothness(normal)
    if fine:
        channels = np.sqrt(channels) / np.sqrt(channels).mean()
    where = spots(np.asarray(drawings.joints), drawings.recipe.width, drawings.recipe.height)
    return Latents(normal, words, drawings.people, sides, where, drawings.levels, close, channels, base)


def smoothness(x: np.ndarray) -> np.ndarray:
    """Weights (16,) of the channels of normalised latents, mean 1, by how alike neighbours are in each.

    The smooth ones hold what is where. The others look like noise to whoever does not yet know that, and would drown it.
    """
    some = x[:1000, :, 0].astype(np.float32)
    alike = (some[..., 1:] * some[..., :-1]).mean((0, 2, 3)) + (some[..., 1:, :] * some[..., :-1, :]).mean((0, 2, 3))
    weight = np.clip(alike, 0.5, None)
    return np.asarray(weight / weight.mean(), np.float32)


def _sides(drawings: Drawings) -> np.ndarray:
    """Each person's side of the screen (N, 3), as its place in SIDES; -1 for nobody."""
    out = np.full((len(drawings.notes), 3), -1, np.int64)
    for i, note in enumerate(drawings.notes):
        out[i, : len(note["parts"])] = [SIDES.index(side) for side, *_ in note["parts"]]
    return out
