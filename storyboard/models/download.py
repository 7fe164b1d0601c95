"""One file from the network to the disk: gone on with where the last try ended, and checked to the last byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from storyboard.errors import FetchError
from storyboard.files import part_of, settle, size_of
from storyboard.models.catalogue import File
from storyboard.models.web import Dropped, Web, chunks, mirrored, persist

Tell = Callable[[str, int, int], None]
"""Told of progress: (the file's path in its folder, bytes that are here, bytes in all)."""


def download(web: Web, file: File, path: Path, tell: Tell) -> None:
    """Bring a file to `path`. What is there of it in `path`.part is kept, also when this fails.

    Raises FetchError when it cannot be had, and when what comes is another file, which then is removed; OSError for the disk.
    """
    part, where = part_of(path), mirrored(file.url)
    for _ in range(2 if size_of(part) else 1):  # what lay here from before may be at fault: then all of it comes anew
        persist(lambda: _receive(web, file, part, tell), lambda: size_of(part), where=where)
        if file.fits(part):
            settle(part, path)
            return
        part.unlink()
    kind = "sha256" if file.digest.startswith("sha256:") else "git name"
    raise FetchError(
        f"what came is not {file.path}: its {kind} differs, and it was removed",
        where=where,
        mend="run the same command again; if it stays, what lies there was damaged or exchanged: name another mirror",
    )


def _receive(web: Web, file: File, part: Path, tell: Tell) -> None:
    have = size_of(part)
    if have > file.size:
        part.unlink()
        have = 0
    if have == file.size > 0:
        return
    with web.get(file.url, have) as answer:
        first, total = _span(answer.status_code, answer.headers.get("Content-Range", ""))
        if answer.status_code == 416 or first not in (0, have):
            part.unlink(missing_ok=True)
            raise Dropped("the server would not go on where the last try ended")
        said = answer.headers.get("Content-Length", "")
        if total is None and said.isdecimal() and not answer.headers.get("Content-Encoding"):
            total = first + int(said)
        if total not in (None, file.size):
            raise _wrong_length(file, f"{total} bytes")
        with part.open("ab" if first else "wb") as out:
            for chunk in chunks(answer):
                if out.tell() + len(chunk) > file.size:
                    part.unlink()
                    raise _wrong_length(file, "more")
                out.write(chunk)
                tell(file.path, out.tell(), file.size)
            have = out.tell()
    if have < file.size:
        raise Dropped(f"the connection ended at {have} of {file.size} bytes")


def _span(status: int, content_range: str) -> tuple[int, int | None]:
    """The first byte that an answer holds, and the length of the whole file if it says so."""
    found = re.match(r"bytes (\d+)-\d+/(\d+|\*)", content_range)
    if status != 206 or not found:
        return 0, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _wrong_length(file: File, said: str) -> FetchError:
    return FetchError(
        f"{file.path} has {file.size} bytes, and the server has {said}",
        where=mirrored(file.url),
        mend="a sign-in page or a broken mirror may answer there: look at the address in a browser",
    )
