"""The first sight of a layout: is it worth finishing? Looked at while the expert that lays shots out is still in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from storyboard.events import Event
from storyboard.shooting.casting import Casting
from storyboard.shooting.production import Job, note_seconds
from storyboard.shooting.runfolder import RunFolder
from storyboard.shooting.takes import Take

if TYPE_CHECKING:
    from generation import Model, Stage

SIGHT = "sight"  # the artefact: a few frames of a layout, decoded before it is finished

Again = Callable[[Job], Job | None]
"""Another attempt at a job's shot, or None when there are no more."""


class Sight:
    """Looks at layouts of one character and sorts them. Without a gate in the model's family, all are worth finishing."""

    def __init__(self, model: Model, run: RunFolder, casting: Casting, tell: Callable[[Event], None]) -> None:
        self.model, self.run, self.casting, self.tell = model, run, casting, tell

    def sort(self, jobs: Sequence[Job], again: Again, finished: set[int], decode: Stage) -> tuple[list[Job], list[Job]]:
        """Which of these laid-out jobs to finish, and which attempts to lay out instead of the others.

        A job that fails is finished all the same when its shot, by `finished` (shot numbers), has no finished take and no
        more attempts: then the one that fails least. `again` is told each job that fails, in order.
        """
        finish, anew = [], []
        for job in jobs:
            if not self._fails(job, decode):
                finish.append(job)
                continue
            job.take.rejected = True
            following = again(job)
            said = _said(job.take)
            if following is not None:
                number = following.take.number
                text = f"shot {job.take.shot}, take {job.take.number}: the layout already fails ({said}): take {number}"
                self.tell(Event("reject", text, job.take.shot, job.take.number, "layout"))
                anew.append(following)
                continue
            failed = [*job.before, job]
            if job.take.shot in finished:
                text = f"shot {job.take.shot}, take {job.take.number}: the layout already fails ({said}): not finished"
            else:
                least = max(failed, key=lambda one: (likeness(one.take), -one.take.number))
                least.take.rejected = False
                finish.append(least)
                text = (
                    f"shot {job.take.shot}: every layout fails; take {least.take.number} fails least, and is finished"
                )
            self.tell(Event("reject", text, job.take.shot, job.take.number, "layout"))
        return finish, anew

    def _fails(self, job: Job, decode: Stage) -> bool:
        gate = self.model.family.layout_gate
        if gate is None or len(job.shot.names) != 1:
            # Gates are measured on shots of one: of two, the one who stands further off is taken for a stranger too easily.
            return False
        upstream = f"{job.take.keys['layout']}:{SIGHT}"
        key = job.take.keys[SIGHT] = decode.key(job.request, job.tokens, upstream)
        if not self.run.has(SIGHT, key):
            import torch

            from generation import glimpses

            started = time.perf_counter()
            seen = glimpses(self.run.load("layout", job.take.keys["layout"]))
            frames = [decode.run(job.request, job.tokens, latents)["frames"] for latents in seen]
            seconds = round(time.perf_counter() - started, 3)
            self.run.save(
                SIGHT, key, {"frames": torch.cat(frames)}, shot=job.take.shot, take=job.take.number, seconds=seconds
            )
        job.take.sight = self.casting.score(self.run.frames(SIGHT, key), key, job.shot.names)
        note_seconds(job.take, self.run)
        return likeness(job.take) < gate


def likeness(take: Take) -> float:
    """Of a layout: how near whoever comes nearest comes to the character that is met worst. A half-made person is often taken
    for nobody yet, but a stranger is already far off."""
    rows = take.sight["characters"].values() if take.sight else ()
    return min((each["nearest"] or 0.0 for each in rows), default=1.0)


def _said(take: Take) -> str:
    rows = take.sight["characters"] if take.sight else {}
    nearest = {name: each["nearest"] for name, each in rows.items()}
    return ", ".join(f"{name} {'not seen' if value is None else format(value, '.2f')}" for name, value in nearest.items())
