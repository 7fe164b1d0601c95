"""What a pack notes of each frame: kept, with its scores, or left out, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

EXEMPLARS = 4
"""Kept frames that stand for a character's spread beside the centre, at most."""


@dataclass(frozen=True)
class Record:
    """One kept frame: its source and place in it, the figure's box in that frame (pixels), shot size, and its scores
    0..1."""

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


@dataclass(frozen=True)
class LeftOut:
    """One frame that was not kept, and why."""

    source: str
    index: int | None
    seconds: float | None
    reason: str
