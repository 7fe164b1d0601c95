"""Training of the three embedders: faces, whole figures (open_clip) and bodies (re-identification)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from generation.toon.data import Drawings
from generation.toon.encoders import clip, crops
from generation.toon.encoders.crops import Sight
from generation.toon.encoders.fit import fit
from generation.toon.encoders.looks import FACE_COLOURS, FACE_FIELDS, Teacher, Tutor
from generation.toon.encoders.networks import body_net, face_net
from generation.toon.world import character

OTHERS = 1500
"""Characters among whom each crop's own must be found."""
TEXTS = 48
"""Crops of a batch that are also matched with phrases."""

Cut = Callable[[np.ndarray, Sight, np.random.Generator], np.ndarray]


def face(frame: np.ndarray, sight: Sight, rng: np.random.Generator) -> np.ndarray:
    """A training face crop."""
    return crops.weather(crops.face_crop(frame, crops.noisy_points(sight.points, rng)), rng)


def figure(frame: np.ndarray, sight: Sight, rng: np.random.Generator) -> np.ndarray:
    """A training figure crop."""
    return crops.letterbox(crops.weather(crops.figure_cut(frame, crops.noisy_box(sight.box, rng)), rng))


def body(frame: np.ndarray, sight: Sight, rng: np.random.Generator) -> np.ndarray:
    """A training body crop."""
    cut = crops.figure_cut(frame, crops.noisy_box(sight.box, rng), margin=0.0)
    return crops.stretch(crops.weather(cut, rng), *crops.BODY)


def tensor(pictures: Sequence[np.ndarray]) -> Tensor:
    """Crops (h, w, 3) uint8 to a batch (n, 3, h, w) in -1..1."""
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return (batch.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class Batches:
    """Random crops of training people."""

    def __init__(self, sets: Sequence[Drawings], cut: Cut, size: int, *, faces: bool = False) -> None:
        self.sets, self.cut, self.size = sets, cut, size
        self.sights = [s for s in crops.sights(sets) if s.face_seen or not faces]
        self.people = tuple(character.seeds(20_000, hold_out=False))

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """Crops (n, 3, h, w), their seeds (n,) and others' (OTHERS,)."""
        chosen = [self.sights[int(i)] for i in rng.integers(len(self.sights), size=self.size)]
        pictures = [self.cut(self.sets[s.source].frames[s.index, 0], s, rng) for s in chosen]
        return tensor(pictures), np.array([s.seed for s in chosen]), rng.choice(self.people, OTHERS, replace=False)


def train_face(sets: Sequence[Drawings], work: Path, steps: int) -> nn.Module:
    """The face embedder."""
    torch.manual_seed(1)
    batches = Batches(sets, face, 128, faces=True)
    both = nn.ModuleDict({"net": face_net(), "teacher": Teacher(512, fields=FACE_FIELDS, colours=FACE_COLOURS)})
    return _fit("face", both, batches, work, steps)


def train_body(sets: Sequence[Drawings], work: Path, steps: int) -> nn.Module:
    """The re-identification embedder."""
    torch.manual_seed(2)
    both = nn.ModuleDict({"net": body_net(), "teacher": Teacher(256)})
    return _fit("body", both, Batches(sets, body, 128), work, steps)


def _fit(name: str, both: nn.ModuleDict, batches: Batches, work: Path, steps: int) -> nn.Module:
    both.to(memory_format=torch.channels_last)

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        pictures, seeds, others = batches(rng)
        return both["teacher"](both["net"](pictures), seeds, others, batches.people)

    return fit(name, both, loss, work, steps=steps, rate=1.5e-3)["net"]  # type: ignore[index]


def train_figure(sets: Sequence[Drawings], work: Path, steps: int) -> nn.Module:
    """The open_clip model."""
    torch.manual_seed(3)
    batches, phrases = Batches(sets, figure, 128), clip.Phrases()
    both = nn.ModuleDict({"net": clip.build(), "teacher": Teacher(clip.WIDTH), "tutor": Tutor(clip.FEATURES)})
    both["net"].visual.to(memory_format=torch.channels_last)

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        pictures, seeds, others = batches(rng)
        figures, features = clip.look(both["net"], pictures)
        terms = both["teacher"](figures, seeds, others, batches.people)
        terms["tutor"] = both["tutor"](features, seeds, batches.people)
        terms["words"] = 0.3 * clip.match(both["net"], figures[:TEXTS], phrases.rows(seeds[:TEXTS], rng))
        return terms

    return fit("figure", both, loss, work, steps=steps, rate=1.5e-3)["net"]  # type: ignore[index]
