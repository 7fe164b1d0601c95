"""Who is in the frames of a clip, and how well each character keeps to its pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.changes import Change
from identity.encoders import Encoders
from identity.pack import IdentityPack
from identity.portrayal import CharacterScore, Seen, portrayal
from identity.sightings import sightings


@dataclass(frozen=True)
class Score:
    """A clip measured against packs: a CharacterScore for each pack, who was seen in which frame, the likeness `gate`
    that applied, and `strangers`, the share of frames with a figure that is none of the packs'."""

    frames: int
    characters: dict[str, CharacterScore]
    seen: tuple[Seen, ...]
    strangers: float
    gate: float

    @property
    def passes(self) -> bool:
        """Whether every character passes."""
        return all(character.passes for character in self.characters.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Score:
        """The score that `to_dict` gave."""
        characters = {
            name: CharacterScore(
                **{
                    **row,
                    "looks": tuple(row["looks"]),
                    "changes": tuple(Change(**change) for change in row["changes"]),
                    "faults": tuple(row["faults"]),
                }
            )
            for name, row in plain["characters"].items()
        }
        seen = tuple(
            Seen(**{**row, "box": tuple(row["box"]), "face_box": row["face_box"] and tuple(row["face_box"])})
            for row in plain["seen"]
        )
        return cls(plain["frames"], characters, seen, plain["strangers"], plain["gate"])


def score(frames: Iterable[NDArray[np.uint8]], packs: Mapping[str, IdentityPack], encoders: Encoders) -> Score:
    """Measure a clip, frames (T, H, W, 3) uint8 RGB or any iterable of frames, against packs by name.

    In every frame figures are assigned to packs, each at most once, so that the whole evidence of face, figure and
    body is greatest; the evidence is first averaged along each figure's track. A figure that is likelier someone else
    stays unassigned. Likeness itself is not averaged. Frames stream through; what is kept of each is a few numbers.
    Raises IdentityError for packs of other encoders and for no frames.
    """
    found = sightings(frames, packs, encoders)
    pairs = [assign(table["evidence"]) for table in found.tables]
    seen: list[Seen] = []
    characters = {}
    for column, name in enumerate(packs):
        rows = {place: figure for place, each in enumerate(pairs) for figure, pack in each if pack == column}
        characters[name], mine = portrayal(name, rows, column, found, encoders.thresholds)
        seen += mine
    seen.sort(key=lambda one: one.frame)
    strange = sum(len(each) < len(figures) for each, figures in zip(pairs, found.figures, strict=True))
    strangers, gate = round(strange / len(pairs), 4), round(encoders.thresholds.gate, 4)
    return Score(len(pairs), characters, tuple(seen), strangers, gate)


def assign(evidence: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (figure, pack) of greatest total evidence (figures, packs), leaving out pairs with evidence of 0 or
    less."""
    from scipy.optimize import linear_sum_assignment

    worth = np.maximum(evidence, 0)
    return [
        (int(f), int(p)) for f, p in zip(*linear_sum_assignment(worth, maximize=True), strict=True) if worth[f, p] > 0
    ]
