"""The boxes that an MP4 file is made of (ISO/IEC 14496-12, section 4.2), by their heads alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOST = 100_000
"""Boxes of one file that are looked at: a hostile one could have a million empty ones."""


class Box(NamedTuple):
    """A box at the top of a file: its four letters, its first byte, its bytes with the head, and the uuid of a "uuid" box."""

    kind: bytes
    start: int
    size: int
    uuid: bytes


def boxes(path: Path) -> Iterator[Box]:
    """The boxes at the top of a file, as far as they follow one another. A file of another kind has none, or few and odd ones."""
    end = path.stat().st_size
    at = 0
    with path.open("rb") as stream:
        for _ in range(MOST):
            stream.seek(at)
            head = stream.read(32)
            if len(head) < 8:
                return
            size, kind = struct.unpack(">I4s", head[:8])
            skip = 8
            if size == 1 and len(head) >= 16:
                size, skip = struct.unpack(">Q", head[8:16])[0], 16
            elif size == 0:
                size = end - at
            if size < skip or at + size > end:
                return
            yield Box(kind, at, size, head[skip : skip + 16] if kind == b"uuid" else b"")
            at += size
