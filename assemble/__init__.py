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
    from assemble.fcpxml import fcpxml_text
    from assemble.film import Film, stitch, write_clip
    from assemble.grade import Grading, regrade
    from assemble.interchange import edl_text, otio_text, read_otio, write_otioz
    from assemble.lighting.evidence import Evidence, evidence
    from assemble.lighting.finding import Finding, Setting
    from assemble.lighting.findings import Lighting, check
    from assemble.lighting.look import Look, look
    from assemble.lighting.regions import Person
    from assemble.lut import Grade
    from assemble.media import Clip, Footage, lasting, probe, read_frames
    from assemble.mux import add_sound
    from assemble.picture import fit, sheet
    from assemble.timeline import Marker, Timeline, TimelineClip

__all__ = [
    "AssembleError",
    "Clip",
    "Delivery",
    "Evidence",
    "Film",
    "Finding",
    "Footage",
    "Grade",
    "Grading",
    "Join",
    "Lighting",
    "Look",
    "Marker",
    "Person",
    "Setting",
    "Timeline",
    "TimelineClip",
    "WriteError",
    "add_sound",
    "check",
    "edl_text",
    "evidence",
    "fcpxml_text",
    "fit",
    "lasting",
    "look",
    "otio_text",
    "probe",
    "read_frames",
    "read_otio",
    "regrade",
    "sheet",
    "stitch",
    "write_clip",
    "write_otioz",
]

# The home of each public name: loaded when first asked for, so that importing the package costs nothing.
_HOMES = {
    "AssembleError": "errors",
    "Clip": "media",
    "Delivery": "delivery",
    "Evidence": "lighting.evidence",
    "Film": "film",
    "Finding": "lighting.finding",
    "Footage": "media",
    "Grade": "lut",
    "Grading": "grade",
    "Join": "edit",
    "Lighting": "lighting.findings",
    "Look": "lighting.look",
    "Marker": "timeline",
    "Person": "lighting.regions",
    "Setting": "lighting.finding",
    "Timeline": "timeline",
    "TimelineClip": "timeline",
    "WriteError": "errors",
    "add_sound": "mux",
    "check": "lighting.findings",
    "edl_text": "interchange",
    "evidence": "lighting.evidence",
    "fcpxml_text": "fcpxml",
    "fit": "picture",
    "lasting": "media",
    "look": "lighting.look",
    "otio_text": "interchange",
    "probe": "media",
    "read_frames": "media",
    "read_otio": "interchange",
    "regrade": "grade",
    "sheet": "picture",
    "stitch": "film",
    "write_clip": "film",
    "write_otioz": "interchange",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assemble' has no attribute {name!r}")
    return getattr(import_module(f"assemble.{_HOMES[name]}"), name)
