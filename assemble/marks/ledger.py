"""The ledger of this machine: which films were made here. Ids, hashes and times; no name, no prompt, no picture.

A SQLite file to which rows are only ever added: the database itself refuses to change or delete one. It lets `verify` tell a
film of this machine by a mark too worn to be read blind, and a studio say when a file was made. Removing the file removes all.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assemble.errors import AssembleError, WriteError

VARIABLE = "STORYBOARD_LEDGER"
SCHEMA = """
CREATE TABLE IF NOT EXISTS films (
  id TEXT NOT NULL, made REAL NOT NULL, sha256 TEXT NOT NULL, software TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS films_stay BEFORE UPDATE ON films BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER IF NOT EXISTS films_last BEFORE DELETE ON films BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
"""


@dataclass(frozen=True)
class Entry:
    """A film that was made: its id, when (seconds since 1970), the digest of the finished file, and what made it."""

    ident: str
    made: float
    sha256: str
    software: str


class Ledger:
    """The ledger at `path`; without one, what STORYBOARD_LEDGER names, else in the platform's folder for a user's data.

    Every method raises AssembleError when the file is no ledger, and WriteError when the disk refuses it.
    """

    def __init__(self, path: Path | None = None) -> None:
        said = path or os.environ.get(VARIABLE)
        if said:
            self.path = Path(said).expanduser().absolute()
        else:
            from platformdirs import user_data_path

            self.path = user_data_path("storyboard", appauthor=False) / "ledger.sqlite"

    def add(self, ident: str, sha256: str, software: str) -> None:
        """Write down a film, on the disk when this returns."""
        if not re.fullmatch("[0-9a-f]{16}", ident) or not re.fullmatch("[0-9a-f]{64}", sha256):
            raise AssembleError("an id has 16 hexadecimal digits and a sha256 64", where=ident)
        with self._open(write=True) as base, base:
            base.execute("INSERT INTO films VALUES (?, ?, ?, ?)", (ident, round(time.time(), 3), sha256, software))

    def ids(self) -> list[str]:
        """All ids, newest first; none where there is no ledger yet."""
        return list(dict.fromkeys(entry.ident for entry in self.entries()))

    def entries(self, ident: str | None = None) -> list[Entry]:
        """All films, or those of an id, newest first."""
        if not self.path.exists():
            return []
        with self._open() as base:
            rows = base.execute(
                "SELECT id, made, sha256, software FROM films WHERE ? IS NULL OR id = ? ORDER BY rowid DESC",
                (ident, ident),
            ).fetchall()
        return [Entry(*row) for row in rows if isinstance(row[0], str) and re.fullmatch("[0-9a-f]{16}", row[0])]

    @contextmanager
    def _open(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                base = sqlite3.connect(self.path, timeout=30)
            else:
                base = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=30)
            with closing(base):
                if write:
                    base.executescript(SCHEMA)
                yield base
        except sqlite3.DatabaseError as error:
            broken = not isinstance(error, sqlite3.OperationalError)
            what = "this is no ledger" if broken else f"the ledger cannot be used: {error}"
            mend = f"move it away, or name another place in {VARIABLE}"
            raise (AssembleError if broken else WriteError)(what, where=str(self.path), mend=mend) from error
        except OSError as error:
            raise WriteError(
                f"the ledger cannot be written: {error.strerror}",
                where=str(self.path),
                mend=f"name another place in {VARIABLE}",
            ) from error
