"""What a system takes in one request, and how a story is parted so that every part fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from assemble.requests.story import Person, Shot, Story, people_of

UPLOAD = "upload the files that it names by file:// yourself, and put their new addresses there"
SLACK = 1.15  # by so much a shape may differ from one that a system makes; the rest is cropped


@dataclass(frozen=True)
class Bounds:
    """The limits of one request. Seconds are of all its shots together, where `shot_...` are of each; None is no limit known.

    whole: seconds must be whole numbers. prompt: characters of the longest text. people: characters of the story.
    pictures: in all; each: (fewest, most) of one character. shapes: width to height, by the system's own name.
    """

    system: str
    shots: int | None = None
    shortest: float = 0.0
    longest: float | None = None
    shot_shortest: float = 0.0
    shot_longest: float | None = None
    whole: bool = False
    people: int | None = None
    pictures: int | None = None
    each: tuple[int, int] = (0, 0)
    prompt: int | None = None
    shapes: tuple[tuple[str, float], ...] = ()


@dataclass
class Compiled:
    """Requests for one system: `files` are JSON data by file name. With `faults` it would refuse them, and there are none.

    Faults say what does not fit and what to change; notes what was changed, or is left for a person to do.
    seconds: of video that is asked for in all.
    """

    system: str
    files: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    requests: int = 0

    def fault(self, what: str) -> None:
        """Note once that something does not fit."""
        if what not in self.faults:
            self.faults.append(what)

    def note(self, what: str) -> None:
        """Note something once."""
        if what not in self.notes:
            self.notes.append(what)

    def done(self) -> Compiled:
        """Itself, without files when it has faults."""
        if self.faults:
            self.files.clear()
        return self


def lengths(shots: Sequence[Shot], bounds: Bounds) -> list[float]:
    """The seconds of each shot as the system can be asked for them: where they must be whole, the nearest number from one on,
    and for shots in which someone speaks never a lower one."""
    if not bounds.whole:
        return [shot["seconds"] for shot in shots]
    return [
        max(1.0, math.ceil(shot["seconds"]) if shot["lines"] else math.floor(shot["seconds"] + 0.5)) for shot in shots
    ]


def parted(story: Story, bounds: Bounds, made: Compiled) -> list[list[Shot]]:
    """The shots in as few requests as fit, never across sequences. Notes how it was done, and what fits nowhere."""
    parts = []
    for sequence in sorted({shot["sequence"] for shot in story["shots"]}):
        shots = [shot for shot in story["shots"] if shot["sequence"] == sequence]
        for shot, seconds in zip(shots, lengths(shots, bounds), strict=True):
            _one(shot, seconds, bounds, made)
        best = _fewest(shots, story, bounds)
        if best is None:
            _refuse(shots, story, bounds, made)
            best = [shots]
        elif len(best) > 1:
            cut = ", ".join(_span(part) for part in best)
            made.note(f"sequence {sequence} does not fit in one request, so it is {len(best)}: {cut}")
        parts += best
    return parts


def shape(story: Story, bounds: Bounds, made: Compiled) -> str:
    """The system's name of the film's shape. A fault when it makes none that is near."""
    width, height = story["size"]
    name, ratio = min(bounds.shapes, key=lambda each: abs(math.log(each[1] * height / width)))
    if abs(math.log(ratio * height / width)) > math.log(SLACK):
        known = ", ".join(name for name, _ in bounds.shapes)
        made.fault(
            f"the film is {width}x{height}, and {bounds.system} makes {known}: give the script a size of such a shape"
        )
    return name


def total(shots: Sequence[Shot]) -> float:
    """The seconds of shots together."""
    return round(sum(shot["seconds"] for shot in shots), 3)


def whole(shots: Sequence[Shot], made: Compiled) -> int:
    """The seconds of shots together, as a whole number that cuts nothing off."""
    seconds = total(shots)
    if seconds != math.ceil(seconds):
        made.note(f"{seconds:g} s are asked for as {math.ceil(seconds)} s, as it takes whole seconds")
    return math.ceil(seconds)


def pictures_of(people: Sequence[Person], bounds: Bounds, made: Compiled) -> list[list[str]]:
    """The pictures of each character that go into a request, as many of each. A fault where one has too few."""
    fewest, most = bounds.each
    share = most if bounds.pictures is None else min(most, bounds.pictures // max(1, len(people)))
    for person in people:
        count = len(person["pictures"])
        if count < fewest:
            has = f"{count} picture{'s' * (count != 1)}" if count else "no picture"
            wants = f"{fewest} to {most}" if most > fewest else str(fewest)
            made.fault(f"{person['name']} has {has}, and {bounds.system} wants {wants}: add some")
    return [person["pictures"][:share] for person in people]


def prompted(text: str, where: str, bounds: Bounds, made: Compiled) -> str:
    """The text itself. A fault when it is too long."""
    if bounds.prompt is not None and len(text) > bounds.prompt:
        made.fault(
            f"{where}: the prompt has {len(text)} characters, {bounds.prompt} fit: shorten the action, the looks or the style"
        )
    return text


def _one(shot: Shot, seconds: float, bounds: Bounds, made: Compiled) -> None:
    number = shot["number"]
    if seconds != shot["seconds"]:
        made.note(f"shot {number}: {shot['seconds']:g} s becomes {seconds:g} s, as it takes whole seconds")
    if seconds < bounds.shot_shortest:
        made.fault(f"shot {number} has {shot['seconds']:g} s: give it {bounds.shot_shortest:g} s or more")
    longest = min(filter(None, (bounds.shot_longest, bounds.longest)), default=None)
    if longest is not None and seconds > longest:
        made.fault(
            f"shot {number} has {shot['seconds']:g} s, {longest:g} s is the most: split it, or give it {longest:g} s"
        )


def _fits(shots: Sequence[Shot], story: Story, bounds: Bounds) -> bool:
    seconds = _total(shots, bounds)
    return (
        (bounds.shots is None or len(shots) <= bounds.shots)
        and bounds.shortest <= seconds
        and (bounds.longest is None or seconds <= bounds.longest)
        and (bounds.people is None or len(people_of(story, shots)) <= bounds.people)
    )


def _total(shots: Sequence[Shot], bounds: Bounds) -> float:
    return round(sum(lengths(shots, bounds)), 3)


def _fewest(shots: list[Shot], story: Story, bounds: Bounds) -> list[list[Shot]] | None:
    """The shots in the fewest parts that fit, cut between scenes where it can be; None when there is no way."""
    best: list[list[list[Shot]] | None] = [[]]
    for end in range(1, len(shots) + 1):
        ways = [
            [*before, shots[start:end]]
            for start in reversed(range(end))  # of ways that are as good, the one whose first parts are full
            if (before := best[start]) is not None and _fits(shots[start:end], story, bounds)
        ]
        best.append(min(ways, key=lambda way: (len(way), _torn(way)), default=None))
    return best[-1]


def _torn(parts: list[list[Shot]]) -> int:
    """How many scenes go on from one part into the next."""
    return sum(before[-1]["scene"] == after[0]["scene"] for before, after in pairwise(parts))


def _refuse(shots: list[Shot], story: Story, bounds: Bounds, made: Compiled) -> None:
    for shot in shots:
        there = people_of(story, [shot])
        if bounds.people is not None and len(there) > bounds.people:
            made.fault(f"shot {shot['number']} has {len(there)} characters, {bounds.people} is the most: leave one out")
    seconds = _total(shots, bounds)
    if not made.faults:
        span = f"{bounds.shortest:g} to {bounds.longest:g} s" if bounds.longest else f"{bounds.shortest:g} s or more"
        made.fault(f"{_span(shots)} last {seconds:g} s together, and a request takes {span}: lengthen or shorten them")


def _span(shots: Sequence[Shot]) -> str:
    first, last = shots[0]["number"], shots[-1]["number"]
    return f"shot {first}" if first == last else f"shots {first} to {last}"
