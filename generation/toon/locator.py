"""Where everybody's joints are, read out of a transformer's inside while it trains: what makes it heed the words for an action.

An arm is a few pixels, so its place hardly counts in the loss of a picture, and words that only move arms went unheeded. Asked
halfway through for the patch of each hand, elbow and foot, the blocks have to know by then what everybody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from generation.request import SLOTS
from generation.toon.world.acting import PATCH
from generation.toon.world.figure import JOINTS

if TYPE_CHECKING:
    from diffusers import WanTransformer3DModel

BLOCK = 5
"""The block whose result is read, of the toon transformer's eight: what comes after has the drawing to do."""


class Locator(nn.Module):
    """A linear reading of each position: how likely each joint of each character is there. Training alone has it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.read = nn.Linear(width, SLOTS * len(JOINTS))
        nn.init.zeros_(self.read.weight)  # what it has not learned to read, it does not pull about
        self.seen: Tensor | None = None

    def attach(self, transformer: WanTransformer3DModel) -> None:
        """Look at every forward of this transformer from now on."""
        transformer.blocks[BLOCK].register_forward_hook(self._look)

    def _look(self, block: nn.Module, given: Any, hidden: Tensor) -> None:
        self.seen = hidden

    def loss(self, where: Tensor) -> Tensor:
        """Mean cross-entropy, in nats, of the joints' patches (B, T, SLOTS, JOINTS), -1 where there is nothing to find."""
        assert self.seen is not None, "no forward has been seen"
        hidden, self.seen = self.seen, None
        scores = self.read(self.norm(hidden.float())).unflatten(1, (where.shape[1], -1)).transpose(2, 3)  # (B, T, joint, patch)
        told = where.flatten()
        lost = nn.functional.cross_entropy(scores.flatten(0, 2), told.clamp(min=0), reduction="none") * (told >= 0)
        return lost.sum() / (told >= 0).sum().clamp(min=1)


def spots(joints: np.ndarray, width: int, height: int) -> np.ndarray:
    """The patch (N, k+1, SLOTS, JOINTS) int16 of each joint of clips of 4k+1 frames, -1 where it is off the screen or nobody's.

    `joints` (N, 4k+1, SLOTS, JOINTS, 2) in pixels of pictures of this size. A latent frame takes the middle of its four frames.
    """
    taken = joints[:, middles(joints.shape[1])].astype(np.float32)
    column, row = taken[..., 0] // PATCH, taken[..., 1] // PATCH
    columns, rows = width // PATCH, height // PATCH
    somebody = np.any(taken != 0, axis=(-1, -2), keepdims=True)[..., 0]
    there = (column >= 0) & (column < columns) & (row >= 0) & (row < rows) & somebody
    return np.where(there, row * columns + column, -1).astype(np.int16)


def middles(frames: int) -> list[int]:
    """The middle one of the frames of each latent frame, of a clip of so many."""
    return [max(0, 4 * k - 1) for k in range((frames + 3) // 4)]
