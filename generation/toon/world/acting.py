"""Where in a clip an action shows: the places that differ when everybody only stands there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from generation.toon.world.place import paint
from generation.toon.world.pose import Action
from generation.toon.world.scene import Scene, draw_moment, lasting

PATCH = 16
_SEEN = 24  # of 255 levels: a difference that a viewer sees
_EVERY = 8  # frames from one looked at moment to the next


def acted(scene: Scene, frames: int, width: int, height: int) -> np.ndarray:
    """Share 0..1 of each patch of 16 pixels, (H/16, W/16), that shows what the characters do or hold at some moment of the clip.

    `frames` as for `scene.render`. Half its resolution serves: nothing here is looked at.
    """
    still = replace(scene, parts=tuple(replace(part, action=_standing(part.action)) for part in scene.parts))
    length = lasting(scene, frames)
    ground = paint(scene.place, scene.time, scene.style, scene.seed % 9973, int(height * 1.2), int(width * 1.45))
    seen = np.zeros((height, width), np.float32)
    mouths = np.zeros(len(scene.parts), np.float32)
    for frame in range(0, frames, _EVERY):
        seconds = frame / scene.fps
        shown, figures = draw_moment(scene, ground, seconds, length, mouths, height, width)
        plain, _ = draw_moment(still, ground, seconds, length, mouths, height, width)
        apart = np.abs(shown.astype(np.int16) - plain.astype(np.int16)).max(-1) > _SEEN
        near = np.zeros((height, width), bool)  # not where somebody would have stood
        for x0, y0, x1, y1 in (figure.box for figure in figures):
            near[max(0, int(y0)) : max(0, int(y1) + 1), max(0, int(x0)) : max(0, int(x1) + 1)] = True
        seen[apart & near] = 1.0
    return cv2.resize(seen, (width // PATCH, height // PATCH), interpolation=cv2.INTER_AREA)


def _standing(action: Action) -> Action:
    return Action("stands", action.facing, action.phase)
