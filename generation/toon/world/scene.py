"""A clip: characters in a place before a camera, and the words that describe it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from generation.request import SIDES
from generation.toon.world.character import Character
from generation.toon.world.figure import Drawn, Light, draw_figure
from generation.toon.world.pen import Pen
from generation.toon.world.place import PLACES, TIMES, paint
from generation.toon.world.pose import Action, pose_at, sample_action, voice
from generation.toon.world.style import Style, sample_style

SIZES = ("wide", "medium", "close-up")
MOVES = {
    "static": "static camera", "push in": "camera pushes in", "pull out": "camera pulls out",
    "pan left": "camera pans left", "pan right": "camera pans right",
}  # fmt: skip
LIGHTS = ("left", "right", "front", "back")
WARMTHS = ("warm", "neutral", "cool")
OVERSAMPLE = 2
_UNIT = {"wide": 0.72, "medium": 1.3, "close-up": 1.9}  # body height in frame heights
_TRAVEL = {
    "wide": 1.0,
    "medium": 0.4,
    "close-up": 0.15,
}  # how much of a step's way is seen: the camera follows close figures
_TIME_GAIN = {
    "morning": (1.03, 0.99, 0.93),
    "day": (1.0, 1.0, 1.0),
    "evening": (1.04, 0.88, 0.76),
    "night": (0.68, 0.74, 0.96),
}
_NIGHT_INSIDE = (0.86, 0.80, 0.82)
_WARMTH_GAIN = {"warm": (1.08, 1.0, 0.86), "neutral": (1.0, 1.0, 1.0), "cool": (0.90, 0.99, 1.10)}


@dataclass(frozen=True)
class Part:
    """One character's part: who, on which side of the screen, doing what."""

    who: Character
    side: str
    action: Action
    speaks: bool = False


@dataclass(frozen=True)
class Scene:
    """All that a clip shows. `fps` is frames a second; the voice of each speaker follows from `seed`."""

    parts: tuple[Part, ...]
    place: str
    time: str
    light: Light
    size: str
    move: str
    style: Style
    seed: int
    fps: float = 12.0


@dataclass
class Clip:
    """What a scene gives: frames (T, H, W, 3) uint8, where each figure lies, and each part's loudness (T,)."""

    frames: np.ndarray
    drawn: list[list[Drawn]] = field(default_factory=list)  # [frame][part]
    levels: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (parts, T)


def sample_scene(
    rng: np.random.Generator, people: list[Character], *, place: str | None = None, time: str | None = None,
    size: str | None = None,
    move: str | None = None, style: Style | None = None, light: Light | None = None, action: str | None = None,
) -> Scene:  # fmt: skip
    """A random scene with these people; what is named is kept."""

    def pick(options: tuple[str, ...] | list[str]) -> str:
        return str(options[int(rng.integers(len(options)))])

    sides = {1: [[pick(SIDES)]], 2: [["left", "right"], ["right", "left"]], 3: [list(p) for p in _ORDERS]}[len(people)]
    order = sides[int(rng.integers(len(sides)))]
    parts = []
    for who, side in zip(people, order, strict=True):
        act = sample_action(rng, side, action)
        speaks = act.name == "talks" or rng.random() < 0.2
        parts.append(Part(who, side, act, speaks))
    return Scene(
        tuple(parts), place or pick(list(PLACES)), time or pick(TIMES),
        light or Light(pick(LIGHTS), pick(WARMTHS)), size or pick(SIZES),
        move or (pick(list(MOVES)) if rng.random() < 0.7 else "static"), style or sample_style(rng), int(rng.integers(1 << 31)),
    )  # fmt: skip


_ORDERS = (
    ("left", "centre", "right"), ("left", "right", "centre"), ("centre", "left", "right"),
    ("centre", "right", "left"), ("right", "left", "centre"), ("right", "centre", "left"),
)  # fmt: skip


def render(scene: Scene, frames: int, width: int, height: int, *, length: float | None = None) -> Clip:
    """The scene as pictures.

    `length` is the time in seconds over which camera and actions play out; by default the clip's own.
    A single picture (`frames=1`) shows how it begins, where every action shows already.
    """
    rng = np.random.default_rng([scene.seed, 9])
    length = length if length is not None else lasting(scene, frames)
    h, w = height * OVERSAMPLE, width * OVERSAMPLE
    ground = paint(scene.place, scene.time, scene.style, scene.seed % 9973, int(h * 1.2), int(w * 1.45))
    levels = np.stack([voice(rng, frames, scene.fps) if p.speaks else np.zeros(frames) for p in scene.parts]).astype(
        np.float32
    )
    gain = _gain(scene, height, width)
    grain = rng.normal(0, scene.style.grain, (height, width, 1)) if scene.style.grain else None
    pictures, drawn = [], []
    for f in range(frames):
        seconds = f / scene.fps
        frame, found = draw_moment(scene, ground, seconds, length, levels[:, f], h, w)
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        pictures.append(_finish(small, gain, scene.style, grain))
        for d in found:
            d.box, d.face, d.points = d.box / OVERSAMPLE, d.face / OVERSAMPLE, d.points / OVERSAMPLE
            d.head, d.joints = d.head / OVERSAMPLE, d.joints / OVERSAMPLE
        drawn.append(found)
    return Clip(np.stack(pictures), drawn, levels)


def lasting(scene: Scene, frames: int) -> float:
    """Seconds over which camera and actions of a clip of so many frames play out."""
    return max(frames / scene.fps, 1.0)


