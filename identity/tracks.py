"""Following figures from frame to frame, so that one uncertain frame does not change who somebody is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from identity.boxes import iou
from identity.encoders import Figure
from identity.likeness import PAIR, Thresholds

OVERLAP = 0.2
"""Intersection over union below which a figure is not the one of the frame before."""
REACH = 3
"""Frames on either side whose evidence supports a frame's, with weights that fall off to about a third."""


class Tracks:
    """Numbers the figures of frames that are shown one after another: the same number is the same figure, seen without a
    gap. Only the last frame is kept.

    Figures of neighbouring frames are joined, best pairs first as a whole, where boxes overlap and looks do not speak
    against it, so that a cut ends all tracks even when a newcomer stands in the same place. Without `thresholds` looks are
    not asked: a number then is a place in the picture, whoever stands in it.
    """

    def __init__(self, thresholds: Thresholds | None) -> None:
        self._thresholds = thresholds
        self._earlier: Sequence[Figure] = ()
        self._numbers: list[int] = []
        self._count = 0

    def show(self, figures: Sequence[Figure]) -> list[int]:
        """The numbers of the next frame's figures."""
        from scipy.optimize import linear_sum_assignment

        current = [-1] * len(figures)
        earlier = self._earlier
        if len(figures) and len(earlier):
            worth = iou(np.stack([f.box for f in earlier]), np.stack([f.box for f in figures])).astype(np.float64)
            joined = worth >= OVERLAP
            if self._thresholds is not None:
                looks = {
                    "figure": _cosines([f.embedding for f in earlier], [f.embedding for f in figures]),
                    "body": _cosines([f.body for f in earlier], [f.body for f in figures]),
                }
                likeness, _ = self._thresholds.weigh(looks, PAIR)
                joined &= likeness > 0.25
                worth += likeness
            worth = np.where(joined, worth, 0)
            for old, new in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
                if worth[old, new] > 0:
                    current[new] = self._numbers[old]
        for index, number in enumerate(current):
            if number < 0:
                current[index], self._count = self._count, self._count + 1
        self._earlier, self._numbers = figures, current
        return list(current)


def follow(frames: Sequence[Sequence[Figure]], thresholds: Thresholds) -> list[list[int]]:
    """A track number for every figure of every frame."""
    tracks = Tracks(thresholds)
    return [tracks.show(figures) for figures in frames]


def smoothed(values: Sequence[NDArray[np.float64]], tracks: Sequence[Sequence[int]]) -> list[NDArray[np.float64]]:
    """Rows of values (one array (figures, k) a frame) averaged along each track over REACH frames on either side."""
    weights = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / (REACH / 1.5)) ** 2)
    where = [{number: index for index, number in enumerate(row)} for row in tracks]
    result = []
    for place, rows in enumerate(values):
        averaged = np.array(rows, np.float64)
        for index, number in enumerate(tracks[place]):
            total, weight = np.zeros(averaged.shape[1]), 0.0
            for step, share in zip(range(-REACH, REACH + 1), weights, strict=True):
                other = place + step
                if 0 <= other < len(values) and number in where[other]:
                    total += share * values[other][where[other][number]]
                    weight += share
            averaged[index] = total / weight
        result.append(averaged)
    return result


def _cosines(first: Sequence[NDArray[np.float32]], second: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    return (np.stack(first) @ np.stack(second).T).astype(np.float64)
