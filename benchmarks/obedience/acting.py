"""A small network that reads what a figure does, from pictures of the figure alone: an arm in a whole frame is a few pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.obedience.learning import roughened, taught
from generation.toon.world import scene
from generation.toon.world.pose import ACTIONS

MOMENTS = 9
SIZE = (56, 72)
"""Width and height of a figure as the network takes it."""
UNSEEN = -1
"""The label of an action in a close-up, where walking and standing look alike: nobody is asked for it."""
ROOM = 1.25
"""How much larger than the figure its picture is: a box that is a little off still holds the hands."""

Box = Sequence[float] | np.ndarray


def label(what: scene.Scene) -> int:
    """What a scene's only person does, as a place in ACTIONS, or UNSEEN."""
    return UNSEEN if what.size == "close-up" else ACTIONS.index(what.parts[0].action.name)


def seen(moments: np.ndarray, boxes: Sequence[Box | None]) -> tuple[np.ndarray, np.ndarray]:
    """The figure at each of a clip's moments, (9, 3, 72, 56) uint8, and its way, (9, 4): middle, width and height as shares of
    the frame.

    moments: (9, H, W, 3) uint8. boxes: of the figure at each of them, None where it was not found: there it is looked for where
    it was found last, or will be next. All pictures of a clip have one scale.
    """
    height, width = moments.shape[1:3]
    known = [k for k, box in enumerate(boxes) if box is not None]
    near = [boxes[min(known, key=lambda j, k=k: (abs(j - k), j))] if known else (0, 0, width, height) for k in range(len(boxes))]
    held = np.asarray(near, np.float64)
    middle, extent = (held[:, :2] + held[:, 2:]) / 2, held[:, 2:] - held[:, :2]
    # One scale and shape for all: as wide as the widest moment.
    tall = ROOM * max(extent[:, 1].max(), extent[:, 0].max() * SIZE[1] / SIZE[0])
    wide = tall * SIZE[0] / SIZE[1]
    pictures = []
    for frame, (x, y) in zip(moments, middle, strict=True):
        scale = SIZE[1] / tall
        place = np.array([[scale, 0, (wide / 2 - x) * scale], [0, scale, (tall / 2 - y) * scale]])
        soft = cv2.GaussianBlur(frame, (0, 0), 0.4 / scale) if scale < 0.8 else frame
        pictures.append(cv2.warpAffine(soft, place, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    way = np.concatenate([middle, extent], 1) / (width, height, width, height)
    return np.stack(pictures).transpose(0, 3, 1, 2), way.astype(np.float32)


class Actor(nn.Module):
    """Scores (N, 11) of ACTIONS, from (N, 9, 3, 72, 56) uint8 and ways (N, 9, 4). The same eyes look at every moment."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3
        for outside in (width, 2 * width, 4 * width, 4 * width):
            layers += [nn.Conv2d(inside, outside, 3, 2, 1), nn.BatchNorm2d(outside), nn.ReLU()]
            inside = outside
        self.eyes = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(inside * 5 * 4, 64), nn.ReLU())
        self.mind = nn.Sequential(
            nn.Linear(MOMENTS * 72, 192), nn.ReLU(), nn.Dropout(0.2), nn.Linear(192, len(ACTIONS))
        )  # fmt: skip

    def forward(self, pictures: Tensor, ways: Tensor) -> Tensor:
        looks = self.eyes(pictures.flatten(0, 1).float() / 127.5 - 1).view(len(pictures), MOMENTS, -1)
        moved = 4 * (ways - ways.mean(1, keepdim=True))
        return self.mind(torch.cat([looks, ways, moved], -1).flatten(1))

    @torch.inference_mode()
    def read(self, pictures: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """The answers (N,), places in ACTIONS."""
        self.eval()
        return self(torch.from_numpy(pictures), torch.from_numpy(ways)).argmax(1).numpy()


def trained(pictures: np.ndarray, ways: np.ndarray, truth: np.ndarray, path: Path, *, epochs: int = 16) -> Actor:
    """The reader of these figures whose actions `truth` (N,) says, taught now or found at `path`."""

    def amiss(actor: Actor, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        # Boxes of a detector lie a little off those of the drawing.
        some = roughened(np.stack([_shaken(pictures[row], rng) for row in rows]), rng)
        off = ways[rows] + rng.normal(0, 0.01, ways[rows].shape).astype(np.float32)
        return nn.functional.cross_entropy(actor(torch.from_numpy(some), torch.from_numpy(off)), torch.from_numpy(truth[rows]))

    return taught(Actor(), amiss, np.flatnonzero(truth != UNSEEN), path, epochs=epochs)


def _shaken(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A clip's pictures moved by some pixels, each by its own."""
    return np.stack([np.roll(one, tuple(rng.integers(-3, 4, 2)), (1, 2)) for one in pictures])
