"""Which way a head is turned, in words."""

from __future__ import annotations

from identity.records import Record

FRONT, TURNED, PROFILE, HIDDEN, UNKNOWN = "front", "turned", "profile", "hidden", "unmeasured"
POSES = (FRONT, TURNED, PROFILE, HIDDEN)
_EDGES = (0.2, 0.55)
"""Turn (0..1, without its side) at which a head stops being seen from the front, then in three quarters."""


def pose(record: Record) -> str:
    """front, turned or profile by the yaw of a kept frame; hidden when no face was seen, and unmeasured in a pack that
    was made before poses were."""
    if record.face_score <= 0:
        return HIDDEN
    if record.face_size <= 0:
        return UNKNOWN
    return (FRONT, TURNED, PROFILE)[sum(abs(record.yaw) >= edge for edge in _EDGES)]


def facing(record: Record) -> str:
    """The pose with its side, as the picture shows it: `front`, `left turned`, `right profile`..."""
    name = pose(record)
    return name if name not in (TURNED, PROFILE) else f"{'left' if record.yaw < 0 else 'right'} {name}"
