"""Sound files that a script or a board names: recordings of lines, and ambience. Are they there, and how long are they?"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.refs import file_refusal

if TYPE_CHECKING:
    from storyboard.planning.shot import Shot
    from storyboard.script.parts import Line

SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".aiff", ".aif")


def sound_refusal(path: Path) -> tuple[str, str] | None:
    """What is wrong with a path to a sound and what to do, or None when one is there."""
    return file_refusal(path, "sound", "sound", SOUNDS)


def length_of(path: Path) -> float | None:
    """Seconds of a WAV, read from its head alone; None for another kind, which is measured when it is mixed."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] != b"RIFF" or head[8:] != b"WAVE":
                return None
            rate, size = 0, path.stat().st_size
            while len(chunk := file.read(8)) == 8:
                name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
                if name == b"fmt ":
                    rate = struct.unpack("<I", file.read(16)[8:12])[0]
                    file.seek(length - 16 + length % 2, 1)
                elif name == b"data":  # a recorder that was stopped hard leaves a length that is not true
                    return float(min(length, size - file.tell()) / rate) if rate else None
                else:
                    file.seek(length + length % 2, 1)
    except (OSError, struct.error):
        pass
    return None


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
