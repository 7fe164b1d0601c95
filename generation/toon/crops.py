"""Crops of drawings that the VAE learns from: about faces, where much moves, and where its mouths are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from generation.toon.closeness import mouths, ways, within
from generation.toon.data import Drawings

MOUTH = 8.0
"""How much more than anything else a pixel of a mouth counts in clips: it is small, and all that a voice moves."""


class Crops:
    """Takes random crops of one drawn set."""

    def __init__(self, drawings: Drawings) -> None:
        self.drawings, self.mouths, self.ways = drawings, mouths(drawings), ways(drawings)

    def some(self, rng: np.random.Generator, count: int, frames: int, size: int) -> tuple[Tensor, Tensor]:
        """Crops (count, 3, frames, size, size) in -1..1, half of them about a face, and the weights of their pixels
        (count, 1, frames, size, size), 1 or in clips, where a mouth is, MOUTH."""
        n, t = self.drawings.frames.shape[:2]
        out = np.empty((count, frames, size, size, 3), np.uint8)
        weight = np.ones((count, 1, frames, size, size), np.float32)
        for k in range(count):
            i, start = int(rng.integers(n)), int(rng.integers(t - frames + 1))
            y, x = corner(self.drawings, i, rng, size)
            out[k] = self.drawings.frames[i, start : start + frames, y : y + size, x : x + size]
            if frames > 1:
                for f in range(frames):
                    for inside in self._mouths_at(i, start + f, x, y):
                        weight[k, 0, f][inside] = MOUTH
        return to_signed(out), torch.from_numpy(weight)

    def lively(self, rng: np.random.Generator, frames: int, size: int) -> tuple[Tensor, Tensor]:
        """Of three random crops the one in which most changes, (1, 3, frames, size, size), and its weights: a mouth that talks, a
        camera that pans, a figure that jumps. They are what is hard."""
        some, weight = self.some(rng, 3, frames, size)
        most = (some.diff(dim=2).abs() * weight[:, :, 1:]).mean((1, 2, 3, 4)).argmax()
        return some[most][None], weight[most][None]

    def _mouths_at(self, index: int, frame: int, left: int, top: int) -> list[tuple[slice, slice]]:
        """Rows and columns of the mouths of one frame, in a crop that begins at this corner."""
        there = self.mouths[index, :, 2] > self.mouths[index, :, 0]
        boxes = self.mouths[index] + np.tile(self.ways[index, frame], 2) - (left, top, left, top)
        return [within(box, 1) for box in boxes[there]]


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


def to_signed(frames: np.ndarray) -> Tensor:
    """(B, T, H, W, 3) uint8 to (B, 3, T, H, W) float32 in -1..1."""
    return torch.from_numpy(np.array(frames)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
