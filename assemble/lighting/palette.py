"""Palettes: the colours of a region, and the gain between two palettes of the same things under other light.

In the logarithm of linear light a gain is a shift, so the gain that light or grading put between two views is where their
colours, moved against each other, agree best (the idea of Barron, Convolutional Color Constancy, ICCV 2015). What only one
of the views shows agrees nowhere and has no say: a mean would take a reframing for another exposure, the agreement does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assemble.colour import LUMINANCE, Floats, linear

CELL = 0.2  # EV: pixels this alike are one colour
COLOURS = 40  # that a palette keeps, the commonest first
STARTS = 100  # pairs of colours whose gain is tried
WIDTH = 0.12  # EV: how alike two colours must be to agree, about three times what a codec changes
DARK, BRIGHT = 20, 250  # uint8 codes beyond which noise and clipping hide the light
REACH = np.array([0.9, 0.35, 0.15])
"""Standard deviations in EV of what is believed of a gain: in exposure, from warm to cool, and from green to magenta."""


@dataclass(frozen=True)
class Palette:
    """Colours (K, 3) as log2 of linear RGB, their shares (K,) that sum to 1, and of how many pixels they were taken."""

    colours: Floats
    shares: Floats
    pixels: int


@dataclass(frozen=True)
class Shift:
    """From one palette to another: `gain` (3,) on linear RGB, `agreement` 0..1 the share of colours that then are in both,
    and the matched colours: log2 of linear RGB (M, 3) before and after, with weights (M,)."""

    gain: Floats
    agreement: float
    before: Floats
    after: Floats
    weights: Floats


def palette(pixels: NDArray[np.uint8]) -> Palette | None:
    """The palette of pixels (N, 3) uint8 RGB; None when fewer than 12 of them are neither dark nor clipped."""
    kept = pixels[(pixels.max(-1) >= DARK) & (pixels.max(-1) < BRIGHT)]
    if len(kept) < 12:
        return None
    logs = np.log2(np.maximum(linear(kept), 1 / 1024))
    cells = np.floor(logs / CELL).astype(np.int64) + 64
    _, inverse, counts = np.unique(cells @ [1 << 16, 1 << 8, 1], return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(inverse, logs[:, channel]) for channel in range(3)], -1)
    top = np.argsort(-counts)[:COLOURS]
    shares = counts[top] / counts[top].sum()
    return Palette(sums[top] / counts[top, None], shares, len(kept))


def shift(first: Palette, second: Palette) -> Shift:
    """The gain from the first palette to the second."""
    pairs = second.colours[None] - first.colours[:, None]
    weights = np.sqrt(first.shares[:, None] * second.shares[None])
    flat, heavy = pairs.reshape(-1, 3), weights.ravel()
    starts = np.concatenate([np.zeros((1, 3)), flat[np.argsort(-heavy)[:STARTS]]])
    # A wide kernel finds the hill, the narrow one its top.
    votes = _belief(starts) + np.log(_kernel(starts, flat, WIDTH * 1.5) @ heavy + 1e-12)
    best = starts[np.argsort(-votes)[:6]]
    for width in (WIDTH * 1.5, WIDTH, WIDTH, WIDTH):
        near = _kernel(best, flat, width) * heavy
        best = near @ flat / np.maximum(near.sum(1, keepdims=True), 1e-12)
    votes = _belief(best) + np.log(_kernel(best, flat, WIDTH) @ heavy + 1e-12)
    at = best[np.argmax(votes)]
    alike = _kernel(at[None], flat, WIDTH)[0].reshape(weights.shape)
    rows, columns = np.nonzero(alike * weights > 0.2 * (alike * weights).max())
    found = min((alike.max(1) * first.shares).sum(), (alike.max(0) * second.shares).sum())
    return Shift(2.0**at, float(found), first.colours[rows], second.colours[columns], (alike * weights)[rows, columns])


def _kernel(centres: Floats, points: Floats, width: float) -> Floats:
    away = (centres**2).sum(-1)[:, None] + (points**2).sum(-1)[None] - 2 * centres @ points.T
    return np.asarray(np.exp(-np.maximum(away, 0) / (2 * width**2)))


def _belief(gains: Floats) -> Floats:
    """How likely gains (N, 3) in log2 are by themselves: light changes in level and warmth, hardly towards green."""
    red, green, blue = gains.T
    parts = np.stack([gains @ LUMINANCE, (red - blue) / 2, green - (red + blue) / 2], -1)
    return np.asarray(-((parts / REACH) ** 2).sum(-1) / 2)
