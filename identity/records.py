"""What a pack notes of each frame: kept, with its scores, or left out, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

EXEMPLARS = 4
"""Kept frames that stand for a character's spread beside the centre, at most."""


def is_name(name: str) -> bool:
    """Whether this can name a character: one line of printable text, no slash, no space at its ends."""
    return bool(name) and name == name.strip() and "/" not in name and name.isprintable()


@dataclass(frozen=True)
class Record:
    """One kept frame: its source and place in it, the figure's box in that frame (pixels), shot size, and its scores.

    Scores are 0..1, `quality` sums them up. `face_size` is the longer side of the face in pixels, 0 where none was seen;
    `yaw` and `pitch` say how far the head is turned, -1 (to the picture's left, up) .. 1; `face_blur` is the blur of the
    face alone; `occluded` the share of the figure that others hide; `compressed` how blocky the picture is.
    """

    source: str
    index: int | None
    seconds: float | None
    box: tuple[float, float, float, float]
    size: str
    face_score: float
    blur: float
    light: float
    quality: float
    note: str = ""
    face_size: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    face_blur: float = 0.0
    occluded: float = 0.0
    compressed: float = 0.0


@dataclass(frozen=True)
class LeftOut:
    """One frame that was not kept, and why; `neighbours` are the labels of the kept frames that are nearest to it."""

    source: str
    index: int | None
    seconds: float | None
    reason: str
    neighbours: tuple[str, ...] = ()
