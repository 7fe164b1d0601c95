"""Files out of a zip: only those that are asked for by name, to places that we name, checked to the last byte."""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from storyboard.errors import FetchError
from storyboard.files import part_of, settle
from storyboard.models.catalogue import File

CHUNK = 1 << 20  # bytes


def unpack(archive: Path, files: Iterable[File], folder: Path) -> None:
    """Write the members that `files` name into `folder`. What else the archive holds, and where it would go, plays no part.

    FetchError when the archive is none or a member is missing or another file; nothing half-written stays.
    """
    mend = "the archive was made by another hand than storyboard expects: update storyboard"
    try:
        with zipfile.ZipFile(archive) as packed:
            for file in files:
                part = part_of(folder / file.path)
                try:
                    with packed.open(file.member) as source, part.open("wb") as out:
                        _copy(source, out, file.size)
                    if not file.fits(part):
                        raise FetchError(f"{file.member} is another file than expected", where=str(archive), mend=mend)
                    settle(part, folder / file.path)
                finally:
                    part.unlink(missing_ok=True)
    except FetchError:
        raise
    except KeyError as error:
        raise FetchError(f"the archive lacks a file ({error.args[0]})", where=str(archive), mend=mend) from None
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # zipfile seeks to wherever a broken archive says
            raise
        raise FetchError(f"the archive cannot be opened ({error})", where=str(archive), mend=mend) from None


def _copy(source: IO[bytes], out: IO[bytes], size: int) -> None:
    """Copy up to `size` bytes and one more, which tells that there are too many: a small zip may unpack to no end."""
    left = size + 1
    while left and (chunk := source.read(min(CHUNK, left))):
        out.write(chunk)
        left -= len(chunk)
