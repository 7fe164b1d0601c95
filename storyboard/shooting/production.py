"""Making takes, stage by stage: a stage opens once, works on every take that waits for it, keeps each result, and closes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storyboard.events import Event
from storyboard.planning.shot import Shot
from storyboard.shooting.runfolder import RunFolder
from storyboard.shooting.takes import Take

if TYPE_CHECKING:
    from generation import Model, ShotRequest, Stage
    from identity import Tokens

PREVIEW = "preview"  # a layout decoded before it is finished


@dataclass
class Job:
    """A take to be made: what is asked of the model, and the identity of those in it."""

    take: Take
    shot: Shot
    request: ShotRequest
    tokens: list[Tokens] = field(default_factory=list)
    # Whose pictures go into it, by name: sha256 of the pack's embeddings.
    packs: dict[str, str] = field(default_factory=dict)
    # Attempts at the same shot, in this round, that failed at first sight.
    before: list[Job] = field(default_factory=list)


Sort = Callable[["Sequence[Job]", "Stage"], "tuple[list[Job], list[Job]]"]
"""Given laid-out jobs and an open decode stage: which to finish, and which to lay out instead of the others."""


def make(
    jobs: Sequence[Job], last: str, model: Model, run: RunFolder, tell: Callable[[Event], None], *,
    fresh: set[str] | None = None, sort: Sort | None = None,
) -> list[Job]:  # fmt: skip
    """Bring every take through the stages up to `last`, one of the family's stages or PREVIEW; returns those that came through.

    A take goes on behind the last of its artefacts that is whole; with `fresh`, the keys of what was dropped since the render
    began, it starts anew. What `sort` says of the layouts is done while the expert that made them is there: jobs that fail leave,
    and others come in their place.
    """
    stages, starts = _stages(last, model), dict[int, int]()

    def waiting(some: Sequence[Job], place: int) -> list[Job]:
        name_keys([job for job in some if id(job) not in starts], last, model)
        for job in some:
            if id(job) in starts:
                continue
            for stage in stages if fresh is not None else ():
                if fresh is not None and (key := job.take.keys[stage]) not in fresh:  # attempts share their words
                    fresh.add(key)
                    run.drop(stage, key)
            done = [at for at, stage in enumerate(stages) if run.has(stage, job.take.keys[stage])]
            starts[id(job)] = done[-1] + 1 if done else 0
            for stage in stages[: starts[id(job)]]:
                _tell_notes(job.take, (run.record(stage, job.take.keys[stage]) or {}).get("notes", ()), tell)
        return [job for job in some if starts[id(job)] <= place]

    ready = list(jobs)
    for place, stage in enumerate(stages):
        before = stages[place - 1] if place else None
        if stage != "layout" or sort is None:
            if now := waiting(ready, place):
                with _open(stage, model) as opened:
                    _run(opened, stage, before, now, run, tell)
            continue
        with _open(stage, model) as opened, _open(PREVIEW, model) as decode:
            ready, anew = [], ready
            while anew:
                # Words that were read for one attempt are there for the next.
                if now := waiting(anew, place):
                    _run(opened, stage, before, now, run, tell)
                finish, anew = sort(anew, decode)
                ready += finish
    for job in ready:
        note_seconds(job.take, run)
    return ready


def note_seconds(take: Take, run: RunFolder) -> None:
    """How long the artefacts of a take took, as their records have it."""
    records = {stage: run.record(stage, key) for stage, key in take.keys.items()}
    take.seconds = {stage: float(record.get("seconds", 0)) for stage, record in records.items() if record}


def name_keys(jobs: Sequence[Job], last: str, model: Model) -> None:
    """Give every take the key of each of its artefacts up to `last`. Loads no network."""
    before = ""
    for stage in _stages(last, model):
        with _open(stage, model) as opened:
            for job in jobs:
                upstream = job.take.keys.get(before, "")
                if stage == PREVIEW:
                    upstream += ":preview"
                job.take.keys[stage] = opened.key(job.request, job.tokens, upstream)
        before = stage


def _run(
    opened: Stage, stage: str, before: str | None, jobs: list[Job], run: RunFolder, tell: Callable[[Event], None]
) -> None:
    from generation import preview

    total = len(jobs)
    tell(Event("stage", f"{stage}: {total} {'take' if total == 1 else 'takes'}", stage=stage, total=total))
    for number, job in enumerate(jobs, start=1):
        take, key = job.take, job.take.keys[stage]
        inputs = run.load(before, take.keys[before]) if before else {}
        started = time.perf_counter()

        def step(done: int, steps: int, take: Take = take) -> None:
            tell(Event("step", f"{stage}: {done} of {steps}", take.shot, take.number, stage, done, steps))

        made = opened.run(job.request, job.tokens, preview(inputs) if stage == PREVIEW else inputs, step)
        seconds = round(time.perf_counter() - started, 3)
        noted: dict[str, Any] = {"notes": list(opened.notes)} if opened.notes else {}
        if job.packs and stage in ("references", "layout"):
            noted["packs"] = job.packs  # so that a pack's removal finds its pictures
        run.save(stage, key, made, shot=take.shot, take=take.number, seconds=seconds, **noted)
        _tell_notes(take, opened.notes, tell)
        said = f"{stage}: shot {take.shot}, take {take.number} in {seconds:.1f} s"
        tell(Event("artefact", said, take.shot, take.number, stage, number, total, seconds))


def _open(stage: str, model: Model) -> AbstractContextManager[Stage]:
    from generation import open_stage

    return open_stage("decode" if stage == PREVIEW else stage, model)


def _tell_notes(take: Take, notes: Iterable[str], tell: Callable[[Event], None]) -> None:
    for note in notes:
        tell(Event("note", f"shot {take.shot}: {note}", take.shot, take.number))


def _stages(last: str, model: Model) -> tuple[str, ...]:
    stages = model.family.stages
    if last == PREVIEW:
        return (*stages[: stages.index("layout") + 1], PREVIEW)
    return stages[: stages.index(last) + 1]
