"""How far a head is turned, read from the five points of a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOSE_OUT = 0.45
"""How far the tip of a nose stands out before the plane of eyes and mouth, in distances between the eyes (adults, about)."""
NOSE_DOWN = 0.49
"""Where the nose lies between eyes (0) and mouth (1) of a head seen straight from the front: ArcFace's template."""


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
