"""What can go wrong in identity, as one small tree.

ValueError
  IdentityError      the request was wrong: a source, a pack, an encoder set (exit code 2)
"""

from __future__ import annotations


class IdentityError(ValueError):
    """A fault that a person can mend: what was wrong, where, and what to do about it."""

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = what
        self.where = where
        self.mend = mend
        super().__init__(what, where, mend)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n{self.mend}" if self.mend else head
