"""A film as an edit: the clips of its kept takes with what is known of them, or the shots of a board that is not rendered yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.planning.board import Storyboard
from storyboard.planning.shot import Shot
from storyboard.shooting.takes import Take

if TYPE_CHECKING:
    from assemble import Film, Marker, Timeline

PLANNED_FPS = 24  # of an edit whose film is not made yet


def film_edit(
    board: Storyboard, takes: Sequence[Take], film: Film, run: Path,
    findings: Iterable[tuple[int, int, str]] = (), sounds: Sequence[Path] = (),
) -> Timeline:  # fmt: skip
    """The edit of a film that was stitched of these takes; their clips lie in the run folder, or where the script says.

    findings: what else than identity found fault with, as shot number, frame of the shot from 0, and words.
    sounds: stems that lie under the whole film.
    """
    from assemble import Marker, Timeline, TimelineClip

    marks: dict[int, list[Marker]] = {}
    for number, frame, said in findings:
        marks.setdefault(number, []).append(Marker(frame, said))
    ends = [*film.cuts[1:], film.frames]
    lengths = [end - start for start, end in zip(film.cuts, ends, strict=True)]
    # A film of hard cuts alone need not say so. No editing program takes a dissolve that is longer than what it joins.
    said_overlaps = film.overlaps or [0] * len(ends)
    overlaps = [*(min(overlap, *lengths[max(0, n - 1) : n + 1]) for n, overlap in enumerate(said_overlaps)), 0]
    clips = []
    for place, (take, frames) in enumerate(zip(takes, lengths, strict=True)):
        shot = board.shots[take.shot - 1]
        source = (run / take.clip).resolve() if take.keys else Path(take.clip).resolve()
        facts = {**_facts(take.shot, shot), "take": take.number, "likeness": _likeness(take)}
        if take.keys:
            facts["seed"] = take.seed
        found = [*_findings(take), *marks.get(take.shot, ())]
        inside = tuple(replace(marker, frame=min(frames - 1, max(0, marker.frame))) for marker in found)
        # The clip goes on while the next one dissolves in.
        start = _start(shot, film.fps)
        available = start + frames + overlaps[place + 1]
        clips.append(
            TimelineClip(f"shot {take.shot}", frames, source, start, available, overlaps[place], inside, facts)
        )
    return Timeline(board.title or film.path.stem, film.fps, film.size, tuple(clips), tuple(sounds))


def planned_edit(board: Storyboard) -> Timeline:
    """The edit that a board plans. Only clips that it brings have a file; of those without a length, their own is taken."""
    from assemble import Timeline, TimelineClip, read_frames

    clips = []
    for number, shot in enumerate(board.shots, start=1):
        source = board.path(shot.clip).resolve() if shot.clip is not None else None
        if shot.seconds is not None:
            frames = max(1, round(shot.seconds * PLANNED_FPS))
        else:
            assert source is not None
            frames = sum(1 for _ in read_frames(source, fps=PLANNED_FPS))
        start = _start(shot, Fraction(PLANNED_FPS))
        clips.append(TimelineClip(f"shot {number}", frames, source, start, facts=_facts(number, shot)))
    return Timeline(board.title or "storyboard", Fraction(PLANNED_FPS), board.pixels, tuple(clips))


def _start(shot: Shot, fps: Fraction) -> int:
    """The first frame that plays of a clip that the script brings, and says where to begin in."""
    return round((shot.clip_in or 0) * fps) if shot.clip is not None else 0


def _facts(number: int, shot: Shot) -> dict[str, Any]:
    return {
        "shot": number,
        "heading": shot.heading,
        "action": shot.action,
        "prompt": shot.prompt if shot.clip is None else "",
    }


def _likeness(take: Take) -> dict[str, float | None]:
    return {name: each["mean"] for name, each in _characters(take).items()}


def _findings(take: Take) -> list[Marker]:
    """A marker for every character that a person should look at, on its worst frame."""
    from assemble import Marker

    found = []
    for name, each in _characters(take).items():
        if not each["passes"]:
            said = "; ".join(each.get("faults") or ()) or "below the gate"
            found.append(Marker(each.get("worst_frame") or 0, f"{name}: {said}"))
    return found


def _characters(take: Take) -> Mapping[str, Any]:
    return take.score["characters"] if take.score else {}
