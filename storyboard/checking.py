"""Checking a film, whoever made it: is everyone in it who they should be, in every shot?

    checked = check_film("film.mp4", {"mia": "packs/mia"}, expect={1: ("mia",)})
    checked.passes, checked.identity["mia"].worst

The film is decoded three times, in a stream: to find its cuts, to look at every frame, and for the pictures of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError, listed
from storyboard.events import Event
from storyboard.files import write_text
from storyboard.refs import clip_refusal
from storyboard.report import CharacterReport, character

if TYPE_CHECKING:
    from identity import Consistency, Encoders, IdentityPack, Score
    from identity.videos import Survey

SEEN = 0.25
"""Share of a shot's frames from which on a character that nobody spoke of counts as being in it."""
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
    """A film, measured. `identity` gives each character over the film, `consistency` its likeness from shot to shot;
    `report` is the page that was written."""

    film: Path
    seconds: float
    frames: int
    shots: tuple[ShotCheck, ...]
    identity: dict[str, CharacterReport]
    consistency: dict[str, Consistency]
    encoders: dict[str, str]
    report: Path

    @property
    def passes(self) -> bool:
        """Whether every shot passes and every character was found."""
        return all(shot.passes for shot in self.shots) and all(each.passes for each in self.identity.values())

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
            "shots": shots, "encoders": self.encoders, "report": str(self.report),
        }  # fmt: skip


