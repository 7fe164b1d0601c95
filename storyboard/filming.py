"""Shooting a board: takes of every shot, measured, taken again where the gate asks for it, and stitched to the film."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.board import Storyboard
from storyboard.casting import Casting
from storyboard.errors import RenderError
from storyboard.events import Event
from storyboard.marking import Marking
from storyboard.production import PREVIEW, Job, make, name_keys, requested
from storyboard.run import RunFolder
from storyboard.takes import Take, best, take_of

if TYPE_CHECKING:
    from generation import Model

STRIP = 5  # pictures of a take that the report shows


class Filming:
    """The takes of one render. `takes` and `kept` are by shot number, from 1."""

    def __init__(
        self, model: Model, board: Storyboard, run: RunFolder, casting: Casting, tell: Callable[[Event], None]
    ) -> None:
        self.model, self.board, self.run, self.casting, self.tell = model, board, run, casting, tell
        self.fps = model.family.fps
        self.rolls = run.rolls()
        self.takes: dict[int, list[Take]] = {}
        self.kept: dict[int, Take] = {}
        self.shown = "decode"  # the artefact whose frames the takes are looked at by

    def shoot(self, chosen: list[int], takes: int, last: str, *, fresh: bool = False) -> None:
        """Make the chosen shots up to the stage `last`, and take in what is ready of the others."""
        self.shown = last if last in ("decode", PREVIEW) else ""
        waiting = [number for number in chosen if self.board.shots[number - 1].clip is None]
        for attempt in range(1, (takes if last == "decode" else 1) + 1):
            jobs = [self._job(number, attempt) for number in waiting]
            if not jobs:
                break
            if attempt > 1:
                for number in waiting:
                    self.tell(Event("retake", f"shot {number} is not good enough yet: take {attempt}", number, attempt))
            make(jobs, last, self.model, self.run, self.tell, fresh=fresh)
            for job in jobs:
                self._add(job)
            waiting = [job.take.shot for job in jobs if not job.take.passes]
        others = [number for number in range(1, len(self.board.shots) + 1) if number not in chosen]
        if last == "decode":
            self._take_in([number for number in others if self.board.shots[number - 1].clip is None], takes)
        for number in range(1, len(self.board.shots) + 1):
            if self.board.shots[number - 1].clip is not None:
                self._add_clip(number)
        self.kept = {number: best(found) for number, found in self.takes.items() if found}

    def stitch(self, film: Path, marking: Marking) -> float:
        """Stitch the kept takes to the film, marked; returns its seconds."""
        from assemble import stitch

        order = sorted(self.kept)
        for number in range(1, len(self.board.shots) + 1):
            if number not in self.kept:
                self.tell(Event("note", f"shot {number} is not rendered yet, so the film goes without it", number))
        size = self.board.pixels
        clips = marking.clips((self.frames(self.kept[number]) for number in order), size, self.fps)
        with marking.film(film, clips=self._clips(order), packs=self.casting.digests, models=self.model.hashes) as draft:
            made = stitch(clips, draft, fps=self.fps, size=size)
        self.tell(Event("film", f"{film}: {len(order)} shots, {made.seconds:.1f} s", seconds=made.seconds))
        return made.seconds

    def _clips(self, order: list[int]) -> list[str]:
        """sha256 of the user's own clips among these shots."""
        from assemble.marks import digest

        paths = (self.board.shots[number - 1].clip for number in order)
        return [digest(self.board.path(path)) for path in paths if path is not None]

    def frames(self, take: Take) -> Iterator[Any]:
        """The frames (H, W, 3) of a take as the film shows them: cut to the shot's length."""
        shot = self.board.shots[take.shot - 1]
        count = None if shot.seconds is None else max(1, round(shot.seconds * self.fps))
        if shot.clip is not None:
            from assemble import read_frames

            flow: Iterator[Any] = read_frames(self.board.path(shot.clip), fps=self.fps)
        else:
            flow = iter(self.run.frames(self.shown, take.keys[self.shown]))
        return islice(flow, count)

    def strips(self) -> dict[tuple[int, int], list[Any]]:
        """A few frames of every take, spread over it, by shot and take number."""
        if not self.shown:
            return {}
        found = {}
        for takes in self.takes.values():
            for take in takes:
                count = sum(1 for _ in self.frames(take))
                wanted = {round(place * (count - 1) / (STRIP - 1)) for place in range(STRIP)}
                found[take.shot, take.number] = [f for index, f in enumerate(self.frames(take)) if index in wanted]
        return found

    def _job(self, number: int, attempt: int) -> Job:
        shot = self.board.shots[number - 1]
        take = take_of(shot, number, attempt, self.rolls.get(str(shot.seed), 0))
        request = requested(shot, take.seed, self.model, self.board.pixels)
        return Job(take, shot, request, self.casting.tokens(shot.names))

    def _add(self, job: Job) -> None:
        """Measure a take and write its clip."""
        take = job.take
        self.takes.setdefault(take.shot, []).append(take)
        if not self.shown:
            return
        key = take.keys[self.shown]
        self._measure(take, key, job.shot.names)
        path = self.run.takes / f"{take.shot:02}-{take.number}-{key[:8]}{'-layout' if self.shown == PREVIEW else ''}.mp4"
        take.clip = f"takes/{path.name}"
        if not path.exists():
            from assemble import write_clip

            write_clip(self.frames(take), path, self.fps)

    def _add_clip(self, number: int) -> None:
        shot = self.board.shots[number - 1]
        assert shot.clip is not None
        path = self.board.path(shot.clip)
        take = Take(number, 1, 0, clip=str(path))
        try:
            with path.open("rb") as stream:
                key = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise RenderError(
                f"the clip cannot be read: {error.strerror}", where=f"shots[{number - 1}].clip", mend=f"check {path}"
            ) from error
        self._measure(take, f"{key}:{shot.seconds}:{self.fps}", shot.names)
        self.takes[number] = [take]

    def _measure(self, take: Take, made_of: str, names: tuple[str, ...]) -> None:
        if self.shown == PREVIEW:
            return  # a half-made picture is there to be looked at by a person
        take.score = self.casting.score(self.frames(take), made_of, names)
        if take.score is None:
            return
        said = ", ".join(f"{name} {_share(each['mean'])}" for name, each in take.score["characters"].items())
        verdict = "accepted" if take.passes else "below the gate"
        self.tell(Event("score", f"shot {take.shot}, take {take.number}: {said}: {verdict}", take.shot, take.number))

    def _take_in(self, numbers: list[int], takes: int) -> None:
        """Takes of other shots that earlier renders finished."""
        jobs = [self._job(number, attempt) for number in numbers for attempt in range(1, takes + 1)]
        if jobs:
            name_keys(jobs, "decode", self.model)
        for job in jobs:
            record = self.run.record("decode", job.take.keys["decode"])
            if record:
                job.take.seconds = {"decode": float(record.get("seconds", 0))}
                self._add(job)


def _share(likeness: float | None) -> str:
    return "not found" if likeness is None else f"{likeness:.2f}"
