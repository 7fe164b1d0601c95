"""Shooting a board: takes of every shot, measured, taken again where the gate asks for it, and stitched to the film."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.events import Event
from storyboard.planning.board import Storyboard
from storyboard.shooting.asking import requested
from storyboard.shooting.casting import Casting
from storyboard.shooting.dialogue import Levels
from storyboard.shooting.following import Following, Given
from storyboard.shooting.ownclips import clip_digest, too_short
from storyboard.shooting.production import PREVIEW, Job, Sort, make, name_keys
from storyboard.shooting.runfolder import RunFolder, detail_roll
from storyboard.shooting.sight import SIGHT, Sight
from storyboard.shooting.takes import Take, best, take_of

if TYPE_CHECKING:
    from generation import Model

LAYOUTS = 3  # that may be tried for each take that may be finished: one that fails at first sight costs a third of a take
STRIP = 5  # pictures of a take that the report shows


class Filming:
    """The takes of one render. `takes` and `kept` are by shot number, from 1.

    Without a model nothing is made, and every shot has a clip: `clips` has several for a shot as its takes.
    """

    def __init__(
        self,
        model: Model | None,
        board: Storyboard,
        run: RunFolder,
        casting: Casting,
        tell: Callable[[Event], None],
        levels: Levels,
        following: Following | None = None,
        *,
        fps: float = 0,
        clips: Mapping[int, Sequence[Path]] | None = None,
    ) -> None:
        self.board, self.run, self.casting, self.tell, self.levels = board, run, casting, tell, levels
        self.given_model, self.clips = model, clips or {}
        self.following = following or Following(board, None)
        self.fps = model.family.fps if model else fps
        self.rolls = run.rolls()
        self.takes: dict[int, list[Take]] = {}
        self.gifts: dict[int, Given] = {}
        self.kept: dict[int, Take] = {}
        self.shown = "decode"  # the artefact whose frames the takes are looked at by

    @property
    def model(self) -> Model:
        """The model that makes the shots; only asked for where one is made."""
        assert self.given_model is not None
        return self.given_model

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 of each component of the model; none where nothing is made."""
        return self.given_model.hashes if self.given_model else {}

    def shoot(self, chosen: list[int], takes: int, last: str, *, fresh: bool = False) -> None:
        """Make the chosen shots up to the stage `last`, and take in what is ready of the others."""
        self.shown = last if last in ("decode", PREVIEW) else ""
        most = takes if last == "decode" else 1
        self.dropped: set[str] | None = set() if fresh else None
        made = [number for number in chosen if self.board.shots[number - 1].clip is None]
        if last == "decode" and len(self.following.levels(made)) > 1:
            self._read_words(made)
        for level in self.following.levels(range(1, len(self.board.shots) + 1)):
            self._rounds([number for number in level if number in made and not self._held_up(number, last, chosen)], most, last)
            if last == "decode":
                others = [number for number in level if number not in chosen]
                self._take_in([number for number in others if self.board.shots[number - 1].clip is None], takes)
            for number in level:
                if self.board.shots[number - 1].clip is not None:
                    self._add_clip(number)
        for found in self.takes.values():
            found.sort(key=lambda take: take.number)
        self.kept = {n: best(found) for n, found in self.takes.items() if not all(take.rejected for take in found)}

    def _rounds(self, waiting: list[int], most: int, last: str) -> None:
        """Make these shots, and take again, in further rounds, those that are not good enough."""
        while waiting:
            jobs = [self._job(number, len(self.takes.get(number, ())) + 1) for number in waiting]
            for take in (job.take for job in jobs if job.take.number > 1):
                text = f"shot {take.shot} is not good enough yet: take {take.number}"
                self.tell(Event("retake", text, take.shot, take.number))
            sort = self._sort(most) if most > 1 else None
            made = make(jobs, last, self.model, self.run, self.tell, fresh=self.dropped, sort=sort)
            for job in made:
                self._add(job)
            tried = {number: self.takes[number] for number in waiting}
            waiting = [number for number, found in tried.items() if _goes_on(found, most)]

    def _held_up(self, number: int, last: str, chosen: list[int]) -> bool:
        """Whether a shot waits for others in vain; says what comes of its waiting."""
        why = self.following.held_up(number, self.takes, last, chosen)
        said = Event("note", why, number) if why else self.following.told(number, self._given(number))
        if said:
            self.tell(said)
        return bool(why)

    def _given(self, number: int) -> Given:
        """What a shot gets of those that it waits for, which are made by now: read once for all its takes."""
        if number not in self.gifts:
            self.gifts[number] = self.following.given(number, self.takes, self.frames)
        return self.gifts[number]

    def _read_words(self, numbers: list[int]) -> None:
        """Read what is said in all these shots at once, so that the text encoder is not loaded anew for those that wait."""
        import numpy as np

        blank = np.zeros((16, 16, 3), np.uint8)
        jobs = [self._job(number, 1, given) for number in numbers for given in self.following.words(number, blank)]

        def tell(event: Event) -> None:
            if event.kind != "note":  # they are told when the shots are made
                self.tell(event)

        make(jobs, "encode", self.model, self.run, tell, fresh=self.dropped)

    def frames(self, take: Take) -> Iterator[Any]:
        """The frames (H, W, 3) of a take, cut to the shot's length."""
        shot = self.board.shots[take.shot - 1]
        count = None if shot.seconds is None else max(1, round(shot.seconds * self.fps))
        if shot.clip is not None:
            from assemble import read_frames

            flow: Iterator[Any] = read_frames(take.clip, fps=self.fps, start=shot.clip_in or 0, end=shot.clip_out)
        else:
            shown = SIGHT if take.rejected else self.shown
            made = self.run.frames(shown, take.keys[shown])
            # The first picture of a shot that continues is the one that was just seen.
            seen = take.continued and not take.rejected and count is not None and len(made) > count
            flow = iter(made[int(seen) :])
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

    def _job(self, number: int, attempt: int, given: Given | None = None) -> Job:
        shot = self.board.shots[number - 1]
        given = given or self._given(number)
        rolls = (self.rolls.get(key, 0) for key in (str(shot.seed), detail_roll(shot.seed)))
        take = take_of(shot, number, attempt, *rolls)
        take.of, take.continued = given.of, given.start is not None
        request = requested(self.board, number, take, self.model, self.casting, partial(self.levels, number), given)
        packs = self.casting.digests(shot.names) if any(request.pictures) else {}
        return Job(take, shot, request, self.casting.tokens(shot.names), packs)

    def _sort(self, most: int) -> Sort:
        """How layouts are sorted in a round: those that fail give way to the next attempt, LAYOUTS for each of `most` takes."""
        finished = {number for number, found in self.takes.items() if not all(take.rejected for take in found)}

        def again(job: Job) -> Job | None:
            self.takes.setdefault(job.take.shot, []).append(job.take)
            if job.take.number >= LAYOUTS * most:
                return None
            following = self._job(job.take.shot, job.take.number + 1)
            following.before = [*job.before, job]
            return following

        sight = Sight(self.model, self.run, self.casting, self.tell)
        return lambda jobs, decode: sight.sort(jobs, again, finished, decode)

    def _add(self, job: Job) -> None:
        """Measure a take and write its clip."""
        take = job.take
        found = self.takes.setdefault(take.shot, [])
        if not any(one is take for one in found):
            found.append(take)
        if not self.shown:
            return
        key = take.keys[self.shown]
        self._measure(take, key, job.shot.names)
        path = (
            self.run.takes / f"{take.shot:02}-{take.number}-{key[:8]}{'-layout' if self.shown == PREVIEW else ''}.mp4"
        )
        take.clip = f"takes/{path.name}"
        if not path.exists():
            from assemble import write_clip

            write_clip(self.frames(take), path, self.fps)

    def _add_clip(self, number: int) -> None:
        shot = self.board.shots[number - 1]
        assert shot.clip is not None
        span = f":{shot.clip_in}:{shot.clip_out}" if shot.clip_in or shot.clip_out else ""
        for count, path in enumerate(self.clips.get(number) or [self.board.path(shot.clip)], start=1):
            take = Take(number, count, 0, clip=str(path))
            self._measure(take, f"{clip_digest(number, path)}:{shot.seconds}:{self.fps}{span}", shot.names)
            self.takes.setdefault(number, []).append(take)
            if told := too_short(shot, take, self.fps):
                self.tell(told)

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
        there = [number for number in numbers if self.following.there(number, self.takes)]
        jobs = [self._job(number, attempt) for number in there for attempt in range(1, takes + 1)]
        if jobs:
            name_keys(jobs, "decode", self.model)
        for job in jobs:
            record = self.run.record("decode", job.take.keys["decode"])
            if record:
                job.take.seconds = {"decode": float(record.get("seconds", 0))}
                self._add(job)


def _goes_on(found: Sequence[Take], most: int) -> bool:
    """Whether a shot that was tried so is tried again."""
    finished = [take for take in found if not take.rejected]
    return not any(take.passes for take in finished) and len(finished) < most and len(found) < LAYOUTS * most


def _share(likeness: float | None) -> str:
    return "not found" if likeness is None else f"{likeness:.2f}"
