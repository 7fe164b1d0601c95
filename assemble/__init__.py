"""assemble: takes to a film.

    film = stitch([read_frames("a.mp4"), frames], "film.mp4", fps=12, size=(832, 480))

Frames are (height, width, 3) uint8 RGB arrays and flow one at a time, so memory does not grow with length.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assemble.errors import AssembleError, WriteError
    from assemble.fcpxml import fcpxml_text
    from assemble.film import Film, stitch, write_clip
    from assemble.interchange import edl_text, otio_text, read_otio, write_otioz
    from assemble.media import read_frames
    from assemble.picture import fit, sheet
    from assemble.timeline import Marker, Timeline, TimelineClip

__all__ = [
    "AssembleError", "Film", "Marker", "Timeline", "TimelineClip", "WriteError", "edl_text", "fcpxml_text", "fit", "otio_text",
    "read_frames", "read_otio", "sheet", "stitch", "write_clip", "write_otioz",
]  # fmt: skip

# The home of each public name: loaded when first asked for, so that importing the package costs nothing.
_HOMES = {
    "AssembleError": "errors",
    "Film": "film",
    "Marker": "timeline",
    "Timeline": "timeline",
    "TimelineClip": "timeline",
    "WriteError": "errors",
    "edl_text": "interchange",
    "fcpxml_text": "fcpxml",
    "fit": "picture",
    "otio_text": "interchange",
    "read_frames": "media",
    "read_otio": "interchange",
    "sheet": "picture",
    "stitch": "film",
    "write_clip": "film",
    "write_otioz": "interchange",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assemble' has no attribute {name!r}")
    return getattr(import_module(f"assemble.{_HOMES[name]}"), name)
