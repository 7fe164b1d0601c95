"""What can go wrong in assembly, as one small tree.

ValueError
  AssembleError      the request was wrong: a size, an empty clip, a file that is no video (exit code 2)
    WriteError       the work itself failed: the disk is full or refuses the file (exit code 1)
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av


class AssembleError(ValueError):
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


class WriteError(AssembleError):
    """A file that was rightly asked for could not be written. Nothing of it is left behind."""

    exit_code = 1

    @classmethod
    def of(cls, error: OSError | av.FFmpegError, what: str, path: Path) -> WriteError:
        """What the disk or a muxer said when `what` ("the film") was written to a path, in words."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            mend = f"Free some space on the disk of {path.parent.absolute()}, then try again."
            return cls("the disk is full", where=str(path), mend=mend)
        mend = "Check the folder and its disk."
        return cls(f"{what} could not be written: {error.strerror or error}", where=str(path), mend=mend)
