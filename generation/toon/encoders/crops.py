"""Crops of drawn people, cut as the encoders will get them: with a detector's noise and a generated picture's softness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from generation.toon.data import Drawings

FACE = 112
"""Side of a face crop: insightface's ArcFace template."""
FIGURE = 112
"""Side of the figure embedder's input."""
BODY = (128, 64)
"""Height and width of the re-identification input."""
FILL = 127
MARGIN = 0.04
"""A figure's crop is its box grown by this share of its longer side, as in identity.encoders."""
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""Where insightface puts the five points of a face."""


@dataclass(frozen=True)
class Sight:
    """One person in one picture: which set and picture, whose, the box (4,) and the five points (5, 2) in pixels."""

    source: int
    index: int
    seed: int
    size: str
    box: np.ndarray
    points: np.ndarray
    face_seen: bool


def sights(sets: Sequence[Drawings]) -> list[Sight]:
    """Everybody in the sets who can be made out; people hidden behind others and slivers at the edge are left out."""
    found = []
    for source, drawings in enumerate(sets):
        height, width = drawings.recipe.height, drawings.recipe.width
        for index in range(drawings.recipe.count):
            parts = drawings.notes[index]["parts"]
            boxes, faces, points = drawings.boxes[index], drawings.faces[index], drawings.points[index]
            order = sorted(range(len(parts)), key=lambda i: (parts[i][0] != "centre", i))
            for place, i in enumerate(order):
                box, face = boxes[i], faces[i]
                before = [body_core(boxes[j]) for j in order[place + 1 :]]
                wide, tall = box[2] - box[0], box[3] - box[1]
                if wide < 14 or tall < 20 or sum(cover(box, b) for b in before) > 0.6:
                    continue
                inside = cover(face, np.array([0, 0, width, height], np.float32))
                seen = inside > 0.7 and sum(cover(face, b) for b in before) < 0.4 and face[2] - face[0] > 7
                size, seed = drawings.notes[index]["size"], int(drawings.people[index, i])
                found.append(Sight(source, index, seed, size, np.array(box), np.array(points[i]), bool(seen)))
    return found


def body_core(box: np.ndarray) -> np.ndarray:
    """The part of a figure's box that its body fills, arms left out."""
    quarter = (box[2] - box[0]) / 4
    return np.array([box[0] + quarter, box[1], box[2] - quarter, box[3]], np.float32)


def cover(box: np.ndarray, other: np.ndarray) -> float:
    """The share of `box` that `other` covers."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    tall = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return float(max(0.0, wide) * max(0.0, tall) / max(area, 1e-6))


def noisy_points(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Five points as a detector would give them."""
    scale = float(np.linalg.norm(points[0] - points[1]) + np.linalg.norm(points[:2].mean(0) - points[3:].mean(0))) / 2
    common = rng.normal(0, 0.03, 2) + rng.normal(0, 0.035, (5, 2))
    middle = points.mean(0)
    return ((points - middle) * (1 + rng.normal(0, 0.03)) + middle + common * scale).astype(np.float32)


def noisy_box(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A figure's box as a detector would give it."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    return box + rng.normal(0, 0.025, 4) * np.array([wide, tall, wide, tall])


def face_crop(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(112, 112, 3): the five points moved onto the template, black outside the frame, as insightface's norm_crop does."""
    return cv2.warpAffine(frame, similarity(points, TEMPLATE), (FACE, FACE), borderValue=0.0)


def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The least-squares similarity (2, 3) that takes points (n, 2) onto target (n, 2): points of the plane as complex numbers."""
    here, there = points.mean(0), target.mean(0)
    a, b = points - here, target - there
    size = max(float((a**2).sum()), 1e-9)
    real, imaginary = float((a * b).sum()) / size, float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / size
    turn = np.array([[real, -imaginary], [imaginary, real]])
    return np.concatenate([turn, (there - turn @ here)[:, None]], 1)


def figure_cut(frame: np.ndarray, box: np.ndarray, margin: float = MARGIN) -> np.ndarray:
    """The part of a frame in a box grown by a margin, inside the frame; at least one pixel."""
    grow = margin * float(max(box[2] - box[0], box[3] - box[1]))
    height, width = frame.shape[:2]
    x0, y0 = (int(v) for v in np.clip(np.floor(box[:2] - grow), 0, [width - 2, height - 2]))
    x1, y1 = (int(v) for v in np.clip(np.ceil(box[2:] + grow), [x0 + 2, y0 + 2], [width, height]))
    return frame[y0:y1, x0:x1]


def letterbox(picture: np.ndarray, side: int = FIGURE) -> np.ndarray:
    """(side, side, 3): the picture's longer side scaled to `side`, the rest grey, as open_clip's "longest" does."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    out = np.full((side, side, 3), FILL, np.uint8)
    y, x = (side - h) // 2, (side - w) // 2
    out[y : y + h, x : x + w] = stretch(picture, h, w)
    return out


def stretch(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture at another size, without aliasing when it shrinks."""
    smaller = height * width < picture.shape[0] * picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def weather(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What generation, scaling and files do to a picture: softness, grain, JPEG, a little gain."""
    kind = rng.random(4)
    if kind[0] < 0.35:
        factor = float(rng.uniform(0.35, 0.9))
        h, w = picture.shape[:2]
        picture = stretch(picture, max(6, int(h * factor)), max(6, int(w * factor)))
        picture = cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR if kind[1] < 0.5 else cv2.INTER_CUBIC)
    if kind[2] < 0.3:
        gain = 1 + rng.normal(0, 0.03) + rng.normal(0, 0.015, 3)
        noise = rng.standard_normal(picture.shape, np.float32) * float(rng.uniform(0, 7))
        picture = np.clip(picture * gain.astype(np.float32) + noise, 0, 255).astype(np.uint8)
    if kind[3] < 0.08:
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])[1]
        picture = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return picture
