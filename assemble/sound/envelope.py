"""How loud a voice is from frame to frame, and how far a mouth lags behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assemble.sound.waves import RATE, Wave

LOUD = 0.9  # what a line's loud syllables come to
CONTRAST = 1.5  # deepens the dips between syllables to those of the loudness that toon learned to move mouths by
FLOOR = 0.08  # loudness under it is a shut mouth
REACH = 0.5  # seconds that a mouth is looked for around its voice
CLEAR = 0.3  # least correlation at which a lag means something
FEWEST = 8  # frames that tell of a mouth


@dataclass(frozen=True)
class Lag:
    """How far a mouth is behind its voice: `seconds` (before it when negative), and the correlation there, -1..1.

    `frames` counts those in which the mouth was seen. `seconds` is None when the mouth does not follow the voice clearly.
    `span` are the least and the greatest lag that the frames cannot tell from it.
    """

    seconds: float | None
    correlation: float
    frames: int
    span: tuple[float, float] | None = None


def levels(sound: Wave, start: float, frames: int, fps: float) -> npt.NDArray[np.float32]:
    """Loudness 0..1 of each of `frames` frames, of a line that starts `start` seconds after the first one begins.

    It is the root mean square over each frame's own time, as a share of what the line's louder syllables have, to the power
    of CONTRAST. Those syllables come near 1, pauses are 0, and the mean while somebody speaks is about a half.
    """
    out = np.zeros(frames, np.float32)
    power = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64).mean(axis=1))])
    edges = np.clip(np.round((np.arange(frames + 1) / fps - start) * RATE), 0, len(sound)).astype(int)
    root = np.sqrt(np.diff(power[edges]) / (RATE / fps))
    heard = root[root > 0]
    if len(heard):
        out[:] = np.clip(LOUD * (root / max(float(np.percentile(heard, 90)), 1e-6)) ** CONTRAST, 0, 1)
    out[out < FLOOR] = 0
    return out


def lag(openings: npt.ArrayLike, loudness: npt.ArrayLike, fps: float) -> Lag:
    """The lag at which a mouth's openings correlate best with a loudness of the same frames (Pearson), within half a second.

    openings: one number a frame, NaN where no mouth was seen; any scale, more is wider. The peak is refined between frames
    by the parabola through its neighbours; the span holds all around it that is within one standard error of its correlation,
    (1 - r^2) / sqrt(n - 2).
    """
    mouth, voice = np.asarray(openings, np.float64), np.asarray(loudness, np.float64)
    mouth, voice = mouth[: len(voice)], voice[: len(mouth)]
    seen = int(np.isfinite(mouth).sum())
    reach = min(round(REACH * fps), max(0, len(mouth) // 3))
    scores = {shift: _pearson(mouth, voice, shift) for shift in range(-reach, reach + 1)}
    best = max(scores, key=lambda shift: (scores[shift], -abs(shift)))
    correlation = round(scores[best], 3)
    if seen < FEWEST or correlation < CLEAR:
        return Lag(None, correlation, seen)
    shift = float(best)
    if abs(best) < reach:
        left, middle, right = scores[best - 1], scores[best], scores[best + 1]
        bend = left - 2 * middle + right
        shift += 0.5 * (left - right) / bend if bend < 0 else 0.0
    error = (1 - scores[best] ** 2) / (seen - 2) ** 0.5
    low = high = best
    while scores.get(low - 1, -1.0) >= scores[best] - error:
        low -= 1
    while scores.get(high + 1, -1.0) >= scores[best] - error:
        high += 1
    return Lag(round(shift / fps, 3), correlation, seen, (round(low / fps, 3), round(high / fps, 3)))


def _pearson(mouth: npt.NDArray[np.float64], voice: npt.NDArray[np.float64], shift: int) -> float:
    """Correlation of the mouth with the voice `shift` frames earlier."""
    count = len(mouth)
    late = mouth[max(0, shift) : count + min(0, shift)]
    early = voice[max(0, -shift) : count + min(0, -shift)]
    there = np.isfinite(late)
    if there.sum() < FEWEST:
        return 0.0
    one, other = late[there] - late[there].mean(), early[there] - early[there].mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 1e-9 else 0.0
