"""Takes: the attempts at each shot, and which of them is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from storyboard.planning.shot import Shot
from storyboard.seeds import derived


@dataclass
class Take:
    """One attempt at a shot. `score` is identity's measurement as plain data, None when nobody is to be recognised; `sight` is
    that of the layout at first sight. A `rejected` take failed there and was not finished. `of` are the shots whose frames went
    into it, and `continued` says that it starts from one."""

    shot: int  # from 1
    number: int  # from 1
    seed: int
    keys: dict[str, str] = field(default_factory=dict)  # the artefact of each stage
    seconds: dict[str, float] = field(default_factory=dict)  # how long each stage took
    score: dict[str, Any] | None = None
    clip: str = ""  # its file in the run folder, or the clip that the script brought
    detail_seed: int | None = None
    sight: dict[str, Any] | None = None
    rejected: bool = False
    of: tuple[int, ...] = ()
    continued: bool = False

    @property
    def passes(self) -> bool:
        """Whether every character in it is who it should be."""
        return not self.rejected and (
            self.score is None or all(each["passes"] for each in self.score["characters"].values())
        )

    @property
    def worth(self) -> tuple[bool, float]:
        """What takes are ranked by: passing first, then the worst-kept character, absence counting against it."""
        return self.passes, kept_worst(self.score)

    def plain(self) -> dict[str, Any]:
        """As plain data for run.json."""
        return {
            "number": self.number, "seed": self.seed, "keys": self.keys, "seconds": self.seconds, "passes": self.passes,
            "clip": self.clip, "score": None if self.score is None else _shortened(self.score),
            "detail_seed": self.detail_seed, "rejected": self.rejected, "of": list(self.of),
            "sight": None if self.sight is None else _shortened(self.sight),
        }  # fmt: skip


def take_of(shot: Shot, index: int, number: int, roll: int = 0, detail_roll: int = 0) -> Take:
    """Attempt `number` (from 1) at shot `index` (from 1), after it was rolled anew `roll` times and, since then, its detail
    alone `detail_roll` times."""
    first = shot.seed if roll == 0 else derived(shot.seed, "roll", roll)
    seed = first if number == 1 else derived(first, "take", number)
    return Take(index, number, seed, detail_seed=derived(seed, "detail", detail_roll) if detail_roll else None)


def best(takes: Sequence[Take]) -> Take:
    """The take to keep, of those that were finished; of equal ones the first."""
    return max((take for take in takes if not take.rejected), key=lambda take: (take.worth, -take.number))


def best_frame(score: dict[str, Any] | None, count: int) -> int:
    """Of `count` frames, from 0, the one whose worst-kept character is kept best; the middle one when nobody is to be seen."""
    if not score:
        return count // 2
    seen = {(row["frame"], row["name"]): float(row["likeness"]) for row in score["seen"]}
    return max(range(count), key=lambda frame: (min(seen.get((frame, name), -1.0) for name in score["characters"]), -frame))


def kept_worst(score: dict[str, Any] | None) -> float:
    """How well the character that is kept worst is kept: its mean likeness, absence counting against it; 1 for nobody."""
    rows = score["characters"].values() if score else ()
    return min(((each["mean"] or 0.0) * each["present"] for each in rows), default=1.0)


def _shortened(score: dict[str, Any]) -> dict[str, Any]:
    """A score without its long lists."""
    characters = {
        name: {key: value for key, value in each.items() if key != "looks"}
        for name, each in score["characters"].items()
    }
    return {"frames": score["frames"], "gate": score["gate"], "strangers": score["strangers"], "characters": characters}
