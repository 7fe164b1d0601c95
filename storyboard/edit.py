"""A film as an edit: the clips of its kept takes with what is known of them, or the shots of a board that is not rendered yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.board import Shot, Storyboard
from storyboard.takes import Take

if TYPE_CHECKING:
    from assemble import Film, Marker, Timeline

PLANNED_FPS = 24  # of an edit whose film is not made yet


def film_edit(board: Storyboard, takes: Sequence[Take], film: Film, run: Path) -> Timeline:
    """The edit of a film that was stitched of these takes; their clips lie in the run folder, or where the script says."""
    from assemble import Clip, Timeline

    ends = [*film.cuts[1:], film.frames]
    clips = []
    for take, start, end in zip(takes, film.cuts, ends, strict=True):
        shot = board.shots[take.shot - 1]
        source = (run / take.clip).resolve() if take.keys else Path(take.clip).resolve()
        facts = {**_facts(take.shot, shot), "take": take.number, "likeness": _likeness(take)}
        if take.keys:
            facts["seed"] = take.seed
        clips.append(
            Clip(
                f"shot {take.shot}",
                end - start,
                source,
                available=end - start,
                markers=_findings(take, end - start),
                facts=facts,
            )
        )
    return Timeline(board.title or film.path.stem, film.fps, film.size, tuple(clips))


def planned_edit(board: Storyboard) -> Timeline:
    """The edit that a board plans. Only clips that it brings have a file; of those without a length, their own is taken."""
    from assemble import Clip, Timeline, read_frames

    clips = []
    for number, shot in enumerate(board.shots, start=1):
        source = board.path(shot.clip).resolve() if shot.clip is not None else None
        if shot.seconds is not None:
            frames = max(1, round(shot.seconds * PLANNED_FPS))
        else:
            assert source is not None
            frames = sum(1 for _ in read_frames(source, fps=PLANNED_FPS))
        clips.append(Clip(f"shot {number}", frames, source, facts=_facts(number, shot)))
    return Timeline(board.title or "storyboard", Fraction(PLANNED_FPS), board.pixels, tuple(clips))


def _facts(number: int, shot: Shot) -> dict[str, Any]:
    return {
        "shot": number,
        "heading": shot.heading,
        "action": shot.action,
        "prompt": shot.prompt if shot.clip is None else "",
    }


def _likeness(take: Take) -> dict[str, float | None]:
    return {name: each["mean"] for name, each in _characters(take).items()}


def _findings(take: Take, frames: int) -> tuple[Marker, ...]:
    """A marker for every character that a person should look at, on its worst frame."""
    from assemble import Marker

    found = []
    for name, each in _characters(take).items():
        if not each["passes"]:
            said = "; ".join(each.get("faults") or ()) or "below the gate"
            found.append(Marker(min(frames - 1, each.get("worst_frame") or 0), f"{name}: {said}"))
    return tuple(found)


def _characters(take: Take) -> Mapping[str, Any]:
    return take.score["characters"] if take.score else {}
