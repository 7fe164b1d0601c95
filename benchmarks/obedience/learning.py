"""How the readers of clips learn: on drawings made rougher, so that they do not lean on the crispness of a drawing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn

Reader = TypeVar("Reader", bound=nn.Module)
ROWS = 64


def taught(
    reader: Reader, amiss: Callable[[Reader, np.ndarray, np.random.Generator], Tensor], rows: np.ndarray, path: Path, *,
    epochs: int,
) -> Reader:  # fmt: skip
    """The reader after so many epochs of `rows` (N,), whose loss is `amiss`; or as it was kept at `path`."""
    if path.exists():
        reader.load_state_dict(torch.load(path, weights_only=True))
        return reader
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    steps = epochs * (len(rows) // ROWS)
    optimiser = torch.optim.AdamW(reader.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    began = time.monotonic()
    reader.train()
    for step in range(steps):
        loss = amiss(reader, rows[rng.integers(len(rows), size=ROWS)], rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            told = f"{step}/{steps}, loss {float(loss.detach()):.2f}, {time.monotonic() - began:.0f} s"
            print(f"the {type(reader).__name__.lower()} learns: {told}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(reader.state_dict(), path)
    return reader


def roughened(clips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N, ..., H, W) uint8, half of the clips softened and all made noisy."""
    out = clips.astype(np.float32)
    height, width = out.shape[-2:]
    for k in np.flatnonzero(rng.random(len(out)) < 0.5):
        sigma = float(rng.uniform(0.4, 1.3))
        planes = out[k].reshape(-1, height, width)
        for plane in planes:
            cv2.GaussianBlur(plane, (0, 0), sigma, dst=plane)
    out += 5 * rng.standard_normal(out.shape, np.float32)
    return np.clip(out, 0, 255).astype(np.uint8)
