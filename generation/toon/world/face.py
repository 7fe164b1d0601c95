"""A head, drawn: hair, face, glasses, beard and hat, turned by a yaw."""

from __future__ import annotations

import math

import numpy as np

from generation.toon.world.character import Character, Colour
from generation.toon.world.pen import Pen, darker, ring
from generation.toon.world.pose import Pose
from generation.toon.world.style import Style

_SHAPE = {"round": (1.0, 0.98, 2.0), "oval": (0.88, 1.04, 2.1), "square": (0.95, 0.98, 3.4), "long": (0.82, 1.12, 2.4)}


def draw_head(
    pen: Pen, who: Character, style: Style, pose: Pose, centre: tuple[float, float], r: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Draws the head of radius `r` pixels. Returns five points (5, 2), the face box (4,) and the mouth's opening 0..1."""
    cx, cy = centre
    rx, ry, power = _SHAPE[who.face]
    rx, ry = rx * r, ry * r
    yaw = max(-1.0, min(1.0, pose.yaw))
    away = abs(pose.yaw) > 1.2
    _back_hair(pen, who, cx, cy, rx, ry, r, yaw)
    ear = darker(who.skin, 0.94)
    for sign in (-1, 1):
        if sign * yaw < 0.55:
            pen.oval(cx + sign * rx * (0.97 - 0.12 * abs(yaw)) - yaw * 0.1 * r, cy + 0.1 * r, 0.16 * r, 0.2 * r, ear)
    pen.poly(ring(cx, cy, rx, ry, power=power), who.skin)
    fx, squeeze = cx + yaw * 0.42 * rx, 1 - 0.22 * abs(yaw)
    points = _features(pen, who, style, pose, fx, cy, r, squeeze, yaw, away)
    _front_hair(pen, who, cx, cy, rx, ry, r, yaw)
    if who.glasses != "none":
        _glasses(pen, who, points, r, squeeze)
    _hat(pen, who, cx, cy, rx, ry, r, yaw)
    box = np.array([cx - rx, cy - ry * 0.85, cx + rx, cy + ry], np.float32)
    return points, box, pose.mouth


def _features(
    pen: Pen, who: Character, style: Style, pose: Pose, fx: float, cy: float, r: float, squeeze: float, yaw: float, away: bool
) -> np.ndarray:  # fmt: skip
    gap, eye_y, mouth_y = 0.4 * r * squeeze, cy + 0.06 * r, cy + 0.56 * r
    points = np.array(
        [
            [fx - gap, eye_y],
            [fx + gap, eye_y],
            [fx + yaw * 0.1 * r, cy + 0.3 * r],
            [fx - 0.24 * r, mouth_y],
            [fx + 0.24 * r, mouth_y],
        ],
        np.float32,
    )
    if away:
        return points
    if style.blush:
        rosy = tuple(int(a * 0.72 + b * 0.28) for a, b in zip(who.skin, (240, 110, 110), strict=True))
        for sign in (-1, 1):
            pen.oval(
                fx + sign * 0.58 * r * squeeze,
                cy + 0.34 * r,
                0.16 * r,
                0.1 * r,
                (rosy[0], rosy[1], rosy[2]),
                inked=False,
            )
    for sign in (-1, 1):
        _eye(pen, who, style, fx + sign * gap, eye_y, r, yaw, pose.blink)
        brow = darker(who.hair if who.hair_style != "bald" else who.beard_colour, 0.75)
        y = eye_y - 0.33 * r
        pen.stroke(
            np.array([[fx + sign * (gap - 0.17 * r), y], [fx + sign * (gap + 0.16 * r), y + 0.04 * r]]), 0.085 * r, brow
        )
    dim = darker(who.skin, 0.72)
    if style.nose == "dot":
        pen.oval(fx + yaw * 0.12 * r, cy + 0.28 * r, 0.07 * r, 0.055 * r, dim, inked=False)
    elif style.nose == "line":
        nx = fx + yaw * 0.1 * r
        bend = 0.1 * r * (1 if yaw >= 0 else -1)
        pen.stroke(
            np.array([[nx, cy + 0.08 * r], [nx + bend, cy + 0.3 * r], [nx - bend * 0.3, cy + 0.33 * r]]), 0.06 * r, dim
        )
    _beard(pen, who, fx, cy, r, squeeze)
    _mouth(pen, who, fx, mouth_y, r * squeeze, r, pose.mouth)
    return points


def _eye(pen: Pen, who: Character, style: Style, x: float, y: float, r: float, yaw: float, blink: float) -> None:
    size = who.eye_size * r
    if blink > 0.5:
        pen.stroke(
            np.array([[x - 0.15 * size, y], [x, y + 0.05 * size], [x + 0.15 * size, y]]),
            0.07 * r,
            darker(who.skin, 0.4),
        )
        return
    if style.eye == "dot":
        pen.oval(x, y, 0.115 * size, 0.14 * size, darker(who.eyes, 0.55), inked=False)
        return
    wide, tall = (0.19, 0.2) if style.eye == "oval" else (0.21, 0.28)
    pen.oval(x, y, (wide + 0.025) * size, (tall + 0.03) * size, darker(who.skin, 0.42), inked=False)
    pen.oval(x, y + 0.01 * size, wide * size, tall * size, (252, 252, 250), inked=False)
    px = x + yaw * 0.06 * size
    iris = 0.135 if style.eye == "oval" else 0.16
    pen.oval(px, y + 0.02 * size, iris * size, iris * 1.2 * size, who.eyes, inked=False)
    pen.oval(px, y + 0.02 * size, iris * 0.5 * size, iris * 0.6 * size, (20, 18, 22), inked=False)
    pen.oval(px + 0.05 * size, y - 0.05 * size, 0.04 * size, 0.04 * size, (255, 255, 255), inked=False)


def _mouth(pen: Pen, who: Character, x: float, y: float, half: float, r: float, opening: float) -> None:
    """Shut a stroke, open an oval that grows with the voice: wide enough to be seen in a small face."""
    dark = sum(who.skin) <= 380
    lip = darker((178, 74, 70), 0.75 if dark else 0.9)
    if opening < 0.06:
        pen.stroke(np.array([[x - 0.22 * half, y], [x, y + 0.055 * r], [x + 0.22 * half, y]]), 0.075 * r, lip)
        return
    wide, tall = (0.22 + 0.16 * opening) * half, (0.045 + 0.25 * opening) * r
    y += (0.02 + 0.065 * opening) * r  # the jaw drops
    pen.oval(x, y, wide + 0.03 * r, tall + 0.035 * r, lip, inked=False)
    pen.oval(x, y, wide, tall, (74, 22, 30), inked=False)
    if opening > 0.45:
        pen.oval(x, y + tall * 0.5, wide * 0.65, tall * 0.4, (214, 96, 98), inked=False)
    if dark and opening > 0.2 and who.beard in ("none", "goatee"):  # else teeth, and an open mouth in it can hardly be told
        a = np.linspace(1.12 * math.pi, 1.88 * math.pi, 12)
        pen.poly(np.stack([x + 0.94 * wide * np.cos(a), y + 0.94 * tall * np.sin(a)], 1), (250, 246, 238), inked=False)


def _beard(pen: Pen, who: Character, fx: float, cy: float, r: float, squeeze: float) -> None:
    colour, wide = who.beard_colour, r * squeeze
    if who.beard == "full beard":
        a = np.linspace(-0.12 * math.pi, 1.12 * math.pi, 20)
        outer = np.stack([fx + 0.88 * wide * np.cos(a), cy + 0.28 * r + 0.92 * r * np.sin(a)], 1)
        inner = np.stack([fx + 0.5 * wide * np.cos(a[::-1]), cy + 0.34 * r + 0.12 * r * np.sin(a[::-1])], 1)
        pen.poly(np.concatenate([outer, inner]), colour)
    elif who.beard == "goatee":
        pen.oval(fx, cy + 0.92 * r, 0.26 * wide, 0.27 * r, colour)
    if who.beard in ("moustache", "full beard"):
        for sign in (-1, 1):
            pen.oval(
                fx + sign * 0.2 * wide, cy + 0.42 * r, 0.24 * wide, 0.095 * r, colour, turn=sign * 0.25, inked=False
            )


def _glasses(pen: Pen, who: Character, points: np.ndarray, r: float, squeeze: float) -> None:
    frame: Colour = (38, 36, 44)
    for x, y in points[:2]:
        power = 4.0 if who.glasses == "square" else 2.0
        lens = ring(float(x), float(y), 0.29 * r * squeeze, 0.25 * r, power=power)
        if who.glasses == "dark":
            pen.poly(lens, (30, 30, 38), inked=False)
        pen.stroke(np.vstack([lens, lens[:1]]), 0.085 * r, frame)
    (ax, ay), (bx, by) = points[:2]
    pen.stroke(np.array([[ax + 0.27 * r * squeeze, ay], [bx - 0.27 * r * squeeze, by]]), 0.08 * r, frame)


def _back_hair(pen: Pen, who: Character, cx: float, cy: float, rx: float, ry: float, r: float, yaw: float) -> None:
    dark = darker(who.hair, 0.86)
    x = cx - yaw * 0.16 * r
    if who.hair_style == "bob":
        pen.poly(ring(x, cy + 0.1 * r, rx * 1.17, ry * 1.05, power=2.8), dark)
    elif who.hair_style == "long":
        pen.poly(ring(x, cy + 0.55 * r, rx * 1.2, ry * 1.6, power=3.0), dark)
    elif who.hair_style == "curly":
        for a in np.linspace(0.85 * math.pi, 2.15 * math.pi, 9):
            pen.oval(x + 1.0 * rx * math.cos(a), cy + 0.98 * ry * math.sin(a), 0.36 * r, 0.36 * r, dark)
    elif who.hair_style == "bun":
        pen.oval(x, cy - ry * 1.18, 0.38 * r, 0.34 * r, dark)
    elif who.hair_style == "ponytail":
        side = -1 if yaw >= 0 else 1
        pen.oval(cx + side * rx * 1.12, cy + 0.3 * r, 0.3 * r, 0.72 * r, dark, turn=-side * 0.35)


def _front_hair(pen: Pen, who: Character, cx: float, cy: float, rx: float, ry: float, r: float, yaw: float) -> None:
    style, hair = who.hair_style, who.hair
    if style == "bald":
        return
    if style == "mohawk":
        a = np.linspace(0, 1, 7)
        left = np.stack([cx - 0.2 * r + yaw * 0.2 * r - 0.06 * r * np.sin(a * 9), cy - 0.45 * r - a * 1.05 * r], 1)
        right = np.stack([cx + 0.2 * r + yaw * 0.2 * r + 0.06 * r * np.sin(a * 9), cy - 0.45 * r - a * 1.05 * r], 1)
        pen.poly(np.concatenate([left, right[::-1]]), hair)
        return
    low = {"short": -0.30, "spiky": -0.30, "bob": -0.22, "curly": -0.34}.get(style, -0.32)
    a = np.linspace(math.pi, 2 * math.pi, 18)
    crown = np.stack([cx + 1.06 * rx * np.cos(a), cy - 0.02 * r + 1.1 * ry * np.sin(a)], 1)
    part = cx + yaw * 0.45 * rx + (0.25 * rx if who.seed % 2 else -0.25 * rx)
    fringe = np.array([
        [cx + 1.02 * rx, cy + 0.08 * r], [cx + 0.8 * rx, cy + (low + 0.06) * r], [part, cy + (low - 0.22) * r],
        [cx - 0.8 * rx, cy + (low + 0.06) * r], [cx - 1.02 * rx, cy + 0.08 * r],
    ])  # fmt: skip
    if style == "bob":
        fringe = np.array([[cx + 1.02 * rx, cy + 0.5 * r], [cx + 0.78 * rx, cy + 0.4 * r], [cx + 0.76 * rx, cy - 0.26 * r],
                           [cx - 0.76 * rx, cy - 0.26 * r], [cx - 0.78 * rx, cy + 0.4 * r],
                           [cx - 1.02 * rx, cy + 0.5 * r]])  # fmt: skip
    if style == "spiky":
        k = np.linspace(math.pi * 1.02, math.pi * 1.98, 13)
        far = np.where(np.arange(13) % 2, 1.42, 1.02)
        crown = np.stack([cx + far * rx * np.cos(k), cy + far * ry * np.sin(k)], 1)
    pen.poly(np.concatenate([crown, fringe]), hair)
    if style == "curly":
        for k in np.linspace(1.12 * math.pi, 1.88 * math.pi, 6):
            pen.oval(cx + 0.86 * rx * math.cos(k), cy + 0.88 * ry * math.sin(k), 0.26 * r, 0.24 * r, hair)
    shine = darker(hair, 1.25)
    k = np.linspace(1.25 * math.pi, 1.5 * math.pi, 6)
    pen.stroke(np.stack([cx + 0.78 * rx * np.cos(k), cy + 0.86 * ry * np.sin(k)], 1), 0.08 * r, shine)


def _hat(pen: Pen, who: Character, cx: float, cy: float, rx: float, ry: float, r: float, yaw: float) -> None:
    colour, dim = who.hat_colour, darker(who.hat_colour, 0.78)
    a = np.linspace(math.pi, 2 * math.pi, 16)
    dome = np.stack([cx + 1.13 * rx * np.cos(a), cy - 0.32 * r + 1.0 * ry * np.sin(a)], 1)
    if who.hat == "cap":
        pen.poly(dome, colour)
        tip = cx + (0.75 if yaw >= 0 else -0.75) * rx
        pen.oval(tip, cy - 0.34 * r, 0.85 * rx, 0.14 * r, dim)
    elif who.hat == "beanie":
        pen.poly(dome, colour)
        pen.poly(ring(cx, cy - 0.38 * r, 1.15 * rx, 0.19 * r, power=4), dim)
        pen.oval(cx, cy - 0.36 * r - ry, 0.24 * r, 0.24 * r, dim)
    elif who.hat == "top hat":
        pen.poly(np.array([[-0.78, -0.5], [-0.84, -1.75], [0.84, -1.75], [0.78, -0.5]]) * r + [cx, cy], colour)
        pen.poly(
            np.array([[-0.8, -0.55], [-0.81, -0.85], [0.81, -0.85], [0.8, -0.55]]) * r + [cx, cy], dim, inked=False
        )
        pen.oval(cx, cy - 0.5 * r, 1.3 * rx, 0.16 * r, colour)
    elif who.hat == "rain hat":
        pen.poly(dome, colour)
        pen.oval(cx, cy - 0.36 * r, 1.5 * rx, 0.24 * r, colour)
        pen.stroke(
            np.array([[cx - 1.1 * rx, cy - 0.48 * r], [cx, cy - 0.55 * r], [cx + 1.1 * rx, cy - 0.48 * r]]),
            0.09 * r,
            dim,
        )
    elif who.hat == "beret":
        pen.oval(cx + 0.22 * rx, cy - 0.78 * r, 1.2 * rx, 0.44 * r, colour, turn=0.16)
        pen.oval(cx + 0.3 * rx, cy - 1.22 * r, 0.08 * r, 0.1 * r, dim)
    elif who.hat == "headband":
        band = np.array([[-1.08, -0.5], [1.08, -0.5], [1.05, -0.26], [-1.05, -0.26]]) * [rx, r]
        pen.poly(band + np.array([cx, cy]), colour)
