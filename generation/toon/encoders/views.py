"""Whole pictures for the detectors: zoomed, moved and weathered, with the boxes of everybody who shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from generation.toon.data import Drawings
from generation.toon.encoders.crops import body_core, cover, stretch, weather

HEIGHT, WIDTH = 192, 320
"""Size of both detectors' input in training and in use."""


@dataclass(frozen=True)
class View:
    """Pictures (n, 3, HEIGHT, WIDTH) in -1..1; per picture the boxes (k, 4) in input pixels, the points (k, 5, 2), and whether
    each is to be found (1), to be left alone (0) or passed over in the loss (-1)."""

    pictures: Tensor
    boxes: list[Tensor]
    points: list[Tensor]
    wanted: list[Tensor]


class Views:
    """Random views of drawn pictures, for faces or for figures."""

    def __init__(self, sets: Sequence[Drawings], size: int, *, faces: bool) -> None:
        self.sets, self.size, self.faces = sets, size, faces
        self.counts = np.cumsum([s.recipe.count for s in sets])

    def __call__(self, rng: np.random.Generator) -> View:
        """A batch."""
        rows = [self._one(int(i), rng) for i in rng.integers(self.counts[-1], size=self.size)]
        pictures, boxes, points, wanted = zip(*rows, strict=True)
        batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
        batch = batch.contiguous(memory_format=torch.channels_last)
        return View(batch, *([torch.from_numpy(v) for v in column] for column in (boxes, points, wanted)))

    def _one(self, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        source = int(np.searchsorted(self.counts, number, side="right"))
        drawings, index = self.sets[source], number - (int(self.counts[source - 1]) if source else 0)
        count = int((drawings.people[index] >= 0).sum())
        sides = [part[0] for part in drawings.notes[index]["parts"]]
        figures, faces = np.array(drawings.boxes[index, :count]), np.array(drawings.faces[index, :count])
        picture, move = self._place(np.asarray(drawings.frames[index, 0]), rng)
        found = faces if self.faces else figures
        marks = wanted(found, figures, sides, (drawings.recipe.height, drawings.recipe.width))
        boxes = found * np.tile(move[0], 2) + np.tile(move[1], 2)
        points = np.array(drawings.points[index, :count]) * move[0] + move[1]
        here = np.array([_inside(box) for box in boxes])
        marks = np.where((marks == 0) | (here == 0), 0, np.minimum(marks, here))
        boxes = np.clip(boxes, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
        return picture, boxes.astype(np.float32), points.astype(np.float32), marks.astype(np.int64)

    def _place(self, frame: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """The input picture, and the scale (2,) and shift (2,) that take the frame's pixels to its own."""
        height, width = frame.shape[:2]
        fit = np.array([WIDTH / width, HEIGHT / height])
        kind = rng.random()
        if kind < 0.4:
            zoom = 1.0
        elif self.faces:
            zoom = float(np.exp(rng.uniform(np.log(0.3), np.log(1.5))))
        else:
            zoom = float(rng.uniform(0.6, 1.3))
        scale = fit * zoom * (1.0 if kind < 0.4 else rng.uniform(0.9, 1.1, 2))
        room = np.array([WIDTH, HEIGHT]) - np.array([width, height]) * scale
        shift = np.zeros(2) if kind < 0.55 and zoom <= 1 else rng.uniform(np.minimum(room, 0), np.maximum(room, 0))
        if np.all(scale < 1):
            frame = stretch(frame, max(2, round(height * scale[1])), max(2, round(width * scale[0])))
            matrix = np.array([[1.0, 0, shift[0]], [0, 1.0, shift[1]]])
        else:
            # warpAffine counts from pixel centres.
            matrix = np.array(
                [[scale[0], 0, shift[0] + scale[0] / 2 - 0.5], [0, scale[1], shift[1] + scale[1] / 2 - 0.5]]
            )
        around = (0, 0, 0) if self.faces or rng.random() < 0.3 else tuple(int(v) for v in rng.integers(0, 256, 3))
        picture = cv2.warpAffine(frame, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderValue=around)
        return weather(picture, rng), (scale, shift)


def wanted(boxes: np.ndarray, figures: np.ndarray, sides: list[str], size: tuple[int, int]) -> np.ndarray:
    """1, 0 or -1 for each box, by how much of it other figures hide. Who stands in the centre is drawn first, behind the rest."""
    order = sorted(range(len(sides)), key=lambda i: (sides[i] != "centre", i))
    out = np.ones(len(boxes))
    frame = np.array([0, 0, size[1], size[0]], np.float32)
    for place, i in enumerate(order):
        hidden = sum(cover(boxes[i], body_core(figures[j])) for j in order[place + 1 :])
        hidden += 1 - cover(boxes[i], frame)
        wide, tall = boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1]
        if hidden > 0.9 or min(wide, tall) < 2:
            out[i] = 0
        elif hidden > 0.5:
            out[i] = -1
    return out


def _inside(box: np.ndarray) -> int:
    """1, 0 or -1 for a box by how much of it is in the input picture, and how large it is there."""
    share = cover(box.astype(np.float32), np.array([0, 0, WIDTH, HEIGHT], np.float32))
    small = max(box[2] - box[0], box[3] - box[1]) < 8
    return 0 if share < 0.05 else -1 if share < 0.5 or small else 1
