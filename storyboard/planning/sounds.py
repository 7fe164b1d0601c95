"""The sounds that a shot names: recordings of its lines, and its ambience."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from storyboard.planning.shot import Shot
from storyboard.script.parts import Line


def sounds_of(shot: Shot) -> Iterator[tuple[str, str]]:
    """The sounds that a shot names, each with where in the shot it stands."""
    if shot.ambience:
        yield "ambience", shot.ambience
    for index, line in enumerate(shot.lines):
        if line.wav:
            yield f"lines[{index}].wav", line.wav


def recorded(shot: Shot, lines: Sequence[Line], ambience: Path | None, folder: Path) -> Shot:
    """A planned shot with the recordings of its lines and its ambience, as paths from the board's folder."""
    for spoken, line in zip(shot.lines, lines, strict=True):
        spoken.wav = _said(line.wav, folder) if line.wav else None
    shot.ambience = _said(ambience, folder) if ambience else None
    return shot


def _said(path: Path, folder: Path) -> str:
    path = path.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
