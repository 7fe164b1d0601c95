"""Palettes: the colours of a region, and the gain between two palettes of the same things under other light.

In the logarithm of linear light a gain is a shift, so the gain that light or grading put between two views is where their
colours, moved against each other, agree best (the idea of Barron, Convolutional Color Constancy, ICCV 2015). What only one
of the views shows agrees nowhere and has no say: a mean would take a reframing for another exposure, the agreement does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assemble.colour import LUMINANCE, Floats, linear

AGREEMENT = 0.35  # of two palettes, below which they do not show the same things
CLEAR = 0.65  # from which on two palettes are sure to show the same
CELL, COLOURS = 0.2, 40  # EV: pixels this alike are one colour; how many are kept, the commonest first
FINE, SHADES = 0.06, 150  # the same of the shades that a gain is measured by: coarse cells would hold it where they lie
STARTS = 100  # pairs of colours whose gain is tried
WIDTH = 0.12  # EV: how alike two colours must be to agree, about three times what a codec changes
MORE = 1.1  # of what is clipped in one view is left out of the other: compression blurs the edge
MOST = 0.05  # of a view that it goes without for that
DARK, BRIGHT = 20, 250  # uint8 codes beyond which noise and clipping hide the light
WIDTHS = (WIDTH * 1.5, WIDTH, WIDTH, WIDTH / 2, WIDTH / 2, WIDTH / 2)  # of the search for a gain, ever narrower
STRICT, ROUNDS = 0.8, 12  # how strictly a shade is used up: 1 pairs all with anything, 0 each with all that are near
HILLS = 3  # gains that are fitted
NOISE, LEAK = 0.001, 0.01  # of white, a code or two of a dark channel; and of the strongest channel, in each of the others
AXES = np.array([LUMINANCE, [0.5, 0.0, -0.5], [-0.5, 1.0, -0.5]])
"""What a gain in log2 is told apart into: exposure, from cool to warm, and from magenta to green."""
REACH = np.array([0.9, 0.35, 0.15])
"""Standard deviations in EV of what is believed of a gain along these."""


@dataclass(frozen=True)
class Palette:
    """Colours (K, 3) as log2 of linear RGB with their shares (K,), which sum to 1; and the same in finer shades (S, 3), (S,).
    `clipped` is the share of the region that is too bright to be among them."""

    colours: Floats
    shares: Floats
    shades: Floats
    weights: Floats
    clipped: float = 0.0

    def moved(self, change: Callable[[Floats], Floats]) -> Palette:
        """The palette with all its colours changed."""
        return replace(self, colours=change(self.colours), shades=change(self.shades))

    def without(self, clipped: float) -> Palette:
        """The palette without its brightest colours, where another view has a share `clipped` and this one less: what was
        clipped before the light fell is a heap of one level, and would be taken for what is just not clipped there. The view that
        has more of it goes without the like of what the other is cut by beyond that."""
        more = clipped - self.clipped
        less = (MORE * more if more > 0 else min((MORE - 1) * -more, MOST)) / max(1 - self.clipped, 1e-9)
        if less <= 0:
            return self
        return Palette(*_dimmer(self.colours, self.shares, less), *_dimmer(self.shades, self.weights, less), self.clipped)


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
    top = pixels.max(-1, initial=0)
    kept = pixels[(top >= DARK) & (top < BRIGHT)]
    if len(kept) < 12:
        return None
    clipped = float((top >= BRIGHT).mean())
    logs = np.log2(np.maximum(linear(kept), 1 / 1024))
    return Palette(*_cells(logs, CELL, COLOURS), *_cells(logs, FINE, SHADES), clipped)


def _dimmer(colours: Floats, shares: Floats, less: float) -> tuple[Floats, Floats]:
    """Colours and their shares without the brightest, which are `less` of all; some always stay."""
    order = np.argsort(colours.max(-1))
    kept = order[: max(3, int(np.searchsorted(np.cumsum(shares[order]), 1 - less)))]
    return colours[kept], shares[kept] / shares[kept].sum()


def _cells(logs: Floats, size: float, most: int) -> tuple[Floats, Floats]:
    """The means (K, 3) of the fullest cells of a grid, and their shares (K,)."""
    cells = np.floor(logs / size).astype(np.int64) + 512
    _, inverse, counts = np.unique(cells @ [1 << 20, 1 << 10, 1], return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(inverse, logs[:, channel]) for channel in range(3)], -1)
    top = np.argsort(-counts)[:most]
    return sums[top] / counts[top, None], counts[top] / counts[top].sum()


def shift(first: Palette, second: Palette) -> Shift:
    """The gain from the first palette to the second."""
    first, second = first.without(second.clipped), second.without(first.clipped)
    flat = (second.colours[None] - first.colours[:, None]).reshape(-1, 3)
    heavy = np.sqrt(first.shares[:, None] * second.shares[None]).ravel()
    starts = np.concatenate([np.zeros((1, 3)), flat[np.argsort(-heavy)[:STARTS]]])
    votes = belief(starts) + np.log(_kernel(starts, flat, WIDTH * 1.5) @ heavy + 1e-12)
    best = starts[np.argsort(-votes)[:6]]
    for width in (WIDTH * 1.5, WIDTH):  # the wide kernel finds the hill, the narrow one its top
        best = _climbed(best, flat, heavy, width)
    votes = belief(best) + np.log(_kernel(best, flat, WIDTH) @ heavy + 1e-12)
    tried: list[Floats] = []
    for each in best[np.argsort(-votes)]:
        if all(np.abs(each - other).max() > WIDTH for other in tried):
            tried.append(each)
    fitted = [_fit(first, second, start) for start in tried[:HILLS]]
    likeliest = max(fitted, key=lambda each: np.log(each[1].sum() + 1e-12) + belief(each[0][None])[0])
    return _told(first, second, *likeliest)


def near(first: Palette, second: Palette, gain: Floats) -> Shift:
    """The gain from the first palette to the second nearest to a `gain` (3,) in log2."""
    first, second = first.without(second.clipped), second.without(first.clipped)
    return _told(first, second, *_fit(first, second, gain))


def unlike(first: Palette, second: Palette, gain: Floats) -> tuple[Palette, Palette, float]:
    """What of either palette has no like in the other under a `gain` (3,) in log2, and its share, the smaller of both."""
    first, second = first.without(second.clipped), second.without(first.clipped)
    alike = _alike(first, second, gain)
    made, shares = [], []
    for each, seen in ((first, alike.max(1)), (second, alike.max(0))):
        rest = each.weights * (1 - seen) + 1e-9
        shares.append(float(rest.sum()))
        top = np.argsort(-rest)[:COLOURS]
        made.append(Palette(each.shades[top], rest[top] / rest[top].sum(), each.shades, rest / rest.sum()))
    return made[0], made[1], min(shares)


def _alike(first: Palette, second: Palette, gain: Floats) -> Floats:
    """How alike each shade of one is to each of the other (S, S'), 0..1, under a gain."""
    return _kernel(first.shades + gain, second.shades, WIDTH * 1.5)


def _told(first: Palette, second: Palette, gain: Floats, plan: Floats) -> Shift:
    """The shift that a gain (3,) in log2 and what it pairs (S, S') make."""
    alike = _alike(first, second, gain)
    found = min((alike.max(1) * first.weights).sum(), (alike.max(0) * second.weights).sum())
    rows, columns = np.nonzero(plan > 0.02 * plan.max())
    return Shift(2.0**gain, float(found), first.shades[rows], second.shades[columns], plan[rows, columns])


def _fit(first: Palette, second: Palette, gain: Floats) -> tuple[Floats, Floats]:
    """A gain (3,) in log2 made exact, and how much of each shade of the first palette goes to each of the second (S, S').

    Shades are used up as they are paired (unbalanced optimal transport; Chizat and others, Scaling Algorithms for Unbalanced
    Optimal Transport Problems, Math. Comp. 87, 2018), so that those which fill a range, as on a shaded cheek, are paired in their
    order: where each may pair with all that are near, the fullest draw the gain towards themselves. How full a shade is depends
    on the framing, too, so that it is used up softly; what has no like stays unpaired.
    """
    before, after = np.ascontiguousarray(first.shades.T)[:, :, None], np.ascontiguousarray(second.shades.T)[:, None]
    apart, doubt = after - before, _doubt(before) ** 2 + _doubt(after) ** 2
    plan = np.zeros(apart.shape[1:])
    for width in WIDTHS:
        sure = 1 / (width**2 + doubt)
        alike = np.exp(-((apart - gain[:, None, None]) ** 2 * sure).sum(0) / 2)
        plan = _paired(alike, first.weights, second.weights)
        heard = plan * sure
        gain = np.einsum("kij,kij->k", heard, apart) / np.maximum(heard.sum((1, 2)), 1e-12)
    return gain, plan


def _paired(alike: Floats, first: Floats, second: Floats) -> Floats:
    """How much of each shade goes to each (S, S'), of shares (S,) and (S',), given how alike they are."""
    columns = np.ones(len(second))
    for _ in range(ROUNDS):
        rows = (first / np.maximum(alike @ columns, 1e-30)) ** STRICT
        columns = (second / np.maximum(rows @ alike, 1e-30)) ** STRICT
    return np.asarray(rows[:, None] * alike * columns)


def _doubt(shades: Floats) -> Floats:
    """How far each channel of shades (3, ...) in log2 may be off, in EV: by noise, where it is dark, and where it is weak beside
    the others by what leaks from them, since no light changes red, green and blue quite apart."""
    light = 2.0**shades
    return np.asarray(np.log2(1 + (NOISE + LEAK * light.max(0)) / light))


def _climbed(centres: Floats, points: Floats, heavy: Floats, width: float) -> Floats:
    """Centres (N, 3) one step up the density of the points (mean shift)."""
    near = _kernel(centres, points, width) * heavy
    return np.asarray(near @ points / np.maximum(near.sum(1, keepdims=True), 1e-12))


def _kernel(centres: Floats, points: Floats, width: float) -> Floats:
    away = (centres**2).sum(-1)[:, None] + (points**2).sum(-1)[None] - 2 * centres @ points.T
    return np.asarray(np.exp(-np.maximum(away, 0) / (2 * width**2)))


def belief(gains: Floats) -> Floats:
    """How likely gains (N, 3) in log2 are by themselves: light changes in level and warmth, hardly towards green."""
    return np.asarray(-((gains @ AXES.T / REACH) ** 2).sum(-1) / 2)
