"""Known faults, put into a shot of a faultless film in linear light; each knows its true number."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from benchmarks.lighting.films import Shot, drawn

# Bradford's cone response, for a change of white balance as an adapted eye sees it (ICC.1:2010, annex E).
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)

SEEN = 0.5  # CIEDE2000 from which on a pixel has changed


@dataclass(frozen=True)
class Fault:
    """A shot with a fault in it: the kind of finding that it must give, and the number."""

    shot: Shot
    kind: str
    value: float


def linear(frames: np.ndarray) -> np.ndarray:
    c = frames.astype(np.float32) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def coded(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    c = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(c * 255).astype(np.uint8)


def exposure(shot: Shot, ev: float = -0.5) -> Fault:
    """All of a shot darker."""
    return Fault(replace(shot, frames=coded(linear(shot.frames) * 2.0**ev)), "exposure", ev)


def white_balance(shot: Shot, mired: float = 50) -> Fault:
    """All of a shot warmer, as if lit by daylight of another colour temperature (CIE D illuminants, CIE 15)."""
    seen, made = _daylight(6504), _daylight(1e6 / (1e6 / 6504 + mired))
    cone = np.diag((BRADFORD @ made) / (BRADFORD @ seen))
    whole = np.linalg.inv(XYZ) @ np.linalg.inv(BRADFORD) @ cone @ BRADFORD @ XYZ
    return Fault(replace(shot, frames=coded(linear(shot.frames) @ whole.T.astype(np.float32))), "white balance", mired)


def ramp(shot: Shot, ev: float = 0.3) -> Fault:
    """Slowly brighter, from first frame to last, about its own level."""
    rise = 2.0 ** (np.linspace(-0.5, 0.5, len(shot.frames)) * ev)
    return Fault(replace(shot, frames=coded(linear(shot.frames) * rise[:, None, None, None])), "ramp", ev)


def flash(shot: Shot, ev: float = 0.4, length: int = 3) -> Fault:
    """Three brighter frames where the shot begins."""
    gain = np.ones(len(shot.frames))
    gain[:length] = 2.0**ev
    return Fault(replace(shot, frames=coded(linear(shot.frames) * gain[:, None, None, None])), "flash", ev)


def skin(shot: Shot, distance: float = 8.0, seed: int = 0) -> Fault:
    """The character that shows the most skin drawn with another, so that its pixels in the film are `distance` CIEDE2000 away
    (the median). Behind a full beard and sunglasses nobody would see it."""
    way = np.random.default_rng([seed, 62]).normal(size=3) * (0.6, 1.0, 1.0)
    way /= np.linalg.norm(way)

    def dressed(which: int, step: float, frames: int) -> Shot:
        who = shot.scene.parts[which].who
        colour = np.clip(np.array(who.skin) + way * step, 4, 251).astype(int)
        other = replace(who, skin=(int(colour[0]), int(colour[1]), int(colour[2])))
        parts = tuple(replace(part, who=other) if k == which else part for k, part in enumerate(shot.scene.parts))
        return drawn(shot.setting, replace(shot.scene, parts=parts), shot.names, frames)

    everybody = range(len(shot.scene.parts))
    bare = {which: _away(dressed(which, 0, 2), dressed(which, 45, 2), shot.names[which]) for which in everybody}
    which = max(everybody, key=lambda which: float((bare[which] > SEEN).mean()))
    name, low, high, plain = shot.names[which], 0.0, 90.0, dressed(which, 0, 2)
    for _ in range(9):
        step = (low + high) / 2
        near = _apart(plain, dressed(which, step, 2), name) < distance
        low, high = (step, high) if near else (low, step)
    made = dressed(which, low, len(shot.frames))
    return Fault(made, "skin", _apart(dressed(which, 0, len(shot.frames)), made, name))


def _apart(shot: Shot, other: Shot, name: str) -> float:
    """The median CIEDE2000 of a face's pixels that changed, in the middle frame."""
    away = _away(shot, other, name)
    return float(np.median(away[away > SEEN])) if (away > SEEN).any() else 0.0


def _away(shot: Shot, other: Shot, name: str) -> np.ndarray:
    """The CIEDE2000 of each pixel of a face in the middle frame."""
    middle = len(shot.frames) // 2
    face = next(each.face for each in shot.people[middle] if each.name == name)
    x0, y0, x1, y1 = (int(max(0, value)) for value in face or ())
    before, after = (each.frames[middle, y0:y1, x0:x1] for each in (shot, other))
    return np.asarray(deltaE_ciede2000(rgb2lab(before), rgb2lab(after)))


def night_as_day(shot: Shot) -> Fault:
    """A night shot drawn by daylight. Its number depends on the day shot that it is held against: see `around`."""
    return Fault(drawn(shot.setting, replace(shot.scene, time="day"), shot.names, len(shot.frames)), "change", 0.0)


def around(shot: Shot) -> float:
    """Mean luminance around the figures over all frames, in EV."""
    light, total = 0.0, 0
    for place, frame in enumerate(shot.frames):
        free = np.ones(frame.shape[:2], bool)
        for one in shot.people[place]:
            x0, y0, x1, y1 = (int(max(0, value)) for value in one.box)
            free[y0:y1, x0:x1] = False
        luminance = linear(frame[free]) @ XYZ[1]
        light, total = light + float(luminance.sum()), total + len(luminance)
    return float(np.log2(light / total))


def _daylight(kelvin: float) -> np.ndarray:
    """XYZ of the CIE D illuminant of a colour temperature of 4000 to 7000 K."""
    x = -4.6070e9 / kelvin**3 + 2.9678e6 / kelvin**2 + 0.09911e3 / kelvin + 0.244063
    y = -3.000 * x**2 + 2.870 * x - 0.275
    return np.array([x / y, 1.0, (1 - x - y) / y])
