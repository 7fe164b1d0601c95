"""A pen that fills, inks and remembers where it drew: thin helpers over OpenCV's antialiased shapes."""

from __future__ import annotations

import cv2
import numpy as np

from generation.toon.world.character import Colour

SHIFT = 4
_ONE = 1 << SHIFT


class Pen:
    """Draws into `picture` (H, W, 3) uint8 in place; `mask` (H, W) uint8 gathers what was drawn. Points in pixels."""

    def __init__(self, picture: np.ndarray, ink: Colour, width: float) -> None:
        self.picture, self.ink, self.width = picture, ink, width
        self.mask = np.zeros(picture.shape[:2], np.uint8)

    def poly(self, points: np.ndarray, colour: Colour, *, inked: bool = True) -> None:
        """A filled polygon (n, 2), with an outline of the pen's ink."""
        fixed = np.round(np.asarray(points, float) * _ONE).astype(np.int32)
        if inked and self.width > 0.3:
            thick = max(1, round(self.width * 2))
            cv2.polylines(self.picture, [fixed], True, self.ink, thick, cv2.LINE_AA, SHIFT)
            cv2.polylines(self.mask, [fixed], True, 255, thick, cv2.LINE_AA, SHIFT)
        cv2.fillPoly(self.picture, [fixed], colour, cv2.LINE_AA, SHIFT)
        cv2.fillPoly(self.mask, [fixed], 255, cv2.LINE_AA, SHIFT)

    def oval(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, *, turn: float = 0.0, inked: bool = True
    ) -> None:
        """A filled ellipse about (x, y), turned by `turn` radians."""
        self.poly(ring(x, y, rx, ry, turn=turn), colour, inked=inked)

    def limb(self, points: list[tuple[float, float]], width: float, colour: Colour) -> None:
        """A chain of round-ended strokes."""
        fixed = [np.round(np.array(points, float) * _ONE).astype(np.int32)]
        if self.width > 0.3:
            outer = max(1, round(width + 2 * self.width))
            cv2.polylines(self.picture, fixed, False, self.ink, outer, cv2.LINE_AA, SHIFT)
            cv2.polylines(self.mask, fixed, False, 255, outer, cv2.LINE_AA, SHIFT)
        inner = max(1, round(width))
        cv2.polylines(self.picture, fixed, False, colour, inner, cv2.LINE_AA, SHIFT)
        cv2.polylines(self.mask, fixed, False, 255, inner, cv2.LINE_AA, SHIFT)

    def stroke(self, points: np.ndarray, width: float, colour: Colour) -> None:
        """A thin line on top, that does not count as shape."""
        fixed = np.round(np.asarray(points, float) * _ONE).astype(np.int32)
        cv2.polylines(self.picture, [fixed], False, colour, max(1, round(width)), cv2.LINE_AA, SHIFT)


def ring(
    x: float, y: float, rx: float, ry: float, *, power: float = 2.0, turn: float = 0.0, count: int = 28
) -> np.ndarray:
    """Points (count, 2) of a superellipse: power 2 is an ellipse, 3 and more is squarish."""
    a = np.linspace(0, 2 * np.pi, count, endpoint=False)
    c, s = np.cos(a), np.sin(a)
    u = rx * np.sign(c) * np.abs(c) ** (2 / power)
    v = ry * np.sign(s) * np.abs(s) ** (2 / power)
    return np.stack([x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)], 1)


def darker(colour: Colour, factor: float) -> Colour:
    """The colour times a factor, clipped."""
    r, g, b = (int(min(255, max(0, c * factor))) for c in colour)
    return r, g, b
