"""The same frames are the same file, whatever a program has left in its memory."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path

import cv2
import numpy as np

from assemble import stitch
from assemble.repeatable import M_PERTURB, zeroed_memory

SIZE = (192, 112)


def film(path: Path) -> bytes:
    """Two shots that pan over one picture: frames in between are told from those around them."""
    rough = np.random.default_rng(7).integers(0, 64, (SIZE[1] + 40, SIZE[0] + 40, 3), np.uint8)
    scene = cv2.GaussianBlur(rough, (0, 0), 3) * 4
    shots = [[scene[k + start : k + start + SIZE[1], k : k + SIZE[0]] for k in range(7)] for start in (0, 9)]
    stitch(shots, path, fps=6, size=SIZE)
    return path.read_bytes()


def test_what_memory_held_does_not_change_a_film(tmp_path: Path) -> None:
    fresh = film(tmp_path / "fresh.mp4")
    for left in (1, 85, 170):
        ctypes.CDLL(None).mallopt(M_PERTURB, left)  # all memory is handed out full of something, in place of zeros
        assert film(tmp_path / f"{left}.mp4") == fresh


def test_memory_is_zero_while_anybody_asks(tmp_path: Path) -> None:
    """Films that are made side by side: the one that ends first does not take it from the other."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]

    def handed_out() -> bytes:
        """Of memory that had been in use."""
        old = libc.malloc(5000)
        ctypes.memset(old, 7, 5000)
        libc.free(old)
        new = libc.malloc(5000)
        found = ctypes.string_at(new, 5000)
        libc.free(new)
        return found

    def one() -> None:
        with zeroed_memory():
            pass

    with zeroed_memory():
        other = threading.Thread(target=one)
        other.start()
        other.join()
        assert handed_out() == bytes(5000)
    assert handed_out() != bytes(5000)
