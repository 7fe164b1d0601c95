"""How far a head is turned: in numbers from the five points of a face, and in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from identity.records import Record

NOSE_OUT = 0.45
"""How far the tip of a nose stands out before the plane of eyes and mouth, in distances between the eyes (adults, about)."""
NOSE_DOWN = 0.49
"""Where the nose lies between eyes (0) and mouth (1) of a head seen straight from the front: ArcFace's template."""
FRONT, TURNED, PROFILE, HIDDEN, UNKNOWN = "front", "turned", "profile", "hidden", "unmeasured"
POSES = (FRONT, TURNED, PROFILE, HIDDEN)
_EDGES = (0.2, 0.55)
"""Yaw (0..1, without its side) at which a head stops being seen from the front, then in three quarters."""


def head_turn(kps: NDArray[np.floating]) -> tuple[float, float]:
    """Yaw and pitch of a face from its points (5, 2) in pixels: eyes, nose, mouth corners, the picture's left one first.

    Both are -1..1 for -90..90 degrees: -1 is a profile that looks to the picture's left, or a face that looks straight up.
    The head is taken for a flat square of eyes and mouth with the nose before it, seen from afar: turned by an angle a, the
    nose moves over it by NOSE_OUT sin a while it narrows by cos a. Leaning of the head to a shoulder does not count.
    """
    eyes, mouth = (kps[0] + kps[1]) / 2, (kps[3] + kps[4]) / 2
    down = (mouth - eyes).astype(np.float64)
    tall = max(1e-3, float(np.hypot(*down)))
    down /= tall
    right = np.array([down[1], -down[0]])
    wide = max(0.0, float((kps[1] - kps[0]) @ right), float((kps[4] - kps[3]) @ right))
    nose = (kps[2] - eyes).astype(np.float64)
    yaw = np.arctan2(float(nose @ right) / NOSE_OUT, max(wide, 1e-3))
    # A face seen from the front is about 1.15 times as tall, from eyes to mouth, as its eyes are apart.
    pitch = np.arctan2((float(nose @ down) - NOSE_DOWN * tall) / NOSE_OUT, tall / 1.15)
    return float(yaw / (np.pi / 2)), float(pitch / (np.pi / 2))


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
