"""Clips that a shot brings along: what they are made of, and whether they last."""

from __future__ import annotations

import hashlib
from pathlib import Path

from storyboard.errors import RenderError
from storyboard.events import Event
from storyboard.planning.shot import Shot
from storyboard.shooting.takes import Take


def too_short(shot: Shot, take: Take, fps: float) -> Event | None:
    """What to say when a clip is too short for its shot: the film then goes on with what there is."""
    from assemble import lasting

    seconds = lasting(take.clip)
    if seconds is None or shot.longest is None:
        return None
    there = seconds - (shot.clip_in or 0)
    if there >= shot.longest - 1 / fps:
        return None
    said = f"shot {take.shot} lasts {shot.longest:g} s, and {Path(take.clip).name} has {there:.2f} s of it"
    return Event("note", f"{said}: the film goes on after them", take.shot, take.number)


def clip_digest(number: int, path: Path) -> str:
    """sha256 of the clip of shot `number`, from 1. Raises RenderError for one that cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise RenderError(
            f"the clip cannot be read: {error.strerror}", where=f"shots[{number - 1}].clip", mend=f"check {path}"
        ) from error
