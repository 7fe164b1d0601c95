"""Progress on stderr, of a render and of a fetch: bars in a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from storyboard.events import Event
from storyboard.files import gigabytes

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


@contextmanager
def fetching(stream: TextIO) -> Iterator[Callable[[Event], None]]:
    """Something to hand to a fetch as `on_event`: a bar for each file in a terminal, elsewhere a line for each tenth of it."""
    if not stream.isatty():
        yield _Tenths(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream)) as progress:
        bars: dict[str, TaskID] = {}

        def show(event: Event) -> None:
            if event.kind != "bytes":
                progress.console.print(str(event), markup=False, highlight=False)
                return
            if event.text not in bars:
                bars[event.text] = progress.add_task(event.text, total=event.total)
            progress.update(bars[event.text], completed=event.done)

        yield show


class _Tenths:
    """A line whenever another tenth of a file is there, at most one a second, and one when it is whole."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.told: dict[str, int] = {}
        self.at = monotonic()

    def __call__(self, event: Event) -> None:
        if event.kind != "bytes":
            print(event, file=self.stream, flush=True)
            return
        tenth = 10 * event.done // max(1, event.total)
        soon = tenth < 10 and monotonic() - self.at < 1
        if tenth == self.told.get(event.text, 0) or soon:
            return
        self.told[event.text], self.at = tenth, monotonic()
        print(f"{event.text}: {10 * tenth} % of {gigabytes(event.total)}", file=self.stream, flush=True)
