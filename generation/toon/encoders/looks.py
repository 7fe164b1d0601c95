"""What an embedding must hold: a character's traits and colours as numbers, and the losses that teach them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.toon.world import character

FIELD_SIZES = tuple(len(field) for field in character.FIELDS)
FACE_FIELDS = (0, 1, 2, 3, 4, 5, 6, 7, 8)
"""The entries of character.FIELDS that a face shows."""
FACE_COLOURS = (0, 1, 2)
"""The rows of character.colours() that a face shows."""
ALL_FIELDS = tuple(range(len(FIELD_SIZES)))
ALL_COLOURS = tuple(range(7))
WIDTH = sum(FIELD_SIZES) + 7 * 3 + 3 + 5
"""Numbers that describe a character: traits one-hot, seven colours, the beard's, eye size, height, build, head, parting."""
_HAIR = 2


def _describe(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    who = character.sample(seed)
    fields = np.array([f.index(n) for f, n in zip(character.FIELDS, who.names, strict=True)])
    hot = np.concatenate([np.eye(n, dtype=np.float32)[k] for n, k in zip(FIELD_SIZES, fields, strict=True)])
    colours = character.colours(who)
    beard = np.array(who.beard_colour, np.float32) / 255 if who.beard != "none" else np.full(3, 0.5, np.float32)
    build = [
        (who.eye_size - 1.05) * 5,
        (who.height - 0.9) * 5,
        (who.build - 1.07) * 4,
        (who.head - 1.08) * 6,
        who.seed % 2,
    ]
    if who.hair_style == "bald":  # nothing shows the hair's colour
        fields[_HAIR] = -1
        hot[FIELD_SIZES[0] + FIELD_SIZES[1] :][: FIELD_SIZES[_HAIR]] = 0
    return (
        np.concatenate([hot, (colours.ravel() - 0.5) * 3, (beard - 0.5) * 3, np.array(build, np.float32)]),
        fields,
        colours,
    )


@lru_cache(maxsize=4)
def _table(people: tuple[int, ...]) -> tuple[np.ndarray, tuple[Tensor, Tensor, Tensor]]:
    columns = zip(*(_describe(seed) for seed in people), strict=True)
    first, second, third = (torch.from_numpy(np.stack(column)) for column in columns)
    return np.array(people), (first, second, third)


def describe(seeds: np.ndarray, people: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Descriptions (n, WIDTH), trait indices (n, 14; -1 where nothing shows it) and colours (n, 7, 3) 0..1 of identity seeds,
    which stand in the ascending `people`."""
    known, (descriptions, fields, colours) = _table(people)
    rows = torch.from_numpy(np.searchsorted(known, seeds))
    return descriptions[rows], fields[rows], colours[rows]


class Teacher(nn.Module):
    """The heads that train an embedding and are then dropped: who it is, among thousands; which traits; which colours.

    Who it is is asked against descriptions: a character's own numbers are embedded, so that any character, drawn or not, can
    stand among the others. Most of that embedding is linear, so that traits and colours stay readable.
    """

    known: Tensor

    def __init__(
        self, width: int, *, fields: tuple[int, ...] = ALL_FIELDS, colours: tuple[int, ...] = ALL_COLOURS
    ) -> None:
        super().__init__()
        self.fields, self.colours, self.width = fields, colours, width
        known = np.zeros(WIDTH, np.float32)
        starts = np.cumsum((0, *FIELD_SIZES))
        for f in fields:
            known[starts[f] : starts[f + 1]] = 1
        for c in colours:
            known[starts[-1] + 3 * c : starts[-1] + 3 * c + 3] = 1
        known[starts[-1] + 21 : starts[-1] + 25] = 1
        known[starts[-1] + 25 :] = 1 if fields == ALL_FIELDS else 0
        self.register_buffer("known", torch.from_numpy(known), persistent=False)
        self.plain = nn.Linear(WIDTH, width)
        self.fine = nn.Sequential(
            nn.Linear(WIDTH, 512), nn.GELU(), nn.Linear(512, 512), nn.GELU(), nn.Linear(512, width)
        )
        self.traits = nn.Linear(width, sum(FIELD_SIZES[f] for f in fields))
        self.paints = nn.Linear(width, 3 * len(colours))
        self.scale = nn.Parameter(torch.tensor(2.5))

    def forward(
        self, embedding: Tensor, seeds: np.ndarray, others: np.ndarray, people: tuple[int, ...]
    ) -> dict[str, Tensor]:
        """Losses of embeddings (n, width), of any length, that show `seeds` (n,), with further characters `others` (m,); all
        of them stand in `people`."""
        unit = F.normalize(embedding.float(), dim=-1)
        unique, place = np.unique(np.concatenate([seeds, others]), return_inverse=True)
        description, fields, colours = describe(unique, people)
        description = description * self.known
        centres = F.normalize((self.plain(description) + self.fine(description)).float(), dim=-1)
        mine = torch.from_numpy(place[: len(seeds)])
        logits = unit @ centres.t() * self.scale.exp().clamp(max=60)
        rows = unit * self.width**0.5
        traits = self.traits(rows).float().split([FIELD_SIZES[f] for f in self.fields], -1)
        wrong = [F.cross_entropy(t, fields[mine, f], ignore_index=-1) for t, f in zip(traits, self.fields, strict=True)]
        paints = self.paints(rows).float().view(len(unit), -1, 3)
        off = F.smooth_l1_loss(paints, colours[mine][:, list(self.colours)], beta=0.1)
        return {"who": F.cross_entropy(logits, mine), "traits": 6 * torch.stack(wrong).mean(), "paint": 60 * off}


class Tutor(nn.Module):
    """Traits and colours read straight from a map of features: shapes are learned sooner than through an embedding alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2 * channels)
        self.out = nn.Linear(2 * channels, sum(FIELD_SIZES) + 21)

    def forward(self, features: Tensor, seeds: np.ndarray, people: tuple[int, ...]) -> Tensor:
        """The loss of maps (n, channels, h, w) that show `seeds` (n,)."""
        _, fields, colours = describe(seeds, people)
        pooled = self.norm(torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1))
        *traits, paints = self.out(pooled).float().split([*FIELD_SIZES, 21], -1)
        wrong = [F.cross_entropy(t, fields[:, f], ignore_index=-1) for f, t in enumerate(traits)]
        return 6 * torch.stack(wrong).mean() + 30 * F.smooth_l1_loss(paints.view(-1, 7, 3), colours, beta=0.1)
