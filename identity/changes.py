"""Where in a clip somebody else takes a character's place, at once or little by little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LASTING = 3
"""Frames below the gate that make a change; fewer are a moment's uncertainty."""
OWN = 0.9
"""Quantile of a clip's likeness that stands for the character itself: it holds while the right one has a tenth of the clip."""


@dataclass(frozen=True)
class Change:
    """A stretch of a clip in which somebody else stands in a character's place: frames from `first` to before `end`,
    whether it comes at once (`sudden`) or the character turns into it, and the mean likeness of that stretch."""

    first: int
    end: int
    sudden: bool
    likeness: float

    def told(self, frames: int) -> str:
        """In words, for a clip of so many frames; they count from 1."""
        if not self.sudden:
            until = "" if self.end >= frames else f", until frame {self.end}"
            return f"turns into somebody else from frame {self.first + 1} on{until}"
        if self.first == 0:
            return f"somebody else until frame {self.end}"
        return f"somebody else from frame {self.first + 1} " + ("on" if self.end >= frames else f"to {self.end}")


def changes(values: NDArray[np.float64], unsure: NDArray[np.bool_], gate: float) -> tuple[Change, ...]:
    """The stretches of `values` (T,), the likeness of whoever stands in a character's place (NaN: nobody), in which that is
    somebody else.

    A one-sided cumulative sum (Page 1954) adds up how far each frame falls short of a line a third of the way from the
    character's own level in this clip down to the gate; single odd frames are first taken out. Where it passes the distance
    between the two a change is on. It began where the sum last was zero or, when it is slow, at the knee of the curve. It
    ends when LASTING frames in a row are above the line again, and counts when as many that are not `unsure` (T,) lie below
    the gate. A clip that is never above the gate has no change: all of it is somebody else.
    """
    there = np.flatnonzero(~np.isnan(values))
    known = _steady(values[there])
    level = min(1.0, float(np.quantile(known, OWN))) if len(known) else -np.inf
    if level < gate:
        return ()
    margin = max(level - gate, 1e-6)
    line = level - margin / 3
    found, total, start, place, since = [], 0.0, 0, 0, 0
    while place < len(known):
        start = place if total <= 0 else start
        total = max(0.0, total + line - float(known[place]))
        place += 1
        if total > margin:
            place, total = _over(known, place, line), 0.0
            below = np.flatnonzero(known[start:place] < gate)
            if (~unsure[there[start + below]]).sum() >= LASTING:
                first, sudden = _beginning(known[:place], since, start, start + int(below[0]), level)
                end = len(values) if place >= len(known) else int(there[place])
                found.append(Change(int(there[first]), end, sudden, round(float(known[first:place].mean()), 4)))
            since = place
    return tuple(found)


def _beginning(known: NDArray[np.float64], since: int, start: int, low: int, level: float) -> tuple[int, bool]:
    """Where a change began that left the level at `start` and fell under the gate at `low`, and whether it came at once: with
    one step of at least half the way from the level down to what it became. A change before it ended at `since`."""
    if low - start <= 1:  # a cut's own frame may be a blend of both
        return low, True
    steps = known[start:low] - known[start + 1 : low + 1]
    if steps.max() >= (level - float(np.median(known[low:]))) / 2:
        return start + 1 + int(steps.argmax()), True
    return since + _knee(known[since : low + 1]), False


def _knee(known: NDArray[np.float64]) -> int:
    """Where values (n,) that end low began to sink: the knee of the level line and then straight slope down that fit them best,
    by least squares."""
    after = np.arange(len(known) - 1, 0, -1.0)  # values after each place that the knee could be at
    mean = after * (after + 1) / 2 / len(known)  # of the ramp 0, ..., 0, 1, 2, ..., after
    spread = after * (after + 1) * (2 * after + 1) / 6 - len(known) * mean**2
    falls = np.cumsum(np.cumsum((known - known.mean())[:0:-1]))[::-1]  # each ramp times the values
    return int(np.argmax(np.where(falls < 0, falls**2 / spread, 0.0)))


def _over(known: NDArray[np.float64], place: int, line: float) -> int:
    """The first place from which on LASTING frames are above the line, or the end."""
    while place < len(known) and (known[place : place + LASTING] < line).any():
        place += 1
    return place


def _steady(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Medians over three frames, which leave a step where it is."""
    if len(values) < 3:
        return values
    inner = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([[np.median([values[0], *inner[:2]])], inner, [np.median([values[-1], *inner[-2:]])]])
