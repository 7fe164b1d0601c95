"""A small network that reads a clip as a viewer would: where, when, in which light, how framed.

It learns from drawings of training people, and is itself measured on drawings of held-out people: what it cannot read in a
drawing, it cannot blame a render for.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.obedience.learning import roughened, taught
from generation.request import SIDES
from generation.toon.world import scene
from generation.toon.world.place import PLACES, TIMES

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "place": tuple(PLACES), "time": TIMES, "light from": scene.LIGHTS, "warmth": scene.WARMTHS, "size": scene.SIZES,
    "camera": tuple(scene.MOVES), "side": SIDES,
}  # fmt: skip
FRAMES = 33
"""As long as the clips that the experts learn from, and as a film's shots: a camera takes all of it for its way."""
EVERY = 4
"""The readers look at every fourth frame: at a clip's moments."""
LOOKED = slice(None, None, 2)
"""This one at every other moment."""
SIZE = (144, 84)
"""Width and height at which the judge looks."""


def labels(what: scene.Scene) -> list[int]:
    """What a scene of one person shows, as places in ATTRIBUTES."""
    side = what.parts[0].side
    said = (what.place, what.time, what.light.side, what.light.warmth, what.size, what.move, side)
    return [options.index(word) for options, word in zip(ATTRIBUTES.values(), said, strict=True)]


def looks(moments: np.ndarray) -> np.ndarray:
    """A clip's nine moments (9, H, W, 3) as the judge takes them: every other one, small, (15, h, w) uint8."""
    small = [cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA) for frame in moments[LOOKED]]
    return np.concatenate(small, -1).transpose(2, 0, 1)


class Judge(nn.Module):
    """Seven answers from the five moments of a clip: (N, 15, 84, 144) uint8 in, scores (N, options) by attribute out."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3 * 5
        for k, outside in enumerate((width, 2 * width, 4 * width, 4 * width)):
            layers += [
                nn.Conv2d(inside, outside, 5 if k == 0 else 3, 2, 2 if k == 0 else 1),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
            ]
            layers += [nn.Conv2d(outside, outside, 3, 1, 1), nn.BatchNorm2d(outside), nn.ReLU()] if k else []
            inside = outside
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(inside * 6 * 9, 256), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(256, len(options)) for options in ATTRIBUTES.values())

    def forward(self, clips: Tensor) -> list[Tensor]:
        seen = self.body(clips.float() / 127.5 - 1)
        return [head(seen) for head in self.heads]

    @torch.inference_mode()
    def read(self, clips: np.ndarray) -> np.ndarray:
        """The answers (N, 7) to clips (N, 15, h, w)."""
        self.eval()
        return torch.stack([score.argmax(1) for score in self(torch.from_numpy(clips))], 1).numpy()


def trained(clips: np.ndarray, truth: np.ndarray, path: Path, *, epochs: int = 10) -> Judge:
    """The judge of these drawings, taught now or found at `path`."""

    def amiss(judge: Judge, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        answers, wanted = judge(torch.from_numpy(roughened(clips[rows], rng))), torch.from_numpy(truth[rows])
        return torch.stack([nn.functional.cross_entropy(a, wanted[:, k]) for k, a in enumerate(answers)]).sum()

    return taught(Judge(), amiss, np.arange(len(clips)), path, epochs=epochs)
