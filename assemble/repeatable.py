"""The same frames make the same file, to the byte.

x264 weighs a film by memory that it has not written yet (its macroblock tree, where there are B-frames; core 165). In a program
that has just begun all memory is zero, and nobody sees it. In one that has rendered, as many as one file in four came out coded
otherwise. Without that tree or B-frames a film of the same quality would be larger.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

M_PERTURB = -6  # of glibc's malloc.h: what is handed out is filled with the complement of this byte
_lock, _users = Lock(), 0


@contextmanager
def zeroed_memory() -> Iterator[None]:
    """Within it, the C library hands out memory that is zero, to all threads. Without glibc nothing changes."""
    _use(1)
    try:
        yield
    finally:
        _use(-1)


def _use(more: int) -> None:
    global _users
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    with _lock:
        _users += more
        if mallopt is not None:
            mallopt(M_PERTURB, 0xFF if _users else 0)
