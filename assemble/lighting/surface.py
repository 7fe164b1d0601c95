"""A face or clothes under a light that is known by all else: by how much they themselves are another colour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assemble.colour import LUMINANCE, Floats, ciede2000, lab, stops
from assemble.lighting.look import Look
from assemble.lighting.palette import AGREEMENT, CLEAR, Palette, Shift, near, shift, unlike

SHADED, ROUND = 0.35, 0.12  # EV by which a face or a fold may be darker or lighter than the light and, if known, its head make it
LEVEL = 1.4  # standard deviation in EV of what is believed of a skin's level
WHITER, GREY = 1.5, 0.5  # EV by which the whites of the eyes are over a dark skin at least, and how far from grey at most
EYES, SUNK = (0.03, 0.4), 0.6  # share of a face that they may be, and EV by which light may differ there
PART = 0.2  # of a face, that is left over in both shots, to be compared by itself


class Off(NamedTuple):
    """By how much a region's colour is off, in CIEDE2000: all of it, and what is left if it may be shaded. `agreement` 0..1 says
    how clearly the region is the same, in another colour."""

    whole: float
    tint: float
    agreement: float


def shade_of(first: Look, second: Look, who: str, common: Floats) -> tuple[float, float]:
    """By how many EV a head is lighter in the second shot than the common gain (3,) in log2 makes it, as what of it is no skin
    tells: it turned to the light, or from it. And by how many a face may be off that; 0 and SHADED where nothing tells.

    Best tell the whites of the eyes, which are in the face itself, where its skin is too dark to be taken for them.
    """
    mine, other = (_eyes(look.skin[who]) for look in (first, second))
    if mine and other:
        shade = other[1] - mine[1] - stops(2.0**common)
        if abs(shade) <= SUNK:
            return shade, ROUND
    if who in first.heads and who in second.heads:
        hair = [unlike(look.heads[who], look.skin[who], np.zeros(3))[0] for look in (first, second)]
        found = near(hair[0], hair[1], common)
        shade = stops(found.gain / 2.0**common)
        if found.agreement >= AGREEMENT and abs(shade) <= SHADED:
            return shade, ROUND
    return 0.0, SHADED


def _eyes(face: Palette) -> tuple[Palette, float] | None:
    """A dark face without the whites of its eyes, and their luminance in EV under white; None where they cannot be told apart."""
    level = np.log2(2.0**face.shades @ LUMINANCE)
    order = np.argsort(level)
    least = WHITER + level[order][np.searchsorted(np.cumsum(face.weights[order]), face.weights.sum() / 2)]
    white, pale = (
        (np.log2(2.0**each @ LUMINANCE) > least) & (np.ptp(each, axis=1) < GREY) for each in (face.shades, face.colours)
    )
    share = float(face.weights[white].sum() / face.weights.sum())
    if not EYES[0] < share < EYES[1] or pale.all():
        return None
    skin = Palette(
        face.colours[~pale], face.shares[~pale] / face.shares[~pale].sum(),
        face.shades[~white], face.weights[~white] / face.weights[~white].sum(), face.clipped,
    )  # fmt: skip
    return skin, float(np.average(level[white], weights=face.weights[white]))


def changed(first: Palette, second: Palette, common: Floats, shade: float, doubt: float) -> Off:
    """By how much a face is off, once the common gain (3,) in log2 and the shade of its head in EV, give or take, are undone.

    One gain near to the common one mostly explains all of a face. Where it leaves much over in both, that is compared by itself,
    as the skin beside a beard: it has changed, if the one becomes the other under a gain that explains the face as well. Eyes
    that can be told from it are no skin.
    """
    eyes = _eyes(first), _eyes(second)
    if eyes[0] and eyes[1]:
        first, second = eyes[0][0], eyes[1][0]
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
