"""One character, drawn: limbs, clothes and head in a pose, and where its parts came to lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from generation.toon.world.character import Character
from generation.toon.world.face import draw_head
from generation.toon.world.pen import Pen, darker
from generation.toon.world.pose import Pose
from generation.toon.world.style import Style


@dataclass(frozen=True)
class Light:
    """The key light: where it comes from and how warm it is. `falloff` is how much weaker it gets over the screen; at 0 all the
    screen has the same light, and only faces and bodies show where it comes from."""

    side: str  # left, right, front, back
    warmth: str  # warm, neutral, cool
    falloff: float = 1.0


JOINTS = (
    "head", "shoulders", "hips", "left elbow", "left hand", "right elbow", "right hand",
    "left knee", "left foot", "right knee", "right foot",
)  # fmt: skip


@dataclass
class Drawn:
    """Where a figure came to lie, in pixels of the picture: boxes (x0, y0, x1, y1), five face points (5, 2), JOINTS (11, 2)."""

    box: np.ndarray
    face: np.ndarray
    points: np.ndarray
    yaw: float
    head: float  # head radius in pixels
    opening: float = 0.0
    joints: np.ndarray = field(default_factory=lambda: np.zeros((len(JOINTS), 2), np.float32))


def draw_figure(
    canvas: np.ndarray,
    who: Character,
    style: Style,
    pose: Pose,
    prop: str,
    x: float,
    y: float,
    unit: float,
    light: Light,
) -> Drawn:
    """Draws onto `canvas` (H, W, 3) uint8 in place. (x, y) are the feet and `unit` the pixels of a height-1 body."""
    s = unit * who.height
    height, width = canvas.shape[:2]
    x0, x1 = int(max(0, x - s)), int(min(width, x + s))
    y0, y1 = int(max(0, y - 1.75 * s)), int(min(height, y + 0.2 * s))
    if x1 - x0 < 2 or y1 - y0 < 2:
        empty = np.zeros(4, np.float32)
        return Drawn(empty, empty, np.zeros((5, 2), np.float32), pose.yaw, 0.0)
    part = canvas[y0:y1, x0:x1]
    buffer = part.copy()
    pen = Pen(buffer, style.ink, style.outline * s)
    fx, fy = x - x0 + pose.dx * s, y - y0 - pose.dy * s
    head = 0.155 * who.head / who.height**0.45 * s
    hip = (fx, fy - (0.335 - pose.sink) * s)
    chest = 1.0 - 2 * head / s - 0.335 + 0.035
    shoulder = (hip[0] + chest * s * math.sin(pose.lean), hip[1] - chest * s * math.cos(pose.lean))

    behind, front = (0, 1) if pose.yaw >= 0 else (1, 0)
    legs = {behind: _leg(pen, who, pose, behind, hip, s)}
    arms = {behind: _arm(pen, who, pose, behind, shoulder, s, "none")}
    legs[front] = _leg(pen, who, pose, front, hip, s)
    _torso(pen, who, hip, shoulder, s, pose.yaw)
    neck = (shoulder[0] + 0.02 * s * math.sin(pose.lean), shoulder[1])
    pen.limb([neck, (neck[0], neck[1] - 0.05 * s)], 0.085 * s, darker(who.skin, 0.9))
    centre = (shoulder[0] + head * 0.9 * math.sin(pose.lean + pose.tilt), shoulder[1] - head * 0.93)
    points, face, opening = draw_head(pen, who, style, pose, centre, head)
    holding = front if pose.arms[2 * front] * (1 if front else -1) < 1.5 else behind
    if holding == behind:
        holding = front
    arms[front] = _arm(pen, who, pose, front, shoulder, s, prop)
    joints = np.array([centre, shoulder, hip, *arms[0], *arms[1], *legs[0], *legs[1]], np.float32)

    _shade(buffer, pen.mask, style, light, fx, s)
    alpha = pen.mask[..., None].astype(np.float32) / 255
    part[:] = (part * (1 - alpha) + buffer * alpha).astype(np.uint8)
    ys, xs = np.nonzero(pen.mask > 100)
    box = (
        np.array([xs.min() + x0, ys.min() + y0, xs.max() + 1 + x0, ys.max() + 1 + y0], np.float32)
        if len(xs)
        else np.zeros(4, np.float32)
    )
    shift = np.array([x0, y0], np.float32)
    return Drawn(box, face + np.tile(shift, 2), points + shift, pose.yaw, head, opening, joints + shift)


def _end(start: tuple[float, float], angle: float, length: float) -> tuple[float, float]:
    return start[0] + length * math.sin(angle), start[1] + length * math.cos(angle)


Point = tuple[float, float]


def _leg(pen: Pen, who: Character, pose: Pose, side: int, hip: Point, s: float) -> tuple[Point, Point]:
    """Draws it, and says where knee and foot are."""
    sign = 1 if side else -1
    upper, lower = pose.legs[2 * side], pose.legs[2 * side + 1]
    root = (hip[0] + sign * 0.048 * s * who.build, hip[1])
    knee = _end(root, upper, 0.16 * s)
    foot = _end(knee, lower, 0.155 * s)
    wide = 0.082 * s * who.build
    bare = who.bottom in ("shorts", "skirt")
    pen.limb([root, knee, foot], wide * (0.8 if bare else 1.0), who.skin if bare else who.bottom_colour)
    if who.bottom == "shorts":
        pen.limb([root, knee], wide * 1.15, who.bottom_colour)
    step = 0.035 * s * (1 if pose.yaw > 0.2 else -1 if pose.yaw < -0.2 else sign * 0.6)
    pen.oval(foot[0] + step, foot[1] + 0.006 * s, 0.058 * s, 0.032 * s, who.shoes)
    return knee, foot


def _arm(pen: Pen, who: Character, pose: Pose, side: int, shoulder: Point, s: float, prop: str) -> tuple[Point, Point]:
    """Draws it, and says where elbow and hand are."""
    sign = 1 if side else -1
    upper, lower = pose.arms[2 * side], pose.arms[2 * side + 1]
    root = (shoulder[0] + sign * 0.092 * s * who.build, shoulder[1] + 0.045 * s)
    elbow = _end(root, upper, 0.155 * s)
    hand = _end(elbow, lower, 0.15 * s)
    wide = 0.08 * s * (0.75 + 0.25 * who.build)
    sleeve = darker(who.top_colour, 0.92)
    if prop != "none":
        _prop(pen, prop, hand, s)
    pen.oval(hand[0], hand[1], wide * 0.65, wide * 0.65, who.skin)
    if who.top == "vest":
        pen.limb([root, elbow, hand], wide * 0.8, who.skin)
    elif who.top == "shirt":
        pen.limb([root, elbow, hand], wide * 0.8, who.skin)
        pen.limb([root, elbow], wide * 1.1, sleeve)
    else:
        pen.limb([root, elbow, _end(elbow, lower, 0.115 * s)], wide * 1.1, sleeve)
    return elbow, hand


def _torso(
    pen: Pen, who: Character, hip: tuple[float, float], shoulder: tuple[float, float], s: float, yaw: float
) -> None:
    turn = 1 - 0.22 * min(abs(yaw), 1.0)
    top, low = 0.108 * s * who.build * turn, 0.092 * s * who.build * turn
    hem = {"coat": 0.13, "dress": 0.17, "shirt": 0.02, "jumper": 0.03, "vest": 0.02}[who.top] * s
    if who.bottom == "skirt" and who.top not in ("dress", "coat"):
        flare = np.array([[-low, -0.04 * s], [low, -0.04 * s], [low * 1.75, 0.13 * s], [-low * 1.75, 0.13 * s]])
        pen.poly(flare + hip, who.bottom_colour)
    elif hem < 0.1 * s:
        pen.oval(hip[0], hip[1], low * 1.05, 0.055 * s, who.bottom_colour)
    bottom = low * {"coat": 1.35, "dress": 1.8}.get(who.top, 1.05)
    (hx, hy), (sx, sy) = hip, shoulder
    outline = np.array([
        [sx - top * 0.5, sy - 0.015 * s], [sx - top, sy + 0.025 * s], [hx - low, hy - 0.03 * s], [hx - bottom, hy + hem],
        [hx + bottom, hy + hem], [hx + low, hy - 0.03 * s], [sx + top, sy + 0.025 * s], [sx + top * 0.5, sy - 0.015 * s],
    ])  # fmt: skip
    pen.poly(outline, who.top_colour)
    _pattern(pen, who, outline, (sx, sy), s)
    if who.top == "coat":
        pen.stroke(
            np.array([[sx + yaw * top * 0.4, sy], [hx + yaw * low * 0.4, hy + hem]]),
            0.012 * s,
            darker(who.top_colour, 0.65),
        )
        for k in (0.3, 0.6):
            bx, by = sx + (hx - sx) * k + yaw * top * 0.4 + 0.028 * s, sy + (hy - sy) * k
            pen.oval(bx, by, 0.011 * s, 0.011 * s, darker(who.pattern_colour, 1.0), inked=False)
    if who.top == "shirt":
        collar = np.array(
            [[sx - 0.05 * s, sy - 0.012 * s], [sx + yaw * 0.02 * s, sy + 0.045 * s], [sx + 0.05 * s, sy - 0.012 * s]]
        )
        pen.poly(collar, darker(who.top_colour, 1.18), inked=False)


def _pattern(pen: Pen, who: Character, outline: np.ndarray, origin: tuple[float, float], s: float) -> None:
    if who.pattern == "plain":
        return
    h, w = pen.picture.shape[:2]
    x0, y0 = np.clip(outline.min(0).astype(int), 0, [w, h])
    x1, y1 = np.clip(outline.max(0).astype(int) + 1, 0, [w, h])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    u = (np.arange(x0, x1)[None] - origin[0]) / s
    v = (np.arange(y0, y1)[:, None] - origin[1]) / s
    if who.pattern == "stripes":
        on = np.broadcast_to(np.mod(v, 0.075) < 0.034, (y1 - y0, x1 - x0))
    elif who.pattern == "bars":
        on = np.broadcast_to(np.mod(u + 0.016, 0.066) < 0.030, (y1 - y0, x1 - x0))
    elif who.pattern == "checks":
        on = (np.mod(v, 0.09) < 0.045) ^ (np.mod(u + 0.045, 0.09) < 0.045)
    elif who.pattern == "dots":
        row = np.floor(v / 0.06)
        on = (np.mod(u + 0.03 * np.mod(row, 2) + 0.015, 0.06) - 0.03) ** 2 + (np.mod(v, 0.06) - 0.03) ** 2 < 0.0175**2
    else:
        on = np.abs(u * 0.8 + v - 0.13) < 0.032
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(inside, [np.round(outline - [x0, y0]).astype(np.int32)], 255)
    area = pen.picture[y0:y1, x0:x1]
    area[on & (inside > 0)] = who.pattern_colour


def _prop(pen: Pen, prop: str, hand: tuple[float, float], s: float) -> None:
    x, y = hand
    if prop == "lantern":
        pen.oval(x, y + 0.085 * s, 0.042 * s, 0.055 * s, (255, 222, 110))
        pen.limb([(x - 0.035 * s, y + 0.14 * s), (x + 0.035 * s, y + 0.14 * s)], 0.022 * s, (70, 60, 60))
        pen.limb([(x - 0.03 * s, y + 0.03 * s), (x + 0.03 * s, y + 0.03 * s)], 0.022 * s, (70, 60, 60))
    elif prop == "book":
        pen.poly(np.array([[-0.06, -0.03], [0.06, -0.03], [0.06, 0.06], [-0.06, 0.06]]) * s + hand, (150, 50, 60))
        pen.stroke(np.array([[x, y - 0.03 * s], [x, y + 0.06 * s]]), 0.012 * s, (250, 244, 230))
    elif prop == "cup":
        pen.poly(
            np.array([[-0.035, -0.04], [0.035, -0.04], [0.028, 0.035], [-0.028, 0.035]]) * s + hand, (244, 244, 250)
        )
    elif prop == "ball":
        pen.oval(x, y + 0.03 * s, 0.055 * s, 0.055 * s, (230, 70, 60))
        pen.stroke(np.array([[x - 0.05 * s, y + 0.03 * s], [x + 0.05 * s, y + 0.03 * s]]), 0.014 * s, (255, 244, 220))
    elif prop == "flower":
        pen.limb([(x, y + 0.03 * s), (x, y - 0.08 * s)], 0.014 * s, (60, 140, 60))
        pen.oval(x, y - 0.1 * s, 0.036 * s, 0.036 * s, (250, 120, 160))
        pen.oval(x, y - 0.1 * s, 0.014 * s, 0.014 * s, (255, 220, 90), inked=False)


def _shade(buffer: np.ndarray, mask: np.ndarray, style: Style, light: Light, x: float, s: float) -> None:
    """Light on the body: a darker side away from the key, or a bright rim when it comes from behind."""
    if light.side in ("left", "right"):
        sign = -1.0 if light.side == "left" else 1.0
        u = sign * (np.arange(buffer.shape[1]) - x) / (0.16 * s)
        if style.shading == "cel":
            factor = np.where(u < -0.15, 0.80, 1.04)
        else:
            depth = 0.09 if style.shading == "flat" else 0.15
            factor = 1.0 - depth + depth * 1.25 * np.tanh(u * 1.1)
        lut = factor.astype(np.float32)[None, :, None]
        np.copyto(buffer, np.clip(buffer * lut, 0, 255).astype(np.uint8))
    elif light.side == "back":
        reach = max(1, round(0.022 * s))
        core = cv2.erode(mask, np.ones((reach * 2 + 1, reach * 2 + 1), np.uint8))
        factor = np.where(core > 128, 0.80, 1.22).astype(np.float32)[..., None]
        np.copyto(buffer, np.clip(buffer * factor + (core <= 128)[..., None] * 14, 0, 255).astype(np.uint8))
