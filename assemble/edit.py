"""The edit: clips that follow each other by cuts, dissolves and fades, as a stream of mixes.

A dissolve shows the end of one clip and the beginning of the next at once, so each makes the film shorter by its length.
Fades happen inside their clip and change no length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice

from assemble.errors import AssembleError
from assemble.rates import Mix, Rate


@dataclass(frozen=True)
class Join:
    """How a clip enters and leaves, in seconds; all 0 is a hard cut.

    dissolve: how long it and the clip before it are seen at once. A clip that is too short for that gets a shorter one.
    fade_in, fade_out: how long it takes to come from black, from its first frame on, and to go there, to its last.
    """

    dissolve: Rate = 0
    fade_in: Rate = 0
    fade_out: Rate = 0

    def __post_init__(self) -> None:
        for name, seconds in vars(self).items():
            if not 0 <= seconds < 3600:
                raise AssembleError(
                    f"a {name.replace('_', '-')} of {seconds} s cannot be made", mend="Ask for 0 s or more."
                )


@dataclass(frozen=True)
class Step:
    """One frame of the film. In the first of each clip `clip` is its number, from 0, and `overlap` the frames in which the
    clip before is still seen."""

    mix: Mix
    clip: int | None = None
    overlap: int = 0


def edited(clips: Iterable[Iterable[Mix]], joins: Sequence[Join], fps: Fraction) -> Iterator[Step]:
    """The film of all clips, of which each is taken to its end before the next one is begun.

    joins: one for each clip; clips past their end are cut. Held in memory are no more frames than the transitions last.
    """
    held: list[Mix] = []  # the end of the clip before, which the next one may dissolve into
    for number, clip in enumerate(clips):
        join = joins[number] if number < len(joins) else Join()
        following = joins[number + 1] if number + 1 < len(joins) else Join()
        flow = _risen(iter(clip), _frames(join.fade_in, fps))
        head = list(islice(flow, max(1, len(held))))
        if not head:
            raise AssembleError("it has no frames", where=f"clip {number + 1}", mend="Leave it out, or render it.")
        overlap = min(len(held), len(head))
        alone = len(held) - overlap
        yield from map(Step, held[:alone])
        crossed = [
            _scaled(old, 1 - Fraction(k, overlap + 1)) + _scaled(new, Fraction(k, overlap + 1))
            for k, (old, new) in enumerate(zip(held[alone:], head, strict=False), start=1)
        ]
        held = []
        rest = chain(head[overlap:], flow)
        body = _body(rest, _frames(following.dissolve, fps), _frames(join.fade_out, fps), held, not crossed)
        for index, mix in enumerate(chain(crossed, body)):
            yield Step(mix) if index else Step(mix, number, overlap)
    yield from map(Step, held)


def _body(rest: Iterator[Mix], hold: int, out: int, held: list[Mix], needed: bool) -> Iterator[Mix]:
    """A clip up to its last `hold` frames, which are left in `held` for the next dissolve. `needed` says that it must show at
    least one frame by itself, having shown none in a dissolve."""
    for mix in rest:
        held.append(mix)
        if len(held) > max(hold, out):
            needed = False
            yield held.pop(0)
    held[:] = _sunk(held, out)
    while len(held) > hold or (needed and held):
        needed = False
        yield held.pop(0)


def _frames(seconds: Rate, fps: Fraction) -> int:
    """A length in whole frames, at least one where it is not nothing."""
    return max(1, round(Fraction(seconds) * fps)) if seconds else 0


def _risen(flow: Iterator[Mix], length: int) -> Iterator[Mix]:
    """A clip that comes from black: its first frame is black, frame `length` the first that is not dimmed."""
    for index, mix in enumerate(islice(flow, length)):
        yield _scaled(mix, Fraction(index, length))
    yield from flow


def _sunk(end: list[Mix], length: int) -> list[Mix]:
    """The end of a clip that goes to black in its last `length` frames; the last one is black."""
    bright = len(end) - length
    return [mix if k < bright else _scaled(mix, Fraction(len(end) - 1 - k, length)) for k, mix in enumerate(end)]


def _scaled(mix: Mix, share: Fraction) -> Mix:
    return tuple((picture, weight * share) for picture, weight in mix)
