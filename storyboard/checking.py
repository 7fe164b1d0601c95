"""Checking a film, whoever made it: is everyone in it who they should be, in every shot, and does its light hold?

    checked = check_film("film.mp4", {"mia": "packs/mia"}, expect={1: ("mia",)})
    checked.passes, checked.identity["mia"].worst

The film is decoded several times, in a stream: to find its cuts, to look at both sides of each, to look at every frame and then
at its light, and for the pictures of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError, listed
from storyboard.events import Event
from storyboard.files import write_text
from storyboard.film.lighting import FilmLight, light, people_in, settings, unsaid
from storyboard.film.spans import frames_of, joined_spans, known_spans
from storyboard.refs import clip_refusal
from storyboard.report.figures import CharacterReport, character
from storyboard.report.filmcheck import FilmCheck, Presence, ShotCheck

if TYPE_CHECKING:
    from identity import Consistency, Encoders, IdentityPack, Score
    from storyboard.planning.board import Storyboard

NEAR = 1e-4  # seconds that a frame may be off in a float
SEEN = 0.25
"""Share of a shot's frames from which on a character that nobody spoke of counts as being in it."""


def check_film(
    film: str | Path,
    packs: Mapping[str, str | Path | IdentityPack],
    *,
    expect: Mapping[int, Sequence[str]] | None = None,
    lengths: Sequence[float | None] = (),
    board: Storyboard | None = None,
    report: str | Path | None = None,
    encoders: Encoders | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> FilmCheck:
    """Measure every shot of a film against packs, and write an HTML page beside the film or at `report`.

    expect: who should be in which shot, by number from 1. In a shot that it does not name, characters are judged where they
    are seen, and one who is seen nowhere fails the film. lengths: seconds of each shot where they are known, as of a board;
    where they fit the film's length they say where it cuts, else cuts are found in the picture; without `expect` a cut at which
    only a figure changes before a background that stays is a swap within a shot, and no cut. board: says which shots are of one
    place and light, and which change it; without one, or with one of other shots, light is checked inside each shot only.

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
    spans = known_spans(found, lengths) or (list(found.shots) if expect else joined_spans(film, found.shots, encoders))
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
    lit = _lit(film, shots, board, found.moments)
    checked = FilmCheck(
        film, round(found.seconds, 3), len(found.moments), tuple(shots), *_over(shots, known), lit, dict(encoders.hashes), page
    )
    from storyboard.report.checkpage import page_of

    write_text(page, page_of(checked, known, _pictures(checked)))
    return checked


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


def _lit(film: Path, shots: Sequence[ShotCheck], board: Storyboard | None, moments: Any) -> FilmLight:
    """The light of the film, by what the board says of its shots where it has the same number."""
    numbers = [shot.number for shot in shots]
    said = settings(board, numbers) if board and len(board.shots) == len(shots) else unsaid(numbers)
    people = {shot.number: people_in(shot.score.to_dict()) for shot in shots}

    def frames(number: int) -> Iterator[Any]:
        shot = shots[number - 1]
        until = moments[shot.end] - NEAR if shot.end < len(moments) else None
        return frames_of(film, max(0.0, moments[shot.first] - NEAR), until)

    return light(said, frames, people, grade=False)


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
    from storyboard.report.page import picture

    wanted = {frame for shot in checked.shots for frame in (*shot.strip, *shot.worst)}
    return {number: picture(frame) for number, frame in enumerate(frames_of(checked.film)) if number in wanted}
