"""What can go wrong in generation, as one small tree.

ValueError
  GenerationError      the request was wrong: a size, a length, a model folder (exit code 2)
    StageError         the work itself failed: a network gave numbers that are not numbers (exit code 1)
"""

from __future__ import annotations


class GenerationError(ValueError):
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


class StageError(GenerationError):
    """A stage was asked for something right and could not do it."""

    exit_code = 1