def check_film(
    film: str | Path,
    packs: Mapping[str, str | Path | IdentityPack],
    *,
    expect: Mapping[int, Sequence[str]] | None = None,
    lengths: Sequence[float | None] = (),
    report: str | Path | None = None,
    encoders: Encoders | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> FilmCheck:
    """Measure every shot of a film against packs, and write an HTML page beside the film or at `report`.

    expect: who should be in which shot, by number from 1. In a shot that it does not name, characters are judged where they
    are seen, and one who is seen nowhere fails the film. lengths: seconds of each shot where they are known, as of a board;
    where they fit the film's length they say where it cuts, else cuts are found in the picture.

    Raises StoryboardError and IdentityError for a wrong request: no such film, a broken one, no pack, an unknown name.
    """
    from identity import Encoders, IdentityPack, score
    from identity.videos import survey

    film, expect = Path(film), dict(expect or {})
    page = Path(report) if report else film.with_suffix(".check.html")
    _refuse(film, packs, expect, page)
    tell = on_event or (lambda event: None)
    encoders = encoders or Encoders.load()
    known = {
        name: pack if isinstance(pack, IdentityPack) else replace(IdentityPack.load(Path(pack), encoders), name=name)
        for name, pack in packs.items()
    }
    found = survey(film)
    spans = _spans(found, lengths)
    beyond = [number for number in expect if not 1 <= number <= len(spans)]
    if beyond:
        raise StoryboardError(
            f"somebody is expected in shot {beyond[0]}, and the film has {len(spans)} by its cuts",
            where=str(film), mend=f"name shots from 1 to {len(spans)}",
        )  # fmt: skip
    tell(Event("stage", f"looking at {len(found.moments)} frames in {len(spans)} shot(s)", stage="check", total=len(spans)))
    shots, flow = [], frames_of(film)
    for number, (first, end) in enumerate(spans, start=1):
        measured = score(islice(flow, end - first), known, encoders)
        start = float(found.moments[first])
        until = float(found.moments[end]) if end < len(found.moments) else found.seconds
        present = _presences(measured, expect.get(number))
        shots.append(ShotCheck(number, first, end, round(start, 3), round(until - start, 3), present, measured))
        said = ", ".join(f"{one.name} {'; '.join(one.faults) or 'kept'}" for one in present) or "nobody known"
        tell(Event("artefact", f"shot {number}: {said}", number, stage="check", done=number, total=len(spans)))
    checked = FilmCheck(
        film, round(found.seconds, 3), len(found.moments), tuple(shots), *_over(shots, known), dict(encoders.hashes), page
    )
    from storyboard.checkpage import page_of

    write_text(page, page_of(checked, known, _pictures(checked)))
    return checked


def frames_of(film: Path) -> Iterator[Any]:
    """The frames (H, W, 3) uint8 RGB of a film, no larger than the encoders can use."""
    import cv2

    from assemble import read_frames
    from identity.frames import LONGEST

    for frame in read_frames(film):
        share = LONGEST / max(frame.shape[:2])
        yield frame if share >= 1 else cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def _refuse(film: Path, packs: Mapping[str, Any], expect: Mapping[int, Sequence[str]], page: Path) -> None:
    wrong = clip_refusal(film)
    if wrong:
        raise StoryboardError(wrong[0], where=str(film), mend=wrong[1])
    if not packs:
        raise StoryboardError("nobody is named whom the film should show", mend="name packs: --pack mia=packs/mia, or --board")
    for number, names in expect.items():
        for name in names:
            if name not in packs:
                mend = f"name one of {listed(packs)}, or give a pack: --pack {name}=FOLDER"
                raise StoryboardError(f"{name} is expected and has no pack", where=f"shot {number}", mend=mend)
    if not page.absolute().parent.is_dir():
        raise StoryboardError("there is no such folder", where=str(page.parent), mend=f"make it: mkdir -p {page.parent}")
    if page.is_dir():
        raise StoryboardError("a folder is in the way of the report", where=str(page), mend="name a file with -o")


def _spans(found: Survey, lengths: Sequence[float | None]) -> list[tuple[int, int]]:
    """Shots as frames (first, one past the last): those of known lengths where these add up to the film's, else as cut."""
    total = len(found.moments)
    if lengths and all(lengths):
        rate = total / found.seconds
        ends, at = [], 0
        for seconds in lengths:
            at += max(1, round((seconds or 0) * rate))
            ends.append(at)
        if abs(at - total) <= len(lengths) and total > ([0, *ends][-2]):
            ends[-1] = total
            return list(zip([0, *ends[:-1]], ends, strict=True))
    return list(found.shots)


def _presences(score: Score, expected: Sequence[str] | None) -> tuple[Presence, ...]:
    """Who is or should be in a shot, and what is wrong with each."""
    from identity.portrayal import PRESENT

    rows = []
    for name, each in score.characters.items():
        faults = list(each.faults)
        if expected is None:
            if each.present < SEEN:
                continue
        elif name in expected:
            if each.mean is None:
                faults.append("not found")
            elif each.present < PRESENT:
                faults.insert(0, f"found in {each.present:.0%} of the frames")
        elif each.present >= SEEN:
            faults.append("should not be in this shot")
        else:
            continue
        rows.append(Presence(name, expected is not None and name in expected, tuple(faults)))
    return tuple(rows)


def _over(
    shots: Sequence[ShotCheck], packs: Mapping[str, IdentityPack]
) -> tuple[dict[str, CharacterReport], dict[str, Consistency]]:
    """Each character over the film, and from shot to shot."""
    from identity import consistent

    rows: dict[str, dict[int, Any]] = {name: {} for name in packs}
    for shot in shots:
        for name, each in shot.shown()["characters"].items():
            rows[name][shot.number] = each
    never = CharacterReport("", None, None, None, 0.0, False)
    identity = {name: character(name, row) if row else replace(never, name=name) for name, row in rows.items()}
    scores = {shot.number: shot.score for shot in shots}
    return identity, {name: consistent({n: scores[n] for n in row}, name) for name, row in rows.items()}


def _pictures(checked: FilmCheck) -> dict[int, str]:
    """The frames that the page shows, by number, made small while the film streams by."""
    from storyboard.page import picture

    wanted = {frame for shot in checked.shots for frame in (*shot.strip, *shot.worst)}
    return {number: picture(frame) for number, frame in enumerate(frames_of(checked.film)) if number in wanted}
