"""A face or clothes under a light that is known by all else: by how much they themselves are another colour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assemble.colour import Floats, ciede2000, lab, stops
from assemble.lighting.look import Look
from assemble.lighting.palette import AGREEMENT, CLEAR, Palette, Shift, near, shift, unlike

SHADED, ROUND = 0.35, 0.12  # EV by which a face or a fold may be darker or lighter than the light and, if known, its head make it
LEVEL = 1.4  # standard deviation in EV of what is believed of a skin's level
PART = 0.2  # of a face, that is left over in both shots, to be compared by itself


class Off(NamedTuple):
    """By how much a region's colour is off, in CIEDE2000: all of it, and what is left if it may be shaded. `agreement` 0..1 says
    how clearly the region is the same, in another colour."""

    whole: float
    tint: float
    agreement: float


def shade_of(first: Look, second: Look, who: str, common: Floats) -> tuple[float, float]:
    """By how many EV a head is lighter in the second shot than the common gain (3,) in log2 makes it, as what of it is no skin
    tells: it turned to the light, or from it. And by how many a face may be off that; 0 and SHADED where nothing tells."""
    if who in first.heads and who in second.heads:
        mine, other = (unlike(look.heads[who], look.skin[who], np.zeros(3))[0] for look in (first, second))
        found = near(mine, other, common)
        shade = stops(found.gain / 2.0**common)
        if found.agreement >= AGREEMENT and abs(shade) <= SHADED:
            return shade, ROUND
    return 0.0, SHADED


def changed(first: Palette, second: Palette, common: Floats, shade: float, doubt: float) -> Off:
    """By how much a face is off, once the common gain (3,) in log2 and the shade of its head in EV, give or take, are undone.

    One gain near to the common one mostly explains all of a face. Where it leaves much over in both, that is compared by itself,
    as the skin beside a beard: it has changed, if the one becomes the other under a gain that explains the face as well.
    """
    whole = near(first, second, common)
    mine, other, share = unlike(first, second, common)
    if share >= PART:
        part = shift(mine, other)
        # What is left over lacks where both overlap: the whole tells the gain better, once it is known about where.
        better = near(first, second, np.log2(part.gain))
        if part.agreement >= CLEAR and _likelihood(better, common + shade) >= _likelihood(whole, common + shade):
            whole = better
    return off(whole, 2.0 ** (common + shade), doubt)


def _likelihood(each: Shift, expected: Floats) -> float:
    """How likely a gain is, as a logarithm: a face with a light and a dark side agrees as well with one taken for the other."""
    level = stops(each.gain / 2.0**expected)
    return float(np.log(each.agreement + 1e-9) - (level / LEVEL) ** 2 / 2)


def off(each: Shift, common: Floats, doubt: float = SHADED) -> Off:
    """Between a region's colour before, and after with the common gain undone, give or take so many EV."""
    weights = each.weights / each.weights.sum()
    before, own = 2.0 ** (weights @ each.before), each.gain / common
    shade = np.clip(stops(own), -doubt, doubt)
    whole, tint = (float(ciede2000(lab(before), lab(before * gain))) for gain in (own, own * 2.0**-shade))
    return Off(whole, tint, each.agreement)
