"""Sound files that a script or a board names: recordings of lines, and ambience. Are they there, and how long are they?"""

from __future__ import annotations

import struct
from pathlib import Path

from storyboard.refs import file_refusal

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
