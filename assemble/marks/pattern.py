"""The pattern of the picture mark: a tile of chips, laid over a grid that all sizes of one film share.

The grid has 240 lines (the shorter side), whatever the size of the frame, so that a film of 1080 lines and its copy of 480 have
the mark in the same places; nothing in the mark is finer than half a frame of 480 lines can hold. A tile is 32 x 32 chips of
4 x 4 cells. A quarter of the chips is known (the sync, by which the tile is found), the others carry 6 times each of the bits.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from assemble.marks.payload import BITS, stream

KEY = "storyboard/1"
"""The key of every film made with this program. It is public: the mark informs, it is no secret between parties."""
LINES = 240
CHIP, SIDE = 4, 32
TILE = CHIP * SIDE
SYNC = 256
CHIPS = SIDE * SIDE

Plane = npt.NDArray[np.float32]
"""(lines, columns) float32."""
Sums = npt.NDArray[Any]


def grid(size: tuple[int, int]) -> tuple[int, int]:
    """The (columns, lines) of the grid over a frame of `size` (width, height) pixels."""
    scale = LINES / min(size)
    return max(8, round(size[0] * scale)), max(8, round(size[1] * scale))


class Pattern:
    """Where the chips of a key are and what they mean.

    `bit` (CHIPS,) is the number of the bit of each chip, BITS for the sync. `sign` (CHIPS,) is what a 1 looks like there.
    """

    def __init__(self, key: str) -> None:
        order = np.argsort(stream(key, "places", CHIPS), kind="stable")
        self.bit = np.full(CHIPS, BITS)
        self.bit[order[SYNC:]] = np.arange(CHIPS - SYNC) % BITS
        self.counts = np.bincount(self.bit, minlength=BITS + 1)
        self.sign = np.where(stream(key, "signs", CHIPS) & 1, 1.0, -1.0).astype(np.float32)

    def tile(self, values: npt.NDArray[np.floating]) -> Plane:
        """(TILE, TILE) of the mark; `values` (BITS + 1,): the strength and sign of each bit, and last of the sync.

        Its mean square is 1 where all strengths are 1.
        """
        chips = (self.sign * values[self.bit]).astype(np.float32).reshape(SIDE, SIDE)
        around = np.pad(chips, 4, mode="wrap")
        wide: Plane = np.asarray(cv2.resize(around, None, fx=CHIP, fy=CHIP, interpolation=cv2.INTER_CUBIC), np.float32)
        # The detector hears nothing slower than this, and the eye would see it.
        wide = wide - np.asarray(cv2.blur(wide, (15, 15)), np.float32)
        return wide[4 * CHIP : -4 * CHIP, 4 * CHIP : -4 * CHIP] / np.float32(0.81)

    @cached_property
    def sync(self) -> Plane:
        """(TILE, TILE): the sync alone."""
        return self.tile(np.append(np.zeros(BITS), 1.0))

    def read(self, tile: Plane) -> tuple[npt.NDArray[np.float64], float]:
        """The readings (BITS,) of all bits of a tile that begins where the pattern does, and that of the sync."""
        chips = self.sign * tile.reshape(SIDE, CHIP, SIDE, CHIP).sum(axis=(1, 3)).ravel()
        sums: Sums = np.bincount(self.bit, weights=chips, minlength=BITS + 1)
        return sums[:BITS], float(sums[BITS])

    def spread(self, tile: Plane) -> npt.NDArray[np.float64]:
        """(BITS + 1,): as `read`, but without signs: how much of a plane of weights each bit covers, and last the sync."""
        chips = tile.reshape(SIDE, CHIP, SIDE, CHIP).sum(axis=(1, 3)).ravel()
        sums: Sums = np.bincount(self.bit, weights=chips, minlength=BITS + 1)
        return sums


@lru_cache(maxsize=8)
def pattern(key: str = KEY) -> Pattern:
    """The pattern of a key, made once."""
    return Pattern(key)


def residual(luma: Plane) -> tuple[Plane, Plane]:
    """What of a plane (levels, on the grid) could be a mark, and the weight that a change of one level has in it.

    The plane without its slow part, in units of how busy it is around: so a wall and a tree count alike, and an edge does not
    drown the rest.
    """
    band = luma - cv2.blur(cv2.blur(luma, (9, 9)), (9, 9))
    busy = np.sqrt(np.maximum(cv2.blur(band * band, (15, 15)), 0))  # a sliding sum can come out a hair under 0
    weight = 1 / (busy + np.float32(0.8))
    return np.asarray(np.clip(band * weight, -2.5, 2.5), np.float32), np.asarray(weight, np.float32)


def fold(plane: Plane) -> Plane:
    """(TILE, TILE): the sum of all tiles of a plane on the grid."""
    lines, columns = plane.shape
    whole = cv2.copyMakeBorder(plane, 0, -lines % TILE, 0, -columns % TILE, cv2.BORDER_CONSTANT, value=0)
    return whole.reshape(whole.shape[0] // TILE, TILE, whole.shape[1] // TILE, TILE).sum(axis=(0, 2))
