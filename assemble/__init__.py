"""assemble: takes to a film.

    film = stitch([read_frames("a.mp4"), frames], "film.mp4", fps=12, size=(832, 480))

Frames are (height, width, 3) uint8 RGB arrays and flow one at a time, so memory does not grow with length.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assemble.errors import AssembleError, WriteError
    from assemble.film import Film, stitch, write_clip
    from assemble.media import read_frames
    from assemble.mux import add_sound
    from assemble.picture import fit, sheet

__all__ = ["AssembleError", "Film", "WriteError", "add_sound", "fit", "read_frames", "sheet", "stitch", "write_clip"]

# The home of each public name: loaded when first asked for, so that importing the package costs nothing.
_HOMES = {
    "AssembleError": "errors",
    "Film": "film",
    "WriteError": "errors",
    "add_sound": "mux",
    "fit": "picture",
    "read_frames": "media",
    "sheet": "picture",
    "stitch": "film",
    "write_clip": "film",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assemble' has no attribute {name!r}")
    return getattr(import_module(f"assemble.{_HOMES[name]}"), name)
