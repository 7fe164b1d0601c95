"""How a figure is seen: pose, scale, light and clothes as a few numbers that a person can follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from identity.encoders import Figure
from identity.pose import head_turn

Picture = NDArray[np.uint8]


class _Units(NamedTuple):
    """What makes one step of difference in each number of a View."""

    yaw: float = 20 / 90
    pitch: float = 20 / 90
    faceless: float = 0.5
    shape: float = 0.4  # octaves
    scale: float = 0.5  # octaves
    level: float = 0.5  # stops
    warmth: float = 0.3  # octaves of red over blue
    side: float = 0.5  # stops
    green: float = 15.0  # Lab
    blue: float = 15.0


@dataclass(frozen=True)
class View:
    """How one figure is seen.

    pose: `yaw` and `pitch` of the head -1..1 (0 without a face), whether it is `faceless` (0 or 1), and `shape`, log2 of the
    box's height over its width; scale: log2 of the head's height over the frame's; light: `level`, log2 of linear
    brightness, `warmth`, log2 of red over blue, and `side`, log2 of the left half over the right one, all on the face where
    there is one; clothes: the colour below the face as `green` (Lab a*) and `blue` (Lab b*).
    """

    yaw: float
    pitch: float
    faceless: float
    shape: float
    scale: float
    level: float
    warmth: float
    side: float
    green: float
    blue: float

    @property
    def row(self) -> NDArray[np.float64]:
        """The numbers in steps: two views a step apart look a little different to a person, three steps very."""
        return np.array([getattr(self, name) / unit for name, unit in _Units()._asdict().items()])


def view(frame: Picture, figure: Figure) -> View:
    """How a figure is seen in its frame (H, W, 3) uint8 RGB."""
    import cv2

    height = frame.shape[0]
    x0, y0, x1, y1 = (float(value) for value in figure.box)
    tall, wide = max(1.0, y1 - y0), max(1.0, x1 - x0)
    if figure.face is not None:
        fx0, fy0, fx1, fy1 = (float(value) for value in figure.face.box)
        yaw, pitch = head_turn(figure.face.kps)
        head = max(1.0, fy1 - fy0)
        skin = _part(frame, fx0 + (fx1 - fx0) / 5, fy0 + head / 4, fx1 - (fx1 - fx0) / 5, fy1)
        cloth = _part(frame, fx0, fy1 + head / 3, fx1, fy1 + head * 1.5)
    else:
        # Heads are about a sixth of a figure, or of the part of it that a closer frame holds a third.
        yaw, pitch, head = 0.0, 0.0, tall / (3 if y1 > height - 2 else 6)
        skin = _part(frame, x0 + wide / 4, y0, x1 - wide / 4, y1)
        cloth = _part(frame, x0 + wide / 3, y0 + tall / 3, x1 - wide / 3, y0 + tall * 2 / 3)
    step = max(1, min(skin.shape[:2]) // 48)
    linear = (skin[::step, ::step].astype(np.float32) / 255) ** 2.2
    red, green, blue = linear.reshape(-1, 3).mean(axis=0) + 1e-3
    half = max(1, linear.shape[1] // 2)
    lab = cv2.cvtColor(np.median(cloth.reshape(-1, 3), axis=0).astype(np.float32).reshape(1, 1, 3) / 255, cv2.COLOR_RGB2LAB)
    return View(
        yaw=yaw,
        pitch=pitch,
        faceless=float(figure.face is None),
        shape=float(np.log2(tall / wide)),
        scale=float(np.log2(head / height)),
        level=float(np.log2(0.2126 * red + 0.7152 * green + 0.0722 * blue)),
        warmth=float(np.log2(red / blue)),
        side=float(np.log2((linear[:, :half].mean() + 1e-2) / (linear[:, -half:].mean() + 1e-2))),
        green=float(lab[0, 0, 1]),
        blue=float(lab[0, 0, 2]),
    )


def _part(frame: Picture, x0: float, y0: float, x1: float, y1: float) -> Picture:
    """A part of a frame, moved inside and at least a pixel large."""
    height, width = frame.shape[:2]
    left, top = int(np.clip(x0, 0, width - 1)), int(np.clip(y0, 0, height - 1))
    return frame[top : max(top + 1, int(min(y1, height))), left : max(left + 1, int(min(x1, width)))]
