"""Fetching a model or an encoder set into the models folder: once, whole, and with its licence accepted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from os import close
from pathlib import Path

from storyboard.errors import FetchError, StoryboardError
from storyboard.events import Event
from storyboard.files import Held, gigabytes, lock, part_of, size_of
from storyboard.models.catalogue import File, Offer, offer
from storyboard.models.download import download
from storyboard.models.hub import listing
from storyboard.models.shelf import Record, shelf
from storyboard.models.unpack import unpack
from storyboard.models.web import Web

Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Fetched:
    """A set that is whole: its folder, its files, and which of them came just now."""

    offer: Offer
    folder: Path
    files: tuple[File, ...]
    came: tuple[File, ...]


def fetch(name: str, to: Path | None = None, *, accept_licence: bool = False, on_event: Tell = lambda _: None) -> Fetched:
    """Fetch what `storyboard models list` names into the models folder, or into the one that `to` names.

    What is there already is checked by its digest and kept; a file that is not what it should be is removed and comes anew.
    What an earlier call left unfinished is gone on with. Events are "bytes" (`text` is a file, `done` and `total` bytes) and
    "note".

    Raises StoryboardError for an unknown name, a licence not accepted, a folder in the way or in use; FetchError when the
    network, the server or the files fail, or the disk has too little room; OSError for the disk.
    """
    wanted = offer(name)
    folder = shelf(to) / wanted.name
    record = Record.load(folder)
    if not accept_licence and not accepted(wanted, to):
        raise StoryboardError(
            f"{wanted.name} comes with a licence: {wanted.licence}. {wanted.terms}",
            where=wanted.page,
            mend="read it; if you accept it, say so with --accept-licence",
        )
    with _alone(folder), Web() as web:
        record = _record(web, wanted, folder, record)
        missing = tuple(_missing(record.files, folder, on_event))
        _room(wanted, missing, folder)

        def tell(path: str, done: int, size: int) -> None:
            on_event(Event("bytes", path, done=done, total=size))

        if wanted.archive and missing:
            packed = folder / wanted.archive.path
            if not wanted.archive.fits(packed):
                download(web, wanted.archive, packed, tell)
            unpack(packed, missing, folder)
            packed.unlink()
        else:
            for file in missing:
                (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
                download(web, file, folder / file.path, tell)
    if wanted.kind == "model":
        _recognised(wanted, folder)
    return Fetched(wanted, folder, record.files, missing)


def accepted(wanted: Offer, to: Path | None = None) -> bool:
    """Whether the licence was accepted when an earlier fetch began, and is still the same."""
    record = Record.load(shelf(to) / wanted.name)
    return record is not None and record.licence == wanted.licence


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While the block runs nobody else fetches into this folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = lock(folder.parent / f".{folder.name}.lock")
    except Held as held:
        raise StoryboardError(
            f"process {held.owner} is fetching it already", where=str(folder), mend="wait until it is done"
        ) from None
    try:
        yield
    finally:
        close(handle)


def _record(web: Web, wanted: Offer, folder: Path, record: Record | None) -> Record:
    """The record of what is to be in the folder, on the disk before the first file is."""
    if record is None and folder.exists() and any(folder.iterdir()):
        raise StoryboardError(
            "there are files here that storyboard did not fetch",
            where=str(folder),
            mend="use them as they are, or move them away, or fetch into another folder with --to",
        )
    when = record.accepted if record and record.licence == wanted.licence else datetime.now(UTC).isoformat(timespec="seconds")
    files = wanted.files or (record.files if record else listing(web, wanted.repository, _of_a_model))
    made = Record(wanted.name, wanted.licence, when, files)
    if made != record:
        folder.mkdir(exist_ok=True)
        made.save(folder)
    return made


def _of_a_model(path: str) -> bool:
    """Whether a file of a repository belongs to what `generation` loads."""
    from generation.load import CLASSES

    return path == "model_index.json" or path.partition("/")[0] in CLASSES


def _missing(files: Sequence[File], folder: Path, on_event: Tell) -> Iterator[File]:
    if any((folder / file.path).exists() for file in files):
        on_event(Event("note", f"checking what is in {folder}"))
    for file in files:
        path = folder / file.path
        if file.fits(path):
            continue
        if path.exists():
            path.unlink()
            on_event(Event("note", f"{file.path} was not what it should be: removed, to come anew"))
        yield file


def _room(wanted: Offer, missing: Sequence[File], folder: Path) -> None:
    """FetchError when the disk cannot hold what is still to come."""
    coming = [wanted.archive] if wanted.archive and missing else []
    need = sum(file.size - min(file.size, size_of(part_of(folder / file.path))) for file in [*coming, *missing])
    free = shutil.disk_usage(folder).free
    if need > free:
        raise FetchError(
            f"{wanted.name} needs {gigabytes(need)} more, and the disk has {gigabytes(free)} free",
            where=str(folder),
            mend="free some space, or fetch to another disk with --to",
        )


def _recognised(wanted: Offer, folder: Path) -> None:
    """The whole folder is the model that its name promises; GenerationError or FetchError if not."""
    from generation.load import Model

    found = Model.open(folder).family.name
    if found != wanted.name:
        raise FetchError(
            f"what came is a {found}, not a {wanted.name}", where=str(folder), mend="its source was exchanged: remove the folder"
        )
