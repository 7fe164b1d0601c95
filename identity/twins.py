"""Near-duplicates: frames that show nothing that another one does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PRINT = 10
"""Bits of 64 in which the fingerprints of two near-duplicates differ, at most."""
NEAR = 1 / 6
"""How far apart two near-duplicates are, at most, of what two pictures of one person usually are."""
STEP = 1.0
"""How far apart two views may be, in steps of views.View, for fingerprints to be compared at all."""
MOMENT = 1.0
"""Seconds within which frames of one track repeat each other even if they differ twice as much."""


def fingerprint(crop: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The gradient hash (dHash) of a crop (H, W, 3) uint8 RGB: 64 bits, whether brightness rises from cell to cell."""
    import cv2

    small = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, 1:] > small[:, :-1]).ravel()


def alike(
    prints: NDArray[np.bool_],
    looks: NDArray[np.float32],
    views: NDArray[np.float64],
    moments: NDArray[np.float64],
    tracks: NDArray[np.int64],
    usual: float,
) -> NDArray[np.bool_]:
    """Which of n frames of one person are near-duplicates of each other, (n, n).

    Two are when their views (n, d) lie within STEP of each other, and so do their fingerprints (n, 64) within PRINT and their
    embeddings `looks` (n, F), of length 1, within NEAR of `usual`, the usual cosine of two pictures of one person. Within
    a MOMENT of one track (`moments` (n,) in seconds, `tracks` (n,)) twice of each will do: a face that talks is no news. Where
    there fingerprints agree twice as well, views are not asked: what differs is how the face was found, not the picture.
    """
    plain = prints.astype(np.float32)
    bits = plain @ (1 - plain).T
    bits = bits + bits.T
    squares = (views**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * views @ views.T, 0))
    far = (1 - (looks @ looks.T).astype(np.float64)) / max(1 - usual, 1e-3)
    soon = (tracks[:, None] == tracks[None]) & (np.abs(moments[:, None] - moments[None]) <= MOMENT)
    slack = np.where(soon, 2, 1)
    same = soon & (bits <= PRINT / 2) & (far <= NEAR)
    return np.asarray(same | ((bits <= PRINT * slack) & (far <= NEAR * slack) & (apart <= STEP * slack)))
