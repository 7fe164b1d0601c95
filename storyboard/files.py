"""Files on the disk: written so that a kill or a full disk leaves the old or the new, never half of one; locked; sized."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; when the block ends well, its file is on the disk and takes the name."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        settle(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def settle(part: Path, path: Path) -> None:
    """Bring a finished file to the disk for good, then let it take its name."""
    _sync(part)
    os.replace(part, path)
    _sync(path.parent)


class Held(Exception):  # noqa: N818
    """Another process holds the lock; `owner` is its number, as far as it wrote it down."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        super().__init__(owner)


def lock(path: Path) -> int:
    """Take a lock file, making it if need be. Closing the handle that is returned lets the lock go, and so does a kill."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(handle)
        raise Held(owner) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def part_of(path: Path) -> Path:
    """Where a file lies while it is not whole."""
    return path.with_name(f"{path.name}.part")


def size_of(path: Path) -> int:
    """Bytes of a file, 0 when it is not there."""
    return path.stat().st_size if path.exists() else 0


def gigabytes(size: int) -> str:
    """Bytes as a person reads them: 126.0 GB, 38.7 MB, 514 bytes."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
