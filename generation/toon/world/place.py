"""Where it happens: twelve places, each painted once a clip on a canvas wider than the frame."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from generation.toon.world.character import Colour
from generation.toon.world.pen import Pen, darker, ring
from generation.toon.world.style import Style

TIMES = ("morning", "day", "evening", "night")
SKY: dict[str, tuple[Colour, Colour]] = {
    "morning": ((158, 202, 238), (252, 226, 206)), "day": ((96, 170, 240), (206, 232, 250)),
    "evening": ((120, 92, 160), (252, 160, 92)), "night": ((18, 24, 60), (52, 66, 118)),
}  # fmt: skip


class Brush:
    """A pen in shares of the canvas: x 0..1 over the width, y 0..1 over the height."""

    def __init__(self, height: int, width: int, style: Style, rng: np.random.Generator, time: str) -> None:
        self.h, self.w, self.rng, self.time = height, width, rng, time
        self.picture = np.zeros((height, width, 3), np.uint8)
        self.pen = Pen(self.picture, style.ink, style.outline * height * 0.55)

    def vary(self, colour: Colour, spread: float = 9) -> Colour:
        r, g, b = np.clip(np.array(colour) + self.rng.normal(0, spread, 3), 0, 255).astype(int)
        return int(r), int(g), int(b)

    def fade(self, y0: float, y1: float, top: Colour, low: Colour) -> None:
        a, b = int(y0 * self.h), int(y1 * self.h)
        k = np.linspace(0, 1, max(1, b - a))[:, None]
        self.picture[a:b] = (np.array(top) * (1 - k) + np.array(low) * k)[:, None, :]

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, inked: bool = True) -> None:
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) * [self.w, self.h]
        self.pen.poly(corners, colour, inked=inked)

    def shape(self, points: list[tuple[float, float]], colour: Colour, *, inked: bool = True) -> None:
        self.pen.poly(np.array(points) * [self.w, self.h], colour, inked=inked)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour, *, inked: bool = True) -> None:
        self.pen.poly(ring(x * self.w, y * self.h, rx * self.h, ry * self.h), colour, inked=inked)

    def sky(self, low: float) -> None:
        self.fade(0, low, *SKY[self.time])
        x = float(self.rng.uniform(0.15, 0.85))
        if self.time == "night":
            self.disc(x, 0.14, 0.05, 0.05, (244, 240, 214), inked=False)
            for _ in range(26):
                self.disc(
                    float(self.rng.uniform()),
                    float(self.rng.uniform(0, low * 0.8)),
                    0.005,
                    0.005,
                    (230, 230, 250),
                    inked=False,
                )
        else:
            y = {"morning": 0.36, "day": 0.11, "evening": 0.44}[self.time]
            sun: Colour = (255, 244, 196) if self.time != "evening" else (255, 206, 120)
            self.disc(x, y * low / 0.6, 0.06, 0.06, sun, inked=False)
            for _ in range(int(self.rng.integers(2, 5))):
                cx, cy = float(self.rng.uniform()), float(self.rng.uniform(0.05, low * 0.55))
                for k in range(3):
                    tone = (250, 250, 252) if self.time != "evening" else (250, 190, 160)
                    self.disc(cx + (k - 1) * 0.03, cy, 0.055 - 0.015 * abs(k - 1), 0.03, tone, inked=False)

    def window(self, x: float, y: float, w: float, h: float) -> None:
        top, low = SKY[self.time]
        self.box(x - 0.008, y - 0.014, x + w + 0.008, y + h + 0.014, (122, 84, 56))
        a, b = int(y * self.h), int((y + h) * self.h)
        c, d = int(x * self.w), int((x + w) * self.w)
        k = np.linspace(0, 1, max(1, b - a))[:, None]
        self.picture[a:b, c:d] = (np.array(top) * (1 - k) + np.array(low) * k)[:, None, :]
        self.box(x + w / 2 - 0.004, y, x + w / 2 + 0.004, y + h, (122, 84, 56), inked=False)
        self.box(x, y + h / 2 - 0.007, x + w, y + h / 2 + 0.007, (122, 84, 56), inked=False)

    def tree(self, x: float, y: float, size: float, leaf: Colour, pine: bool) -> None:
        k = self.h / self.w
        self.box(x - 0.03 * size * k, y - 0.5 * size, x + 0.03 * size * k, y, (104, 72, 48))
        if pine:
            for j in range(3):
                top, half = y - size + 0.22 * j * size, (0.14 + 0.06 * j) * size * k
                self.shape(
                    [(x, top), (x + half, top + 0.36 * size), (x - half, top + 0.36 * size)], darker(leaf, 1 - 0.05 * j)
                )
        else:
            for dx, dy, r in ((-0.16, 0.6, 0.2), (0.16, 0.62, 0.2), (0, 0.8, 0.24)):
                self.disc(x + dx * size * k, y - dy * size, r * size, r * size, self.vary(leaf, 4))


def _living_room(b: Brush) -> None:
    wall = b.vary((214, 196, 164))
    b.fade(0, 0.68, wall, darker(wall, 0.94))
    b.fade(0.68, 1, (166, 118, 78), (140, 96, 62))
    b.window(0.12 + 0.1 * b.rng.uniform(), 0.14, 0.13, 0.3)
    b.disc(0.52, 0.9, 0.5, 0.07, b.vary((176, 70, 70)), inked=False)
    sofa, x = b.vary((86, 118, 160)), 0.56
    b.box(x, 0.44, x + 0.3, 0.64, darker(sofa, 0.92))
    b.box(x - 0.02, 0.58, x + 0.32, 0.74, sofa)
    b.box(0.42, 0.16, 0.5, 0.32, (240, 226, 190))
    b.box(0.43, 0.18, 0.49, 0.3, b.vary((120, 160, 120), 25))
    b.box(0.925, 0.36, 0.932, 0.72, (70, 60, 56))
    b.shape([(0.905, 0.36), (0.952, 0.36), (0.942, 0.24), (0.915, 0.24)], (250, 220, 150))


def _kitchen(b: Brush) -> None:
    b.fade(0, 0.68, (224, 236, 226), (206, 222, 212))
    for x in np.arange(0, 1, 0.045):
        b.box(float(x), 0.40, float(x) + 0.04, 0.48, (244, 248, 246), inked=False)
    b.fade(0.68, 1, (206, 200, 190), (178, 170, 160))
    cabinet = b.vary((86, 150, 142))
    b.box(-0.01, 0.5, 0.6, 0.76, cabinet)
    b.box(-0.01, 0.47, 0.61, 0.52, (236, 226, 206))
    for x in (0.14, 0.29, 0.44):
        b.box(x, 0.54, x + 0.005, 0.75, darker(cabinet, 0.75), inked=False)
    b.box(0.05, 0.08, 0.28, 0.28, darker(cabinet, 1.1))
    b.window(0.36, 0.1, 0.13, 0.26)
    b.box(0.68, 0.18, 0.82, 0.78, (236, 238, 242))
    b.box(0.68, 0.4, 0.82, 0.415, (170, 174, 180), inked=False)
    b.disc(0.2, 0.43, 0.06, 0.04, (200, 70, 60))
    b.disc(0.9, 0.24, 0.07, 0.07, (250, 246, 236))


def _bedroom(b: Brush) -> None:
    wall = b.vary((186, 170, 212))
    b.fade(0, 0.7, wall, darker(wall, 0.93))
    b.fade(0.7, 1, (190, 152, 120), (160, 124, 94))
    b.window(0.4, 0.12, 0.14, 0.3)
    b.box(0.6, 0.36, 0.64, 0.8, (120, 80, 54))
    b.box(0.62, 0.56, 0.98, 0.8, b.vary((236, 120, 130)))
    b.box(0.64, 0.5, 0.74, 0.6, (250, 248, 244))
    b.box(0.1, 0.46, 0.2, 0.74, (150, 102, 66))
    b.disc(0.15, 0.38, 0.05, 0.07, (252, 226, 150))
    b.box(0.24, 0.16, 0.33, 0.34, b.vary((240, 200, 100), 20))


def _library(b: Brush) -> None:
    b.fade(0, 0.74, (96, 66, 46), (84, 56, 40))
    b.fade(0.74, 1, (120, 60, 54), (96, 46, 44))
    tones = [(170, 60, 54), (60, 100, 150), (70, 130, 84), (210, 170, 80), (130, 80, 140), (220, 210, 190)]
    for y in (0.06, 0.23, 0.40, 0.57):
        b.box(0, y + 0.135, 1, y + 0.155, (140, 98, 64), inked=False)
        x = 0.0
        while x < 1:
            w, tall = float(b.rng.uniform(0.012, 0.024)), float(b.rng.uniform(0.09, 0.132))
            b.box(x, y + 0.135 - tall, x + w, y + 0.135, tones[int(b.rng.integers(6))], inked=False)
            x += w + 0.002
    for x in (0.0, 0.33, 0.66, 0.985):
        b.box(x, 0, x + 0.018, 0.74, (150, 106, 70))


def _lighthouse(b: Brush) -> None:
    stone = b.vary((150, 146, 142), 5)
    b.fade(0, 0.74, stone, darker(stone, 0.86))
    for j in range(7):
        for i in range(-1, 12):
            x, y = i * 0.09 + (j % 2) * 0.045, j * 0.105
            b.box(x, y, x + 0.084, y + 0.095, b.vary(stone, 5), inked=False)
    b.fade(0.74, 1, (116, 92, 70), (92, 72, 56))
    b.disc(0.3, 0.25, 0.155, 0.155, (96, 78, 62))
    b.disc(0.3, 0.25, 0.13, 0.13, SKY[b.time][1], inked=False)
    b.box(0.2945, 0.12, 0.3055, 0.38, (96, 78, 62), inked=False)
    for k in range(8):
        x, y = 0.58 + k * 0.05, 0.76 - k * 0.085
        b.box(x, y, x + 0.09, y + 0.05, (128, 90, 60))
        b.box(x + 0.04, y - 0.22, x + 0.046, y, (70, 62, 60), inked=False)
    b.disc(0.1, 0.3, 0.05, 0.07, (255, 226, 140))


def _shop(b: Brush) -> None:
    wall = b.vary((238, 206, 150))
    b.fade(0, 0.7, wall, darker(wall, 0.92))
    b.fade(0.7, 1, (150, 136, 130), (124, 112, 108))
    for i, x in enumerate(np.arange(0, 1, 0.05)):
        b.box(float(x), 0, float(x) + 0.05, 0.1, (206, 60, 60) if i % 2 else (246, 240, 230), inked=False)
    for y in (0.28, 0.46):
        b.box(0.05, y, 0.42, y + 0.02, (130, 90, 60))
        for x in np.arange(0.06, 0.4, 0.035):
            tall = float(b.rng.uniform(0.06, 0.12))
            b.box(float(x), y - tall, float(x) + 0.026, y, b.vary((150, 130, 110), 50))
    b.box(0.52, 0.5, 0.96, 0.78, (152, 104, 66))
    b.box(0.51, 0.47, 0.97, 0.53, (190, 140, 92))
    b.box(0.62, 0.36, 0.7, 0.47, (70, 78, 90))
    b.window(0.78, 0.16, 0.14, 0.22)


def _forest(b: Brush) -> None:
    b.sky(0.66)
    b.fade(0.62, 1, (86, 132, 62), (60, 100, 48))
    for layer, tone in ((0.62, (72, 122, 92)), (0.7, (46, 104, 62))):
        for _ in range(8):
            x = float(b.rng.uniform())
            b.tree(
                x,
                layer + float(b.rng.uniform(0, 0.04)),
                float(b.rng.uniform(0.5, 0.8)),
                b.vary(tone, 6),
                b.rng.random() < 0.7,
            )
    for _ in range(14):
        b.disc(
            float(b.rng.uniform()), float(b.rng.uniform(0.76, 0.98)), 0.03, 0.018, b.vary((104, 152, 70)), inked=False
        )


def _beach(b: Brush) -> None:
    b.sky(0.5)
    sea = {"night": (24, 44, 92), "evening": (96, 90, 150)}.get(b.time, (44, 138, 190))
    b.fade(0.48, 0.68, darker(sea, 0.92), darker(sea, 1.2))
    for y in (0.53, 0.585, 0.645):
        for x in np.arange(float(b.rng.uniform(0, 0.05)), 1, 0.11):
            b.box(float(x), y, float(x) + 0.05, y + 0.01, darker(sea, 1.45), inked=False)
    b.fade(0.68, 1, (240, 216, 160), (224, 192, 132))
    b.box(0.146, 0.46, 0.152, 0.84, (240, 240, 236))
    for k, tone in enumerate([(220, 60, 60), (250, 246, 240), (220, 60, 60)]):
        b.shape([(0.149, 0.34), (0.05 + k * 0.066, 0.52), (0.116 + k * 0.066, 0.52)], tone)
    b.tree(0.9, 0.76, 0.62, (60, 150, 80), False)


def _street(b: Brush) -> None:
    b.sky(0.6)
    x = -0.02
    while x < 1:
        w, top = float(b.rng.uniform(0.13, 0.2)), float(b.rng.uniform(0.08, 0.3))
        wall = b.vary(((206, 120, 92), (226, 196, 150), (150, 160, 180), (190, 150, 170))[int(b.rng.integers(4))], 7)
        b.box(x, top, x + w, 0.72, wall)
        for y in np.arange(top + 0.07, 0.56, 0.14):
            for k in (0.2, 0.6):
                pane: Colour = (
                    (255, 222, 130) if b.time in ("night", "evening") and b.rng.random() < 0.6 else (110, 140, 170)
                )
                b.box(x + w * k, float(y), x + w * (k + 0.22), float(y) + 0.08, pane)
        x += w
    b.fade(0.72, 0.8, (176, 172, 168), (160, 156, 152))
    b.fade(0.8, 1, (92, 92, 98), (74, 74, 80))
    for x in np.arange(0.02, 1, 0.14):
        b.box(float(x), 0.9, float(x) + 0.07, 0.925, (236, 230, 200), inked=False)
    b.box(0.7, 0.24, 0.707, 0.8, (54, 56, 62))
    b.disc(0.7035, 0.22, 0.035, 0.045, (255, 236, 170))


def _park(b: Brush) -> None:
    b.sky(0.6)
    b.fade(0.56, 1, (126, 190, 86), (96, 160, 66))
    b.shape([(0.4, 0.58), (0.47, 0.58), (0.85, 1.0), (0.25, 1.0)], (222, 204, 160), inked=False)
    for x in (0.08, 0.28, 0.68, 0.93):
        b.tree(
            x + float(b.rng.uniform(-0.03, 0.03)), 0.66, float(b.rng.uniform(0.42, 0.56)), b.vary((84, 160, 64)), False
        )
    b.box(0.72, 0.64, 0.92, 0.665, (150, 92, 56))
    b.box(0.72, 0.7, 0.92, 0.725, (150, 92, 56))
    b.box(0.74, 0.66, 0.75, 0.79, (70, 70, 76))
    b.box(0.89, 0.66, 0.9, 0.79, (70, 70, 76))
    for _ in range(18):
        tone = ((250, 110, 120), (250, 220, 90), (250, 250, 250))[int(b.rng.integers(3))]
        b.disc(float(b.rng.uniform()), float(b.rng.uniform(0.72, 0.97)), 0.014, 0.014, tone, inked=False)


def _mountains(b: Brush) -> None:
    b.sky(0.66)
    for base, tone, snow in ((0.12, (126, 140, 178), True), (0.34, (92, 112, 132), False)):
        x = -0.15
        while x < 1.05:
            w, peak = float(b.rng.uniform(0.3, 0.42)), base + float(b.rng.uniform(0, 0.1))
            b.shape([(x, 0.72), (x + w / 2, peak), (x + w, 0.72)], b.vary(tone, 5))
            if snow:
                b.shape(
                    [
                        (x + w * 0.38, peak + 0.14),
                        (x + w / 2, peak),
                        (x + w * 0.62, peak + 0.14),
                        (x + w / 2, peak + 0.1),
                    ],
                    (246, 248, 252),
                )
            x += w * 0.7
    b.fade(0.7, 1, (150, 156, 120), (118, 126, 92))
    for _ in range(9):
        b.disc(float(b.rng.uniform()), float(b.rng.uniform(0.74, 0.97)), 0.04, 0.026, b.vary((142, 138, 134)))


def _harbour(b: Brush) -> None:
    b.sky(0.52)
    sea = {"night": (26, 46, 84), "evening": (110, 92, 130)}.get(b.time, (60, 124, 156))
    b.fade(0.5, 0.76, sea, darker(sea, 1.15))
    for x, hull in ((0.12, (200, 70, 60)), (0.5, (60, 90, 160)), (0.8, (230, 200, 90))):
        x += float(b.rng.uniform(-0.04, 0.04))
        b.box(x + 0.055, 0.2, x + 0.06, 0.58, (96, 74, 56))
        b.shape([(x + 0.064, 0.23), (x + 0.064, 0.52), (x + 0.13, 0.52)], (246, 242, 232))
        b.shape([(x - 0.03, 0.56), (x + 0.15, 0.56), (x + 0.12, 0.66), (x, 0.66)], hull)
    b.fade(0.76, 1, (150, 116, 82), (126, 96, 68))
    for y in (0.82, 0.88, 0.94):
        b.box(0, y, 1, y + 0.008, (104, 78, 54), inked=False)
    for x in (0.04, 0.34, 0.66, 0.96):
        b.box(x, 0.66, x + 0.022, 0.84, (98, 74, 54))


PLACES: dict[str, tuple[bool, Callable[[Brush], None]]] = {
    "living room": (True, _living_room), "kitchen": (True, _kitchen), "bedroom": (True, _bedroom), "library": (True, _library),
    "lighthouse": (True, _lighthouse), "shop": (True, _shop), "forest": (False, _forest), "beach": (False, _beach),
    "street": (False, _street), "park": (False, _park), "mountains": (False, _mountains), "harbour": (False, _harbour),
}  # fmt: skip
"""Name -> (interior, painter)."""


def paint(place: str, time: str, style: Style, seed: int, height: int, width: int) -> np.ndarray:
    """The place's canvas, (height, width, 3) uint8; `seed` varies colours and small things."""
    brush = Brush(height, width, style, np.random.default_rng([seed, 5]), time)
    PLACES[place][1](brush)
    if style.shading == "soft":
        waves = np.sin(np.arange(width) / width * math.tau * 1.5)[None, :, None] * 4
        brush.picture[:] = np.clip(brush.picture + waves, 0, 255)
    return cv2.GaussianBlur(brush.picture, (3, 3), 0)
