"""Making takes, stage by stage: a stage opens once, works on every take that waits for it, keeps each result, and closes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storyboard.board import Shot
from storyboard.events import Event
from storyboard.run import RunFolder
from storyboard.takes import Take

if TYPE_CHECKING:
    from generation import Model, ShotRequest
    from identity import Tokens

PREVIEW = "preview"  # a layout decoded before it is finished


@dataclass
class Job:
    """A take to be made: what is asked of the model, and the identity of those in it."""

    take: Take
    shot: Shot
    request: ShotRequest
    tokens: list[Tokens] = field(default_factory=list)


def requested(
    shot: Shot, seed: int, model: Model, size: tuple[int, int], voiced: Callable[[int, float], dict[str, Any]]
) -> ShotRequest:
    """What is asked of the model for a take of a shot of a film of `size`; `voiced` gives each speaker's loudness 0..1 for so
    many frames at a rate."""
    import numpy as np

    from generation import ShotRequest, VoiceTrack

    family = model.family
    assert shot.seconds is not None
    width, height = family.size_for(*size)
    frames = family.frames_for(shot.seconds)
    levels = voiced(frames, family.fps)
    return ShotRequest(
        prompt=shot.prompt,
        characters=shot.names,
        sides=tuple(part.side for part in shot.characters),
        frames=frames,
        width=width,
        height=height,
        seed=seed,
        steps=family.steps,
        guidance=family.guidance,
        voice=VoiceTrack({name: np.asarray(track, np.float32) for name, track in levels.items()}) if levels else None,
    )


def make(
    jobs: Sequence[Job], last: str, model: Model, run: RunFolder, tell: Callable[[Event], None], *, fresh: bool = False
) -> None:
    """Bring every take through the stages up to `last`, one of STAGES or PREVIEW.

    A take goes on behind the last of its artefacts that is whole; with `fresh` it starts anew.
    """
    stages = _stages(last)
    name_keys(jobs, last, model)
    starts = {}
    for job in jobs:
        if fresh:
            for stage in stages:
                run.drop(stage, job.take.keys[stage])
        done = [place for place, stage in enumerate(stages) if run.has(stage, job.take.keys[stage])]
        starts[id(job)] = done[-1] + 1 if done else 0
    for place, stage in enumerate(stages):
        waiting = [job for job in jobs if starts[id(job)] <= place]
        if waiting:
            _run(stage, stages[place - 1] if place else None, waiting, model, run, tell)
    for job in jobs:
        records = {stage: run.record(stage, job.take.keys[stage]) for stage in stages}
        job.take.seconds = {stage: float(record.get("seconds", 0)) for stage, record in records.items() if record}


def name_keys(jobs: Sequence[Job], last: str, model: Model) -> None:
    """Give every take the key of each of its artefacts up to `last`. Loads no network."""
    from generation import open_stage

    before = ""
    for stage in _stages(last):
        with open_stage("decode" if stage == PREVIEW else stage, model) as opened:
            for job in jobs:
                upstream = job.take.keys.get(before, "")
                if stage == PREVIEW:
                    upstream += ":preview"
                job.take.keys[stage] = opened.key(job.request, job.tokens, upstream)
        before = stage


def _run(
    stage: str, before: str | None, jobs: list[Job], model: Model, run: RunFolder, tell: Callable[[Event], None]
) -> None:
    from generation import open_stage, preview

    total = len(jobs)
    tell(Event("stage", f"{stage}: {total} {'take' if total == 1 else 'takes'}", stage=stage, total=total))
    with open_stage("decode" if stage == PREVIEW else stage, model) as opened:
        for number, job in enumerate(jobs, start=1):
            take, key = job.take, job.take.keys[stage]
            inputs = run.load(before, take.keys[before]) if before else {}
            started = time.perf_counter()

            def step(done: int, steps: int, take: Take = take) -> None:
                tell(Event("step", f"{stage}: {done} of {steps}", take.shot, take.number, stage, done, steps))

            made = opened.run(job.request, job.tokens, preview(inputs) if stage == PREVIEW else inputs, step)
            seconds = round(time.perf_counter() - started, 3)
            run.save(stage, key, made, shot=take.shot, take=take.number, seconds=seconds)
            said = f"{stage}: shot {take.shot}, take {take.number} in {seconds:.1f} s"
            tell(Event("artefact", said, take.shot, take.number, stage, number, total, seconds))


def _stages(last: str) -> tuple[str, ...]:
    from generation import STAGES

    if last == PREVIEW:
        return (*STAGES[: STAGES.index("layout") + 1], PREVIEW)
    return tuple(STAGES[: STAGES.index(last) + 1])
