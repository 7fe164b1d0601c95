"""The files that sources are made of: pictures and videos, by themselves or in folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from identity.errors import IdentityError

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm"))
VIDEOS = frozenset(
    (
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv",
        ".3gp", ".mxf", ".y4m",
    )
)  # fmt: skip


def files_of(source: Path) -> Iterator[Path]:
    """The file itself, or the pictures and videos of a folder and the folders in it, sorted by name.

    In a folder, hidden files and files of other kinds are passed over. Raises IdentityError for a source that is not
    there, an empty file, a link in a folder that leads out of it or nowhere, and a folder with nothing to read.
    """
    source = Path(source)
    if source.is_dir():
        yield from _inside(source)
    elif not source.is_file():
        raise IdentityError("there is no such file or folder", where=str(source), mend="Check the path.")
    else:
        yield _filled(source)


def source_hashes(sources: Iterable[Path]) -> dict[str, str]:
    """sha256 by path of every file that the sources are made of, so that a pack can tell what it came from."""
    found = {}
    for source in sources:
        for path in files_of(source):
            with path.open("rb") as stream:
                found[str(path)] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _inside(folder: Path) -> Iterator[Path]:
    home = folder.resolve()
    found = False
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not (path.suffix.lower() in PICTURES | VIDEOS or (path.is_symlink() and path.is_dir())):
            continue
        if not path.resolve().is_relative_to(home):
            raise IdentityError(
                "the link points outside its folder", where=str(path), mend="Copy the file in or name it by itself."
            )
        if path.is_symlink() and not path.exists():
            raise IdentityError("the link leads nowhere", where=str(path), mend="Remove it or copy the file in.")
        if path.is_file():
            found = True
            yield _filled(path)
    if not found:
        raise IdentityError(
            "the folder holds no pictures or videos", where=str(folder), mend="Put reference pictures into it."
        )


def _filled(path: Path) -> Path:
    if path.stat().st_size == 0:
        raise IdentityError("the file is empty", where=str(path), mend="Remove it or copy it again.")
    return path
