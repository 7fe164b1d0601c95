"""The bed under a scene: a file of the user's, looped, or a synthetic tone of the place, always the same for the same place."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assemble.errors import AssembleError
from assemble.sound.loudness import amplified, measure
from assemble.sound.waves import RATE, Wave, read_sound

_KINDS = {  # the words of a place that tell what it sounds like, the more telling first
    "sea": "sea|beach|ocean|shore|coast|cliffs?|rocks?|harbou?r|pier|bay|island|boat|deck|waves?|dunes?",
    "forest": "forest|woods?|jungle|grove|park|garden|meadow|orchard|clearing|river|lake",
    "street": "streets?|city|town|road|market|square|alley|bridge|station|car|bus|village",
}
LEVELS = {"interior": -54.0, "sea": -44.0, "forest": -50.0, "street": -47.0, "outside": -50.0}
"""Root mean square in dB of full scale, under dialogue at -23 LUFS: a room is felt rather than heard, the sea is there."""
GIVEN = -40.0  # LUFS that a user's file comes to, which is where the louder of these lie
CLIP = -26.0  # LUFS that a clip's own sound comes to: it may hold speech
SEAM = RATE // 2  # samples over which a bed's end blends into its beginning
_Signal = npt.NDArray[np.float64]


def kind_of(place: str, interior: bool) -> str:
    """What a place sounds like: one of LEVELS."""
    if interior:
        return "interior"
    said = place.casefold()
    return next((kind for kind, words in _KINDS.items() if re.search(rf"\b(?:{words})\b", said)), "outside")


def tone(place: str, interior: bool, night: bool, samples: int) -> Wave:
    """Synthetic ambience of so many samples. The same place and hour give the same sound, whatever the length."""
    kind = kind_of(place, interior)
    seed = hashlib.sha256(f"{place.casefold()}:{kind}:{night}".encode()).digest()
    rng = np.random.default_rng(list(seed))
    period = 16 * RATE + SEAM  # long enough that no pattern is noticed; longer beds loop it
    drawn = {"interior": _room, "sea": _sea, "forest": _forest, "street": _street, "outside": _wind}[kind](
        rng, period, night
    )
    drawn *= 10 ** (LEVELS[kind] / 20) / max(float(np.sqrt(np.mean(drawn**2))), 1e-12)
    return looped(drawn.T.astype(np.float32), samples)


def looped(sound: Wave, samples: int) -> Wave:
    """A bed of so many samples, the sound's end blending into its beginning as often as it takes."""
    if not len(sound) or samples <= len(sound):
        return np.pad(sound[:samples], ((0, max(0, samples - len(sound))), (0, 0)))
    seam = min(SEAM, len(sound) // 3)
    if not seam:
        return np.tile(sound, (-(-samples // len(sound)), 1))[:samples]
    rise = np.sin(np.linspace(0, np.pi / 2, seam, dtype=np.float32))[:, None]  # equal power: the halves are strangers
    joint = sound[-seam:] * rise[::-1] + sound[:seam] * rise
    body = np.concatenate([joint, sound[seam:-seam]])
    head = sound[: len(sound) - seam]
    rest = samples - len(head)
    return np.concatenate([head, np.tile(body, (-(-rest // len(body)), 1))[:rest]])


def clip_bed(path: Path, start: int, samples: int) -> Wave | None:
    """The sound that a clip brings, from sample `start` of a bed of so many; None when it brings none. It is not looped."""
    try:
        sound = read_sound(path)
    except AssembleError:
        return None  # the picture of this file was read: what is missing is its sound
    loudness = measure(sound).integrated
    if loudness is None:
        return None
    bed = np.zeros((samples, 2), np.float32)
    part = amplified(sound, CLIP - loudness)[: max(0, samples - start)]
    bed[start : start + len(part)] = part
    return bed


def recorded_bed(path: Path, samples: int) -> Wave:
    """A file of the user's as a bed of so many samples, at the loudness of a bed. Raises AssembleError as `read_sound` does."""
    sound = read_sound(path)
    loudness = measure(sound).integrated
    return looped(sound if loudness is None else amplified(sound, GIVEN - loudness), samples)


def _noise(rng: np.random.Generator, samples: int, low: float, high: float, slope: float) -> _Signal:
    """Two unlike channels of noise between two frequencies, its power falling by `slope` times 3 dB an octave; rms 1."""
    from scipy.fft import irfft, next_fast_len, rfftfreq

    length = next_fast_len(samples, real=True)
    hertz = rfftfreq(length, 1 / RATE)
    shape = np.where(hertz > 0, np.maximum(hertz, 1.0), 1.0) ** (-slope / 2)
    shape *= 1 / (1 + (low / np.maximum(hertz, 1e-3)) ** 4) / (1 + (hertz / high) ** 4)
    phase = rng.uniform(0, 2 * np.pi, (2, len(hertz)))
    out = irfft(shape * np.exp(1j * phase), length)[:, :samples]
    return np.asarray(out / np.sqrt(np.mean(out**2)), np.float64)


def _swell(rng: np.random.Generator, samples: int, hertz: float, depth: float) -> _Signal:
    """Slow ups and downs around 1, about `hertz` times a second."""
    knots = rng.uniform(1 - depth, 1 + depth, (2, max(4, round(samples / RATE * hertz * 2))))
    from scipy.interpolate import CubicSpline

    at = np.linspace(0, samples, knots.shape[1])
    return np.asarray(np.clip(CubicSpline(at, knots, axis=1)(np.arange(samples)), 0, None), np.float64)


def _room(rng: np.random.Generator, samples: int, night: bool) -> _Signal:
    return _noise(rng, samples, 40, 350, 1.6) + 0.15 * _noise(rng, samples, 300, 4000, 1.0)


def _sea(rng: np.random.Generator, samples: int, night: bool) -> _Signal:
    surf = _noise(rng, samples, 60, 900, 1.0) * _swell(rng, samples, 0.14, 0.75)
    foam = _noise(rng, samples, 1500, 9000, 0.5) * _swell(rng, samples, 0.14, 0.9) ** 2
    return surf + 0.3 * foam


def _forest(rng: np.random.Generator, samples: int, night: bool) -> _Signal:
    leaves = _noise(rng, samples, 300, 5000, 1.2) * _swell(rng, samples, 0.2, 0.5)
    time = np.arange(samples) / RATE
    if night:  # crickets: a high tone in pulses, one on each side
        pulses = [
            np.sin(2 * np.pi * hertz * time) * (np.sin(2 * np.pi * beat * time) > 0.6)
            for hertz, beat in ((4300, 13), (4750, 11))
        ]
        return leaves + 0.35 * np.stack(pulses)
    for _ in range(int(samples / RATE * 0.7)):  # birds: short whistles that bend
        at, length = int(rng.uniform(0, samples - RATE)), int(rng.uniform(0.06, 0.16) * RATE)
        inside = np.linspace(0, 1, length)
        hertz, bend = rng.uniform(2400, 4800), rng.uniform(-900, 900)
        whistle = np.sin(2 * np.pi * np.cumsum(hertz + bend * inside) / RATE) * np.sin(np.pi * inside) ** 2
        side = rng.uniform(0.15, 0.85)
        for again in range(int(rng.integers(1, 4))):
            begin = at + int(again * length * 1.4)
            part = whistle[: max(0, samples - begin)]
            leaves[:, begin : begin + len(part)] += 1.6 * np.outer((1 - side, side), part)
    return leaves


def _street(rng: np.random.Generator, samples: int, night: bool) -> _Signal:
    passing = _swell(rng, samples, 0.12 if night else 0.25, 0.85)
    return _noise(rng, samples, 45, 300, 1.4) * passing + 0.5 * _noise(rng, samples, 150, 2500, 1.3) * passing**2


def _wind(rng: np.random.Generator, samples: int, night: bool) -> _Signal:
    return _noise(rng, samples, 60, 700, 1.3) * _swell(rng, samples, 0.25, 0.7)
