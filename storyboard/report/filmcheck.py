"""What came of checking a film: who is in each shot, how well each keeps to its pack, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.film.lighting import FilmLight
from storyboard.report.figures import CharacterReport

if TYPE_CHECKING:
    from identity import Consistency, Score

STRIP = 5  # pictures of a shot in the report


@dataclass(frozen=True)
class Presence:
    """A character in a shot: `faults` says what is wrong, in words; nothing is when they are empty."""

    name: str
    expected: bool
    faults: tuple[str, ...]


@dataclass(frozen=True)
class ShotCheck:
    """One shot: its number from 1, frames of the film from `first` to before `end`, when it starts and how long it lasts in
    seconds, who is or should be in it, and the score against all packs."""

    number: int
    first: int
    end: int
    start: float
    seconds: float
    presences: tuple[Presence, ...]
    score: Score

    @property
    def passes(self) -> bool:
        """Whether everyone in it is as they should be."""
        return not any(presence.faults for presence in self.presences)

    @property
    def strip(self) -> list[int]:
        """Frames of the film that show the shot, spread over it."""
        count = self.end - self.first
        return sorted({self.first + round(place * (count - 1) / (STRIP - 1)) for place in range(STRIP)})

    @property
    def worst(self) -> list[int]:
        """Frames of the film in which somebody is least like itself."""
        names = [presence.name for presence in self.presences]
        frames = [self.score.characters[name].worst_frame for name in names]
        return [self.first + frame for frame in frames if frame is not None]

    def shown(self) -> dict[str, Any]:
        """The score as plain data, of those who are or should be in the shot, with what is wrong."""
        plain = self.score.to_dict()
        wrong = {presence.name: presence.faults for presence in self.presences}
        plain["characters"] = {
            name: {**each, "faults": wrong[name], "passes": not wrong[name]}
            for name, each in plain["characters"].items()
            if name in wrong
        }
        plain["seen"] = [one for one in plain["seen"] if one["name"] in wrong]
        return plain


@dataclass(frozen=True)
class FilmCheck:
    """A film, measured. `identity` gives each character over the film, `consistency` its likeness from shot to shot; `light` what
    the light of its shots does; `report` is the page that was written."""

    film: Path
    seconds: float
    frames: int
    shots: tuple[ShotCheck, ...]
    identity: dict[str, CharacterReport]
    consistency: dict[str, Consistency]
    light: FilmLight
    encoders: dict[str, str]
    report: Path

    @property
    def passes(self) -> bool:
        """Whether every shot passes, every character was found, and no light must be mended."""
        kept = all(shot.passes for shot in self.shots) and all(each.passes for each in self.identity.values())
        return kept and not self.light.fix

    def plain(self) -> dict[str, Any]:
        """As plain data for --json."""
        shots = []
        for shot in self.shots:
            shown = shot.shown()
            rows = {name: {k: v for k, v in each.items() if k != "looks"} for name, each in shown["characters"].items()}
            shots.append(
                {
                    "number": shot.number, "first": shot.first, "end": shot.end, "start": shot.start,
                    "seconds": shot.seconds, "passes": shot.passes, "strangers": shown["strangers"], "characters": rows,
                }
            )  # fmt: skip
        return {
            "film": str(self.film), "seconds": self.seconds, "frames": self.frames, "passes": self.passes,
            "identity": {name: asdict(each) for name, each in self.identity.items()},
            "consistency": {name: asdict(each) for name, each in self.consistency.items()},
            "light": self.light.plain(), "shots": shots, "encoders": self.encoders, "report": str(self.report),
        }  # fmt: skip
