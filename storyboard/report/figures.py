"""What came of a render: every shot with its takes, how well each character was kept, with what models, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from storyboard.film.lighting import FilmLight
from storyboard.planning.board import Storyboard
from storyboard.shooting.takes import Take

if TYPE_CHECKING:
    from identity import Consistency


@dataclass(frozen=True)
class CharacterReport:
    """One character over the whole film. Likeness is 0 for a stranger and 1 for the character's own references.

    `worst` is the lowest likeness of any frame and `mean` the mean over the shots; None when it was never found. `present`
    is the least share of a shot's frames in which it was found. `shots` gives the mean likeness by shot number.
    """

    name: str
    mean: float | None
    worst: float | None
    worst_shot: int | None
    present: float
    passes: bool
    shots: dict[int, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ShotReport:
    """One shot: the take in the film (None when the shot is not in it) and all takes that were made."""

    number: int
    kept: Take | None
    takes: tuple[Take, ...]


@dataclass(frozen=True)
class Report:
    """A render in figures. `model` and `encoders` are sha256 by component; `facts` is all else that run.json holds. `light` is
    None for a render that ended before the film."""

    shots: tuple[ShotReport, ...]
    identity: dict[str, CharacterReport]
    model: dict[str, str]
    encoders: dict[str, str]
    facts: dict[str, Any]
    light: FilmLight | None = None
    consistency: dict[str, Consistency] = field(default_factory=dict)  # of each character, from shot to shot

    @property
    def review(self) -> bool:
        """Whether a kept take did not pass its gate, or the grade left something to fix, so that a person should look."""
        return (self.light is not None and self.light.fix) or any(
            shot.kept is not None and not shot.kept.passes for shot in self.shots
        )

    def plain(self) -> dict[str, Any]:
        """As plain data for run.json and --json."""
        return {
            **self.facts,
            "review": self.review,
            "model": {**self.facts["model"], "hashes": self.model},
            "encoders": self.encoders,
            "identity": {name: asdict(each) for name, each in self.identity.items()},
            "light": self.light.plain() if self.light else None,
            "consistency": {name: asdict(each) for name, each in self.consistency.items()},
            "shots": [
                {
                    "number": shot.number,
                    "kept": shot.kept.number if shot.kept else None,
                    "takes": [take.plain() for take in shot.takes],
                }
                for shot in self.shots
            ],
        }


def characters(board: Storyboard, kept: dict[int, Take]) -> dict[str, CharacterReport]:
    """Each character over the kept takes, by shot number."""
    found = {}
    for name in board.characters:
        rows = {
            number: take.score["characters"][name]
            for number, take in sorted(kept.items())
            if take.score is not None and name in take.score["characters"]
        }
        if not rows:
            continue
        found[name] = character(name, rows)
    return found


def consistencies(kept: Mapping[int, Take]) -> dict[str, Consistency]:
    """How alike each character looks from shot to shot of the kept takes, by shot number."""
    scores = {number: take.score for number, take in sorted(kept.items()) if take.score is not None}
    if not scores:
        return {}
    from identity import Score, consistent

    parsed = {number: Score.from_dict(score) for number, score in scores.items()}
    names = dict.fromkeys(name for score in parsed.values() for name in score.characters)
    return {name: consistent({n: score for n, score in parsed.items() if name in score.characters}, name) for name in names}


def character(name: str, rows: Mapping[int, Mapping[str, Any]]) -> CharacterReport:
    """One character over its measurements by shot number, of which there is at least one."""
    means = [row["mean"] for row in rows.values() if row["mean"] is not None]
    lows = [(row["worst"], number) for number, row in rows.items() if row["worst"] is not None]
    worst, worst_shot = min(lows, default=(None, None))
    return CharacterReport(
        name=name,
        mean=round(sum(means) / len(means), 4) if means else None,
        worst=worst,
        worst_shot=worst_shot,
        present=min(row["present"] for row in rows.values()),
        passes=all(row["passes"] for row in rows.values()),
        shots={number: row["mean"] for number, row in rows.items()},
    )
