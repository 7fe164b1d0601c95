"""Regions that may be compared: a character's skin and clothes, and the place around the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assemble.picture import Frame

LONGEST = 320  # pixels of a frame's longer side, at which light is measured
MARGIN = 0.06
"""Share of a figure's longer side by which the background keeps away from its box."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Person:
    """A character in a frame: its box (x0, y0, x1, y1) and that of its face in pixels, None where the face is not seen."""

    name: str
    box: Box
    face: Box | None = None


def small(frame: Frame, people: Sequence[Person]) -> tuple[Frame, list[Person]]:
    """A frame no larger than light needs, and its people at that size."""
    import cv2

    share = LONGEST / max(frame.shape[:2])
    if share >= 1:
        return frame, list(people)
    reduced = cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    scaled = [
        Person(one.name, _times(one.box, share), None if one.face is None else _times(one.face, share))
        for one in people
    ]
    return np.asarray(reduced, np.uint8), scaled


def skin(frame: Frame, person: Person) -> NDArray[np.uint8]:
    """The lower half of the face, (N, 3): cheeks, nose, mouth and chin; (0, 3) without a face."""
    if person.face is None:
        return np.zeros((0, 3), np.uint8)
    return _part(frame, person.face, (0.14, 0.5, 0.86, 0.95)).reshape(-1, 3)


def head(frame: Frame, person: Person) -> NDArray[np.uint8]:
    """The upper half of the face, (N, 3): hair or hat, brows and eyes, lit as the skin below is; (0, 3) without a face."""
    if person.face is None:
        return np.zeros((0, 3), np.uint8)
    return _part(frame, person.face, (0.0, -0.1, 1.0, 0.5)).reshape(-1, 3)


def halves(frame: Frame, person: Person) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The left and the right third of the lower face, as the viewer sees them, each (N, 3)."""
    if person.face is None:
        return np.zeros((0, 3), np.uint8), np.zeros((0, 3), np.uint8)
    left = _part(frame, person.face, (0.1, 0.5, 0.4, 0.92)).reshape(-1, 3)
    return left, _part(frame, person.face, (0.6, 0.5, 0.9, 0.92)).reshape(-1, 3)


def clothes(frame: Frame, person: Person) -> NDArray[np.uint8]:
    """The trunk below the head, (N, 3)."""
    x0, _, x1, y1 = person.box
    if person.face is None:
        return _part(frame, person.box, (0.3, 0.4, 0.7, 0.7)).reshape(-1, 3)
    fx0, _, fx1, fy1 = person.face
    head = fy1 - person.face[1]
    trunk = (max(x0, fx0), min(fy1 + 0.35 * head, y1), min(x1, fx1), min(y1, fy1 + 1.8 * head))
    return _part(frame, trunk, (0, 0, 1, 1)).reshape(-1, 3)


def background(frame: Frame, people: Sequence[Person]) -> NDArray[np.uint8]:
    """What is around the figures, (N, 3)."""
    free = np.ones(frame.shape[:2], bool)
    for one in people:
        x0, y0, x1, y1 = one.box
        edge = MARGIN * max(x1 - x0, y1 - y0)
        free[
            max(0, int(y0 - edge)) : max(0, int(y1 + edge) + 1), max(0, int(x0 - edge)) : max(0, int(x1 + edge) + 1)
        ] = False
    return frame[free]


def _part(frame: Frame, box: Box, shares: Box) -> Frame:
    """The part of a box between shares of its width and height."""
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    left, right = (int(max(0.0, x0 + share * wide)) for share in shares[::2])
    top, low = (int(max(0.0, y0 + share * tall)) for share in shares[1::2])
    return frame[top:low, left:right]


def _times(box: Box, share: float) -> Box:
    return box[0] * share, box[1] * share, box[2] * share, box[3] * share
