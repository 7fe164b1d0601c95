"""Plain geometry of boxes (x0, y0, x1, y1) in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def area(boxes: Array) -> Array:
    """Areas of boxes (..., 4)."""
    size = np.maximum(boxes[..., 2:4] - boxes[..., :2], 0)
    return np.asarray(size[..., 0] * size[..., 1], np.float32)


def overlap(first: Array, second: Array) -> Array:
    """Shared areas (n, m) of boxes (n, 4) and (m, 4)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    size = np.maximum(high - low, 0)
    return np.asarray(size[..., 0] * size[..., 1], np.float32)


def iou(first: Array, second: Array) -> Array:
    """Intersection over union (n, m), 0..1."""
    shared = overlap(first, second)
    union = area(first)[:, None] + area(second)[None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


def grown(box: Array, share: float, frame: tuple[int, ...]) -> Array:
    """A box grown by a share of its longer side on every side, inside a frame of (height, width)."""
    margin = share * float(max(box[2] - box[0], box[3] - box[1]))
    x0, y0, x1, y1 = (float(value) for value in box[:4])
    return np.array(
        [max(0.0, x0 - margin), max(0.0, y0 - margin), min(frame[1], x1 + margin), min(frame[0], y1 + margin)],
        np.float32,
    )


def figure_around(face: Array, frame: tuple[int, ...]) -> Array:
    """A figure's likely box around a face (4,): shoulders as wide as three faces, five faces down, inside the frame."""
    x0, y0, x1, y1 = (float(value) for value in face[:4])
    wide, tall = x1 - x0, y1 - y0
    return np.array(
        [max(0.0, x0 - wide), max(0.0, y0 - tall * 0.6), min(frame[1], x1 + wide), min(frame[0], y1 + tall * 5)],
        np.float32,
    )


def match(figures: Array, faces: Array) -> list[int]:
    """The face index of each figure, or -1: faces (m, 15) that lie in figures (n, 5), each used once.

    A face belongs to a box that covers at least three quarters of it; of several, to the one in which it lies highest
    and nearest the middle line.
    """
    from scipy.optimize import linear_sum_assignment

    owner = [-1] * len(figures)
    if not len(figures) or not len(faces):
        return owner
    cover = overlap(figures, faces) / np.maximum(area(faces)[None], 1e-6)
    size = np.maximum(figures[:, 2:4] - figures[:, :2], 1e-6)
    middle = (faces[:, :2] + faces[:, 2:4]) / 2
    off = np.abs(middle[None, :, 0] - (figures[:, None, 0] + figures[:, None, 2]) / 2) / size[:, None, 0]
    down = (middle[None, :, 1] - figures[:, None, 1]) / size[:, None, 1]
    worth = np.where(cover >= 0.75, 3 + cover - off - down, 0)
    for figure, face in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
        if worth[figure, face] > 0:
            owner[figure] = int(face)
    return owner
