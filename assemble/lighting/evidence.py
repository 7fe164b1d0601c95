"""What a finding speaks of, to be looked at: of each of its shots the part of a frame that was compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from assemble.lighting.finding import Finding
from assemble.lighting.look import Look
from assemble.lighting.regions import Box, Person
from assemble.picture import Frame

WIDEST = 288  # pixels of a picture's longer side
ROOM = 0.25  # of a face or a figure, that is seen around it


@dataclass(frozen=True, eq=False)
class Evidence:
    """A `picture` (H, W, 3) uint8 RGB of a shot: its frame, counted from 0, whole or what is around one character."""

    shot: int
    frame: int
    picture: Frame


def evidence(
    findings: Sequence[Finding],
    looks: Mapping[int, Look],
    frames: Callable[[int], Iterable[Frame]],
    people: Mapping[int, Mapping[int, Sequence[Person]]],
) -> dict[Finding, tuple[Evidence, ...]]:
    """Two pictures for each finding: a frame of either shot, or two moments of the one. The rest is as `light` takes it."""
    wanted = {found: _moments(found, looks, people) for found in findings}
    made: dict[tuple[int, int, Box | None], Evidence] = {}
    for number in sorted({shot for places in wanted.values() for shot, _, _ in places}):
        places = {place for each in wanted.values() for place in each if place[0] == number}
        last = max(frame for _, frame, _ in places)
        for index, frame in enumerate(frames(number)):
            made |= {place: Evidence(number, index, _cut(frame, place[2])) for place in places if place[1] == index}
            if index == last:
                break
    return {found: tuple(made[place] for place in places if place in made) for found, places in wanted.items()}


def _moments(
    found: Finding, looks: Mapping[int, Look], people: Mapping[int, Mapping[int, Sequence[Person]]]
) -> list[tuple[int, int, Box | None]]:
    """Shot, frame and box of each picture, no box for the whole frame."""
    _, _, who = found.region.partition(":")
    if who:
        return [place for shot in found.shots if (place := _seen(shot, who, found, looks[shot].frames, people.get(shot, {})))]
    if len(found.shots) > 1:
        return [(shot, (looks[shot].frames - 1) // 2, None) for shot in found.shots]
    (shot,), (first, last) = found.shots, found.frames
    if found.kind == "flash":  # one of its frames, and one beside it
        beside = first - 1 if first else last + 1
        return [(shot, frame, None) for frame in sorted((beside, (first + last) // 2))]
    return [(shot, first, None), (shot, last, None)]


def _seen(
    shot: int, who: str, found: Finding, count: int, people: Mapping[int, Sequence[Person]]
) -> tuple[int, int, Box | None] | None:
    """The frame nearest to a shot's middle in which a character shows the region."""
    boxes = {
        frame: one.box if found.region.startswith("clothes") else one.face
        for frame, each in people.items()
        for one in each
        if one.name == who and frame < count
    }
    seen = [frame for frame, box in boxes.items() if box is not None]
    frame = min(seen, key=lambda frame: abs(frame - count // 2), default=None)
    return None if frame is None else (shot, frame, boxes[frame])


def _cut(frame: Frame, box: Box | None) -> Frame:
    """The frame, or what is around a box, made small."""
    import cv2

    if box is not None:
        x0, y0, x1, y1 = box
        room = ROOM * max(x1 - x0, y1 - y0)
        frame = frame[max(0, int(y0 - room)) : int(y1 + room) + 1, max(0, int(x0 - room)) : int(x1 + room) + 1]
    share = WIDEST / max(frame.shape[:2])
    if share >= 1:
        return frame.copy()
    return cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA).astype(frame.dtype, copy=False)
