"""A render's progress on stderr: bars in a terminal, a line for each event elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from storyboard.events import Event

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def showing(stream: TextIO) -> Iterator[Callable[[Event], None]]:
    """Something to hand to a render as `on_event`."""
    if not stream.isatty():

        def line(event: Event) -> None:
            if event.kind != "step":
                print(event, file=stream, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=stream)) as progress:
        yield _Bars(progress)


class _Bars:
    """One bar for each stage; its length is takes, and steps fill the share of the take that is being made."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.bars: dict[str, TaskID] = {}
        self.finished = 0

    def __call__(self, event: Event) -> None:
        match event.kind:
            case "stage":
                self.bars[event.stage] = self.progress.add_task(event.stage, total=event.total, at="")
                self.finished = 0
            case "step":
                at = f"shot {event.shot}" + (f", take {event.take}" if event.take > 1 else "")
                done = self.finished + event.done / max(1, event.total)
                self.progress.update(self.bars[event.stage], completed=done, at=f"{at}: {event.done}/{event.total}")
            case "artefact":
                self.finished = event.done
                self.progress.update(self.bars[event.stage], completed=event.done, at="")
            case _:
                self.progress.console.print(str(event), markup=False, highlight=False)
