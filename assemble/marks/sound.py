"""The mark in synthetic sound: small, even changes of loudness in narrow bands, by a pattern that carries the id of the film.

    marked = mark_sound(samples, ident)        # (samples,) or (samples, channels) float32 at 48 kHz
    hear(marked).ident

A cell is a band of 94 Hz for 43 ms, made a little louder or softer; the pattern of 32 x 128 cells, up to 12.6 kHz, repeats every
1.4 s, so any few seconds hold it. Silence stays silent, and what masks a sound masks its mark. Loudness by band is what
codecs keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from assemble.errors import AssembleError
from assemble.marks.pattern import KEY
from assemble.marks.payload import BITS, DATA, Soft, codeword, decode, fill, match, stream, threshold

RATE = 48_000
WINDOW, HOP = 2048, 512
SLOT = WINDOW  # samples of a cell
SLOTS, BANDS, WIDE, FIRST = 32, 128, 4, 24  # a pattern in time and frequency; bins of a band, and the first one (563 Hz)
CELLS, SYNC = SLOTS * BANDS, 1024
DECIBEL, STRONGEST, SYNC_GAIN = 1.2, 3.0, 1.2
"""Root mean square of the change, and as multiples of it the most that a bit and what the sync gets."""
FLOOR = 1e-8
"""Power (full scale is 1) under which a cell is silence and says nothing."""
BEST = 4
"""Places where the sync is loudest that are read."""
BLIND = threshold(2.0**DATA, BEST)

Samples = npt.NDArray[np.float32]
Cells = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hearing:
    """The best reading of a sound mark; the fields are those of the picture's `Sight`."""

    verdict: str
    ident: str | None
    sync: float
    score: float


def mark_sound(samples: Samples, ident: str, key: str = KEY) -> Samples:
    """The sound with the mark of a film, of the same shape: (n,) or (n, channels) float32, 48 kHz, full scale 1.

    Raises AssembleError for samples of another kind. A part of under 1.4 s carries less than one whole pattern.
    """
    return mark_stems([samples], ident, key)[0]


def mark_stems(stems: Sequence[Samples], ident: str, key: str = KEY) -> list[Samples]:
    """As `mark_sound`, of sounds of one shape that are heard together: how strongly each bit is written depends on what all of
    them say against it."""
    for samples in stems:
        if samples.dtype != np.float32 or samples.ndim not in (1, 2):
            raise AssembleError(
                f"sound is {samples.dtype} of shape {samples.shape}", mend="Give float32 of (n,) or (n, channels)."
            )
    mix: Samples = np.asarray(np.sum(stems, axis=0), np.float32)
    if len(mix) < WINDOW:
        return [samples.copy() for samples in stems]
    bit, sign, counts = _places(key)
    wanted = np.append(codeword(ident), 1).astype(np.float64)
    readings, heard = _read(_fold(_cells(mix, 0)), bit, sign)
    _, weights = _read(np.ones(CELLS), bit, np.ones(CELLS))
    unit = DECIBEL * heard  # what the mark alone would bring to a reading of so many periods
    gains = fill(wanted * readings / (weights * unit + 1e-9), counts, 1.0, STRONGEST, SYNC_GAIN)
    decibels = DECIBEL * (sign * (wanted * gains)[bit]).reshape(SLOTS, BANDS)
    return [_turned(samples, decibels) for samples in stems]


def hear(samples: Samples, known: Sequence[str] = (), key: str = KEY) -> Hearing:
    """The mark in sound of the shape that `mark_sound` takes; `known` are the ids of the ledger."""
    best = Hearing("", None, 0.0, 0.0)
    for peak, soft in heard(folded(samples), key):
        hearing = _judged(soft, known, peak)
        if (bool(hearing.verdict), hearing.score) > (bool(best.verdict), best.score):
            best = hearing
    return best


def folded(samples: Samples) -> list[Cells]:
    """(SLOTS, BANDS) for each of the places where a slot may begin: what no key changes. Nothing for too short a sound."""
    if len(samples) < 2 * WINDOW:
        return []
    return [_fold(_cells(samples, offset))[0] for offset in range(0, SLOT, HOP)]


def heard(folds: Sequence[Cells], key: str = KEY) -> list[tuple[float, Soft]]:
    """How loud the sync is, and the readings of the bits, at the BEST places, loudest first."""
    bit, sign, _ = _places(key)
    sync = np.where(bit == BITS, sign, 0).reshape(SLOTS, BANDS)
    places = []
    for cells in folds:
        loud = np.fft.irfft((np.fft.rfft(cells, axis=0) * np.conj(np.fft.rfft(sync, axis=0))).sum(axis=1), n=SLOTS)
        spread = float(np.sqrt(np.mean(cells**2) * SYNC)) + 1e-12
        places += [(float(loud[shift]) / spread, shift, cells) for shift in range(SLOTS)]
    places.sort(key=lambda each: -each[0])
    return [
        (peak, _read((np.roll(cells, -shift, axis=0), 1.0), bit, sign)[0][:BITS]) for peak, shift, cells in places[:BEST]
    ]


