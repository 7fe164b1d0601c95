"""assemble: takes to a film.

    film = stitch([read_frames("a.mp4"), frames], "film.mp4", fps=12, size=(832, 480))

Frames are (height, width, 3) uint8 RGB arrays and flow one at a time, so memory does not grow with length.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assemble.delivery import Delivery
    from assemble.edit import Join
    from assemble.errors import AssembleError, WriteError
    from assemble.film import Film, stitch, write_clip
    from assemble.grade import Grade, Grading, regrade
    from assemble.lighting.finding import Finding, Setting
    from assemble.lighting.findings import Lighting, check
    from assemble.lighting.look import Look, look
    from assemble.lighting.regions import Person
    from assemble.media import Clip, Footage, probe, read_frames
    from assemble.mux import add_sound
    from assemble.picture import fit, sheet

__all__ = [
    "AssembleError",
    "Clip",
    "Delivery",
    "Film",
    "Finding",
    "Footage",
    "Grade",
    "Grading",
    "Join",
    "Lighting",
    "Look",
    "Person",
    "Setting",
    "WriteError",
    "add_sound",
    "check",
    "fit",
    "look",
    "probe",
    "read_frames",
    "regrade",
    "sheet",
    "stitch",
    "write_clip",
]

# The home of each public name: loaded when first asked for, so that importing the package costs nothing.
_HOMES = {
    "AssembleError": "errors",
    "Clip": "media",
    "Delivery": "delivery",
    "Film": "film",
    "Finding": "lighting.finding",
    "Footage": "media",
    "Grade": "grade",
    "Grading": "grade",
    "Join": "edit",
    "Lighting": "lighting.findings",
    "Look": "lighting.look",
    "Person": "lighting.regions",
    "Setting": "lighting.finding",
    "WriteError": "errors",
    "add_sound": "mux",
    "check": "lighting.findings",
    "fit": "picture",
    "look": "lighting.look",
    "probe": "media",
    "read_frames": "media",
    "regrade": "grade",
    "sheet": "picture",
    "stitch": "film",
    "write_clip": "film",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assemble' has no attribute {name!r}")
    return getattr(import_module(f"assemble.{_HOMES[name]}"), name)
