"""Seeds: every random choice of a film follows from one number."""

from __future__ import annotations

import hashlib

LARGEST = 2**32 - 1


def derived(seed: int, *path: int | str) -> int:
    """A seed below 2**31 that follows from another and from where it is used: the same path, the same seed."""
    said = ":".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:4], "big") >> 1
