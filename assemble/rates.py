"""Rates: how many frames a second, and how frames of one rate become frames of another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil, floor
from typing import Any

from assemble.errors import AssembleError

Rate = int | float | Fraction
"""Frames a second."""

Mix = tuple[tuple[Any, Fraction], ...]
"""One frame of a film before it is made: pictures, each with its share of the light. What is missing to 1 is black."""

BLENDED = Fraction(6, 5)
"""From so many times the rate on, a rate that is no whole multiple is reached by blending. Under it (24 to 25) a frame that is
shown twice each second is seen less than the softness that would come and go."""


def rate(fps: Rate) -> Fraction:
    """Frames a second as a fraction that a file can hold, 23.976 as 24000/1001 and the like."""
    exact = Fraction(fps).limit_denominator(1001) if fps > 0 else Fraction(0)
    broadcast = Fraction(round(fps) * 1000, 1001)
    if exact.denominator > 1 and abs(broadcast - exact) < Fraction(1, 1000):
        exact = broadcast
    if not 0 < exact <= 1000:
        raise AssembleError(f"{fps} frames a second is not a rate of a film", mend="Ask for a rate of 1 to 1000.")
    return exact


def blends(have: Fraction, want: Fraction) -> bool:
    """Whether frames at rate `have` are blended to reach `want`: 16 to 24, but not 12 to 24 and not 30 to 24."""
    return want >= have * BLENDED and (want / have).denominator > 1


class Pace:
    """The clock of a film of `want` frames a second, over one clip after the other.

    A whole multiple of a clip's rate repeats each frame so often. Where `blends` says so, each frame of the film shows what an
    open shutter would have seen of the clip's: at 16 to 24 every third is half of one and half of the next, and motion stays
    even. Else the frame in the middle of the tick is shown. Ends are rounded over all clips together, so that no
    error adds up: after any clip the film is within half a frame of the sum of their lengths.
    """

    def __init__(self, want: Fraction) -> None:
        self.want = want
        self.end = Fraction(0)  # of the last clip, in seconds

    def __call__(self, frames: Iterable[Any], have: Fraction, longest: Fraction | None = None) -> Iterator[Mix]:
        """The frames of a clip at rate `have` on the film's clock, at most `longest` seconds of them. They are to be taken to
        their end before the next clip's."""
        step, blend = have / self.want, blends(have, self.want)
        recent: deque[Any] = deque(maxlen=ceil(step) + 1)
        count = tick = 0
        start = self.end
        for frame in frames:
            recent.append(frame)
            count += 1
            while (tick + 1) * step <= count and (longest is None or tick < self._ticks(start, longest)):
                yield _seen(recent, count, tick, step, blend)
                tick += 1
        seconds = count / have if longest is None else min(count / have, longest)
        self.end = start + seconds
        for last in range(tick, max(self._ticks(start, seconds), 1) if count else 0):
            yield _seen(recent, count, last, step, blend)

    def _ticks(self, start: Fraction, seconds: Fraction) -> int:
        """Frames of the film in so many seconds from `start` on."""
        half = Fraction(1, 2)
        return floor((start + seconds) * self.want + half) - floor(start * self.want + half)


def on_clock(
    frames: Iterable[tuple[Any, Fraction, Fraction]], fps: Fraction, start: Fraction, end: Fraction | None
) -> Iterator[Any]:
    """Frames, each with its time and its duration in seconds, as a screen of `fps` shows them from `start` to before `end`.

    Frame k is what is shown in the middle of tick k: uneven recordings repeat or drop frames and keep their speed. The last
    frame of all stays for its duration.
    """
    shown, tick, until = None, 0, start
    for frame, at, duration in frames:
        while shown is not None and (tick + Fraction(1, 2)) / fps < at - start:
            if end is not None and (tick + Fraction(1, 2)) / fps >= end - start:
                return
            yield shown
            tick += 1
        shown, until = frame, at + duration
    until = until if end is None else min(until, end)
    while shown is not None and (tick + Fraction(1, 2)) / fps < until - start:
        yield shown
        tick += 1
    if shown is not None and tick == 0 and until > start:
        yield shown


def _seen(recent: deque[Any], count: int, tick: int, step: Fraction, blend: bool) -> Mix:
    """What a tick shows of the last frames, of which `recent[-1]` is number `count` - 1."""

    def frame(index: int) -> Any:
        return recent[max(min(index, count - 1) - count, -len(recent))]

    low, high = tick * step, (tick + 1) * step
    first, last = floor(low), ceil(high) - 1
    if not blend or last == first or last > count - 1:
        return ((frame(floor(low + step / 2) if not blend else first), Fraction(1)),)
    return ((frame(first), (last - low) / step), (frame(last), (high - last) / step))
