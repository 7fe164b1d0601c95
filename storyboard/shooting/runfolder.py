"""The run folder beside a film: every finished piece of work, so that a render goes on where the last one ended.

    film.run/
      board.json      the storyboard that was rendered
      artefacts/      one file for each stage result, named by the hash of everything that made it, with its record beside it
      packs/          identity packs made from the references
      takes/          a clip for each take
      grades/         what the light of graded shots was changed by, as LUTs
      sound/          the stems
      film.otio       the edit of the film, for editing programs
      film.srt, .vtt  its captions
      run.json        settings, versions, hashes, what came out
      events.jsonl    what happened, one line each
      report.html
      lock            held by the render that works here
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import RenderError, StoryboardError
from storyboard.events import Event
from storyboard.files import Held, lock, replacing, write_text

if TYPE_CHECKING:
    from torch import Tensor


class RunFolder:
    """A run folder that this process holds; made by `RunFolder.hold`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.artefacts = path / "artefacts"
        self.takes = path / "takes"
        self.packs = path / "packs"

    @classmethod
    @contextmanager
    def hold(cls, film: Path) -> Iterator[RunFolder]:
        """The run folder of a film, locked while the block runs. StoryboardError when another render holds it."""
        path = folder_of(film)
        if path.exists() and not path.is_dir():
            raise StoryboardError("a file is in the way of the run folder", where=str(path), mend="move it, or rename the film")
        if not film.absolute().parent.is_dir():
            raise StoryboardError(f"there is no folder {film.parent}", where=str(film), mend=f"make it: mkdir -p {film.parent}")
        run = cls(path)
        for folder in (path, run.artefacts, run.takes, run.packs):
            folder.mkdir(exist_ok=True)
        try:
            handle = lock(path / "lock")
        except Held as held:
            raise StoryboardError(
                f"another render (process {held.owner}) works in this run folder",
                where=str(path),
                mend="wait until it is done, or give this film another name with -o",
            ) from None
        try:
            run._sweep()
            yield run
        finally:
            os.close(handle)  # which lets the lock go

    def clear(self) -> None:
        """Forget every artefact, pack and take."""
        for folder in (self.artefacts, self.takes, self.packs):
            shutil.rmtree(folder)
            folder.mkdir()
        (self.path / "rolls.json").unlink(missing_ok=True)

    def has(self, stage: str, key: str) -> bool:
        """Whether a whole artefact is there. One that is broken is removed, so that it is made again."""
        return self.record(stage, key) is not None

    def record(self, stage: str, key: str) -> dict[str, Any] | None:
        """What was noted of an artefact when it was made, or None when it is not there or not whole."""
        file, note = self._names(stage, key)
        try:
            record = json.loads(note.read_text(encoding="utf-8"))
            if file.stat().st_size == record["bytes"] and _sha256(file) == record["sha256"]:
                return dict(record)
        except (OSError, ValueError, KeyError, TypeError):
            if not (file.exists() or note.exists()):
                return None
        self.drop(stage, key)
        return None

    def save(self, stage: str, key: str, tensors: dict[str, Tensor], **noted: Any) -> None:
        """Keep a stage's result. The record is written last: an artefact without one counts as not made."""
        from safetensors.torch import save_file

        file, note = self._names(stage, key)
        with replacing(file) as part:
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part)
        self._note(file, note, stage, noted)

    def load(self, stage: str, key: str) -> dict[str, Tensor]:
        """A stage's result, as it was saved."""
        from safetensors.torch import load_file

        try:
            return dict(load_file(self._names(stage, key)[0]))
        except OSError as error:
            raise RenderError(f"the {stage} artefact is gone: {error}", where=str(self.path), mend="render again") from error

    def frames(self, stage: str, key: str) -> Any:
        """The frames of an artefact that has them: (T, H, W, 3) uint8, without loading torch."""
        from safetensors.numpy import load_file

        return load_file(self._names(stage, key)[0])["frames"]

    def save_plain(self, stage: str, key: str, plain: Any, **noted: Any) -> None:
        """Keep plain data (a score) as an artefact."""
        file, note = self._names(stage, key)
        write_text(file, json.dumps(plain, separators=(",", ":"), allow_nan=False))
        self._note(file, note, stage, noted)

    def load_plain(self, stage: str, key: str) -> Any | None:
        """Plain data that was kept, or None."""
        if not self.has(stage, key):
            return None
        return json.loads(self._names(stage, key)[0].read_text(encoding="utf-8"))

    def telling(self, on_event: Callable[[Event], None] | None) -> Callable[[Event], None]:
        """What tells of an event: events.jsonl keeps it, but for single steps, and `on_event` hears of it."""

        def tell(event: Event) -> None:
            if event.kind != "step":
                self.log(event.plain())
            if on_event:
                on_event(event)

        return tell

    def log(self, event: dict[str, Any]) -> None:
        """Add a line to events.jsonl."""
        line = json.dumps({"at": round(time.time(), 3), **event}, ensure_ascii=False) + "\n"
        with (self.path / "events.jsonl").open("ab+") as file:
            # A kill may have cut the last line off: what follows must not be glued to it.
            if file.seek(0, os.SEEK_END) and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                line = "\n" + line
            file.write(line.encode())

    def write(self, name: str, text: str) -> Path:
        """Write one of the folder's own files whole."""
        write_text(self.path / name, text)
        return self.path / name

    def drop(self, stage: str, key: str) -> None:
        """Forget an artefact."""
        for each in self._names(stage, key):
            each.unlink(missing_ok=True)

    def rolls(self) -> dict[str, int]:
        """How often each shot, by its seed, was rolled again."""
        try:
            found = json.loads((self.path / "rolls.json").read_text(encoding="utf-8"))
            return {str(seed): int(count) for seed, count in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def roll(self, seeds: Iterable[int], *, detail: bool = False) -> None:
        """Count one more roll for each of these shots; with `detail` of what finishes its layout alone."""
        rolls = self.rolls()
        for seed in seeds:
            name = detail_roll(seed) if detail else str(seed)
            rolls[name] = rolls.get(name, 0) + 1
            if not detail:
                rolls.pop(detail_roll(seed), None)  # that was of a layout that is gone
        self.write("rolls.json", json.dumps(rolls) + "\n")

    def _names(self, stage: str, key: str) -> tuple[Path, Path]:
        suffix = "json" if stage == "score" else "safetensors"
        return self.artefacts / f"{stage}-{key[:32]}.{suffix}", self.artefacts / f"{stage}-{key[:32]}.record"

    def _note(self, file: Path, note: Path, stage: str, noted: dict[str, Any]) -> None:
        record = {"stage": stage, "bytes": file.stat().st_size, "sha256": _sha256(file), **noted}
        write_text(note, json.dumps(record))

    def _sweep(self) -> None:
        """Remove what killed renders left half-written; nobody else writes here while the lock is held."""
        for part in [*self.path.glob(".*.part"), *self.artefacts.glob(".*.part"), *self.takes.glob(".*.part")]:
            with suppress(OSError):
                part.unlink()


def detail_roll(seed: int) -> str:
    """The name, among the rolls, under which a shot's detail alone was rolled again."""
    return f"{seed}:detail"


def folder_of(film: Path) -> Path:
    """The run folder of a film: film.run beside film.mp4."""
    return film.absolute().with_suffix(".run")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