def draw_moment(
    scene: Scene, ground: np.ndarray, seconds: float, length: float, mouths: np.ndarray, h: int, w: int
) -> tuple[np.ndarray, list[Drawn]]:  # fmt: skip
    """One picture (h, w, 3) before the light is laid on it, and where everybody lies. `mouths` (parts,) loudness."""
    share = min(max(seconds / length, 0.0), 1.0)
    zoom = {"push in": 1.0 + 0.28 * share, "pull out": 1.28 - 0.28 * share}.get(scene.move, 1.0)
    pan = {"pan left": 0.5 - share, "pan right": share - 0.5}.get(scene.move, 0.0) * 0.24 * w
    unit = _UNIT[scene.size] * h * zoom
    if len(scene.parts) == 3 and scene.size == "close-up":
        unit *= 0.8
    depth = {"wide": 1.0, "medium": 1.32, "close-up": 1.6}[scene.size] * (1 + (zoom - 1) * 0.8)
    canvas = _background(ground, depth, pan, h, w, scene.size)
    spread = {1: 0.24, 2: 0.23, 3: 0.29}[len(scene.parts)]
    tallest = max(p.who.height for p in scene.parts)
    order = sorted(range(len(scene.parts)), key=lambda i: (scene.parts[i].side != "centre", i))
    found: list[Drawn | None] = [None] * len(scene.parts)
    for i in order:
        part = scene.parts[i]
        x = w * (0.5 + spread * (SIDES.index(part.side) - 1)) - pan
        top = (tallest - part.who.height) * unit
        if scene.size == "wide":
            y = h * (0.5 + 0.43 * zoom)
        else:
            aim, keep = (0.40, 0.38) if scene.size == "medium" else (0.50, 0.3)
            y = h * aim + top * keep + part.who.height * unit * (1 - 0.155 * part.who.head)
        pose = pose_at(part.action, seconds, length, float(mouths[i]))
        pose = replace(pose, dx=pose.dx * _TRAVEL[scene.size])
        if part.action.name == "sits":
            _stool(canvas, scene, x, y, unit * part.who.height)
            if scene.size != "wide":
                y -= 0.12 * unit
        if part.action.name == "climbs":
            _stairs(canvas, scene, x, y, unit * part.who.height, part.action.facing)
        found[i] = draw_figure(canvas, part.who, scene.style, pose, part.action.prop, x, y, unit, scene.light)
    return canvas, [d for d in found if d is not None]


def _background(ground: np.ndarray, depth: float, pan: float, h: int, w: int, size: str) -> np.ndarray:
    gh, gw = ground.shape[:2]
    scale = depth * h / (gh * 0.96)
    cx, cy = gw / 2 + pan / scale, gh * {"wide": 0.52, "medium": 0.46, "close-up": 0.42}[size]
    move = np.array([[scale, 0, w / 2 - scale * cx], [0, scale, h / 2 - scale * cy]], np.float32)
    view = cv2.warpAffine(ground, move, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    blur = {"wide": 0, "medium": 3, "close-up": 7}[size]
    return cv2.blur(view, (blur, blur)) if blur else view


def _stool(canvas: np.ndarray, scene: Scene, x: float, y: float, s: float) -> None:
    pen = Pen(canvas, scene.style.ink, scene.style.outline * s)
    pen.poly(np.array([[-0.15, -0.15], [0.15, -0.15], [0.15, -0.09], [-0.15, -0.09]]) * s + [x, y], (150, 100, 62))
    for sign in (-1, 1):
        pen.limb([(x + sign * 0.11 * s, y - 0.09 * s), (x + sign * 0.13 * s, y + 0.02 * s)], 0.035 * s, (120, 78, 48))


def _stairs(canvas: np.ndarray, scene: Scene, x: float, y: float, s: float, facing: int) -> None:
    pen = Pen(canvas, scene.style.ink, scene.style.outline * s)
    for k in range(-3, 4):
        left = x + facing * k * 0.15 * s
        top = y - k * 0.0825 * s + 0.05 * s
        pen.poly(
            np.array(
                [[left - 0.08 * s, top], [left + 0.08 * s, top], [left + 0.08 * s, top + s], [left - 0.08 * s, top + s]]
            ),
            (140, 112, 86),
        )


def _gain(scene: Scene, height: int, width: int) -> np.ndarray:
    interior = PLACES[scene.place][0]
    time = np.array(_NIGHT_INSIDE if interior and scene.time == "night" else _TIME_GAIN[scene.time])
    if interior and scene.time != "night":
        time = 1 + (time - 1) * 0.6
    base = time * np.array(_WARMTH_GAIN[scene.light.warmth])
    x = np.linspace(-1, 1, width)[None, :, None]
    y = np.linspace(-1, 1, height)[:, None, None]
    if scene.light.side in ("left", "right"):
        shape = 1.0 + 0.2 * x * (-1 if scene.light.side == "left" else 1) - 0.03
    elif scene.light.side == "front":
        shape = 1.07 - 0.16 * (x**2 + y**2) * 0.7
    else:
        shape = 0.9 + 0.3 * np.exp(-((x / 0.8) ** 2 + ((y + 0.7) / 0.7) ** 2))
    return (base * (1 + scene.light.falloff * (shape - 1))).astype(np.float32)


def _finish(picture: np.ndarray, gain: np.ndarray, style: Style, grain: np.ndarray | None) -> np.ndarray:
    lit = picture * gain
    grey = lit.mean(-1, keepdims=True)
    out = (grey + (lit - grey) * style.saturation - 118) * style.contrast + 118
    if grain is not None:
        out = out + grain
    return np.clip(out, 0, 255).astype(np.uint8)
