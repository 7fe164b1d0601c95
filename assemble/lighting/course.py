"""What the light does inside a shot: a slow ramp, a flash of a few frames, flicker.

It is told by the same colours from frame to frame, so that what comes into view does not count. A camera that pans misleads
even these, where it carries them through light that falls off; then the level of the whole picture must agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assemble.colour import Floats
from assemble.lighting.look import Look

FLASH = 4  # frames that a flash lasts at most
AROUND = 6  # frames beside it that say what the light is without it
SHORTEST = 2 * FLASH + 2  # frames of a shot in which anything of this can be told
STEP = 2  # frames beside one step of the light, as a lamp that goes out makes: that is no flicker
SHARE = 0.5  # of a flash in the colours that the level of the picture must show
FAINT = 0.1  # EV: a flash is told from the light beside it by this much


@dataclass(frozen=True)
class Flash:
    """Frames `first` to `last` of a shot, brighter (or, below 0, darker) by `ev` than those beside them."""

    first: int
    last: int
    ev: float


@dataclass(frozen=True)
class Course:
    """`ramp` EV and `drift` mired from the first frame to the last, `flicker` EV from frame to frame (root mean square), and
    the flashes; `measured` says whether the shot was long enough."""

    ramp: float
    drift: float
    flicker: float
    flashes: tuple[Flash, ...]
    measured: bool


def course(look: Look, pans: bool = False) -> Course:
    """What the light of a shot does, whose camera `pans` through light that falls off, or does not."""
    count = look.frames
    if count < SHORTEST:
        return Course(0.0, 0.0, 0.0, (), False)
    told = [flash for flash in (_head(look.ev), _tail(look.ev), *_inner(look.ev)) if flash]
    flashes = [flash for flash in told if not pans or _seen_in(look.levels, flash)]
    steady = np.ones(count, bool)
    for flash in flashes:
        steady[flash.first : flash.last + 1] = False
    rough = look.ev[1:-1] - (look.ev[:-2] + look.ev[2:]) / 2
    calm = np.sort(rough[steady[1:-1] & steady[:-2] & steady[2:]] ** 2)[:-STEP]
    # A frame of white noise of deviation s is off the mean of its neighbours by s times the root of 3/2.
    flicker = float(np.sqrt(calm.mean() / 1.5)) if len(calm) else 0.0
    ramp, level = _rise(look.ev, steady), _rise(look.levels, steady)
    if pans:
        ramp = min(ramp, level, key=abs) if ramp * level > 0 else 0.0
    return Course(ramp, _rise(look.mired, steady), flicker, tuple(flashes), True)


def _seen_in(levels: Floats, flash: Flash) -> bool:
    """Whether the level of the picture shows a flash, too."""
    beside = np.concatenate([levels[max(0, flash.first - 2) : flash.first], levels[flash.last + 1 : flash.last + 3]])
    away = float(np.median(levels[flash.first : flash.last + 1]) - beside.mean())
    return away * flash.ev > 0 and abs(away) >= SHARE * abs(flash.ev)


def _rise(values: Floats, steady: Floats) -> float:
    """How far values climb over all frames: by a straight line where they follow one, else from the first fifth to the last."""
    at = np.flatnonzero(steady)
    known = values[at]
    slope, _ = np.polyfit(at, known, 1)
    line = slope * (len(values) - 1)
    off = known - np.polyval(np.polyfit(at, known, 1), at)
    fifth = max(2, len(known) // 5)
    step = float(np.median(known[-fifth:]) - np.median(known[:fifth]))
    return float(line) if off.std() < 0.25 * known.std() or abs(line) < abs(step) else step


def _head(ev: Floats) -> Flash | None:
    """A flash with which the shot begins."""
    beside = ev[FLASH : FLASH + AROUND]
    slope = float(np.median(np.diff(ev[FLASH : FLASH + 2 * AROUND])))  # of a ramp, which is no flash
    usual = np.median(beside) + slope * (np.arange(len(ev)) - FLASH - (len(beside) - 1) / 2)
    away = (ev - usual)[:FLASH]
    spread = float(np.abs(ev - usual)[FLASH : FLASH + AROUND].max())
    last = -1
    while last + 1 < FLASH and away[last + 1] * away[0] > 0 and abs(away[last + 1]) > max(FAINT, 2 * spread):
        last += 1
    return None if last < 0 else Flash(0, last, float(np.median(away[: last + 1])))


def _tail(ev: Floats) -> Flash | None:
    """A flash with which the shot ends."""
    found = _head(ev[::-1])
    return None if found is None else Flash(len(ev) - 1 - found.last, len(ev) - 1 - found.first, found.ev)


def _inner(ev: Floats) -> list[Flash]:
    """Flashes with calm frames on both sides."""
    found, place = [], 1
    while place < len(ev) - 1:
        for length in range(1, FLASH + 1):
            before, after = ev[max(0, place - 2) : place], ev[place + length : place + length + 2]
            beside = np.concatenate([before, after])
            if len(before) < 2 or len(after) < 2 or np.ptp(beside) > FAINT / 2:
                continue
            away = ev[place : place + length] - beside.mean()
            if (np.abs(away) > FAINT).all() and (np.sign(away) == np.sign(away[0])).all():
                found.append(Flash(place, place + length - 1, float(np.median(away))))
                place += length
                break
        place += 1
    return found