def _judged(soft: Soft, known: Sequence[str], sync: float) -> Hearing:
    ident, score = decode(soft)
    if score >= BLIND:
        return Hearing("blind", ident, sync, score)
    if known:
        score, ident = max((match(soft, each), each) for each in known)
        if score >= threshold(len(known), BEST):
            return Hearing("matched", ident, sync, score)
    return Hearing("", None, sync, score)


@lru_cache(maxsize=4)
def _places(key: str) -> tuple[npt.NDArray[np.int64], Cells, npt.NDArray[np.int64]]:
    """The bit of each cell (BITS for the sync), its sign, and how many cells each bit has."""
    order = np.argsort(stream(key, "sound places", CELLS), kind="stable")
    bit = np.full(CELLS, BITS)
    bit[order[SYNC:]] = np.arange(CELLS - SYNC) % BITS
    sign = np.where(stream(key, "sound signs", CELLS) & 1, 1.0, -1.0)
    return bit, sign, np.bincount(bit, minlength=BITS + 1)


def _cells(samples: Samples, offset: int) -> Cells:
    """(slots, BANDS): by how many decibels each cell is louder than those around it; 0 where it is silent."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    mono = np.concatenate([np.zeros(HOP, np.float32), mono[offset:], np.zeros(HOP, np.float32)])
    count = max(0, (len(mono) - 2 * HOP) // SLOT)
    window = np.hanning(WINDOW).astype(np.float32)
    power = np.zeros((count, BANDS))
    for part in range(3):  # the cell itself, and a quarter of it earlier and later
        starts = part * HOP
        frames = mono[starts : starts + count * SLOT].reshape(count, SLOT) * window
        bins = np.abs(np.fft.rfft(frames, axis=1)[:, FIRST : FIRST + BANDS * WIDE]) ** 2
        power += (1, 2, 1)[part] / 4 * bins.reshape(count, BANDS, WIDE).mean(axis=2) / (WINDOW * 0.375)
    if count == 0:
        return power
    from cv2 import BORDER_REFLECT, blur

    level = 10 * np.log10(power + FLOOR)
    around = blur(blur(level, (5, 7), borderType=BORDER_REFLECT), (5, 3), borderType=BORDER_REFLECT)
    return np.asarray(np.where(power > 4 * FLOOR, np.clip(level - around, -9, 9), 0.0))


def _fold(cells: Cells) -> tuple[Cells, float]:
    """(SLOTS, BANDS): the sum over all periods; and how many periods of sound there are (silence does not count)."""
    whole = np.pad(cells, ((0, -len(cells) % SLOTS), (0, 0)))
    return whole.reshape(-1, SLOTS, BANDS).sum(axis=0), float(np.count_nonzero(cells)) / CELLS


def _read(
    folded: tuple[Cells, float] | Cells, bit: npt.NDArray[np.int64], sign: Cells
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | float]:
    """The readings (BITS + 1,) of all bits and last the sync, and what came along with the cells."""
    cells, rest = (
        folded if isinstance(folded, tuple) else (folded, np.bincount(bit, minlength=BITS + 1).astype(np.float64))
    )
    return np.bincount(bit, weights=sign * cells.ravel(), minlength=BITS + 1).astype(np.float64), rest


def _turned(samples: Samples, decibels: Cells) -> Samples:
    """The samples with each cell louder by its decibels, through windows that overlap by half and add up to one."""
    half = WINDOW // 2
    window = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW).astype(np.float32)
    gains = np.ones((SLOTS, half + 1), np.float32)
    gains[:, FIRST : FIRST + BANDS * WIDE] = np.repeat(10 ** (decibels / 20), WIDE, axis=1)
    sound = samples[:, None] if samples.ndim == 1 else samples
    out = np.zeros((len(sound) + 2 * WINDOW, sound.shape[1]), np.float32)
    padded = np.pad(sound, ((half, 2 * WINDOW), (0, 0)))
    for number, start in enumerate(range(0, len(sound) + half, half)):
        bins = np.fft.rfft(padded[start : start + WINDOW] * window[:, None], axis=0)
        # Window k begins half a window before sample k * half: its middle lies in slot k / 2.
        turned = np.fft.irfft(bins * gains[number // 2 % SLOTS][:, None], n=WINDOW, axis=0)
        out[start : start + WINDOW] += turned.astype(np.float32) * window[:, None]
    return np.ascontiguousarray(out[half : half + len(sound)].reshape(samples.shape))
