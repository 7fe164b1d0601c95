"""The contrast of a place: how much wider, or flatter, the same colours are spread in another shot of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from assemble.colour import LUMINANCE, Floats
from assemble.lighting.palette import AGREEMENT, Palette, Shift, shift

SPREAD = 0.5  # EV (standard deviation) of a place's colours, below which its contrast cannot be told
BLACKS = (-0.06, -0.04, -0.025, -0.012, 0.0, 0.012, 0.025, 0.04, 0.06, 0.085)  # shares of white that are tried


def spread(first: Palette, second: Palette) -> tuple[float | None, Shift | None]:
    """How much wider or flatter the same colours are spread, and which match: under the black level, of those tried, at which
    most of them agree."""
    levels = np.log2((2.0**first.colours) @ LUMINANCE)
    if float(first.shares @ (levels - first.shares @ levels) ** 2) < SPREAD**2:
        return None, None
    tried = [shift(first.moved(partial(_lifted, black)), second) for black in BLACKS]
    # No black level at all is the likeliest, and a small one likelier than a large.
    votes = [each.agreement - 2 * abs(black) - 0.05 * (black != 0) for each, black in zip(tried, BLACKS, strict=True)]
    best = int(np.argmax(votes))
    if tried[best].agreement < AGREEMENT:
        return None, None
    if BLACKS[best] == 0:
        return 1.0, tried[best]
    pairs = replace(tried[best], before=_lifted(-BLACKS[best], tried[best].before))
    x, y = (np.log2((2.0**colours) @ LUMINANCE) for colours in (pairs.before, pairs.after))
    weights = pairs.weights / pairs.weights.sum()
    x, y = x - weights @ x, y - weights @ y
    return float(weights @ (x * y) / max(weights @ x**2, 1e-9)), pairs


def _lifted(black: float, colours: Floats) -> Floats:
    """Colours in log2 with a black level added."""
    return np.asarray(np.log2(np.maximum(2.0**colours + black, 2.0**-12)))
