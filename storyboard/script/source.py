"""A script as text on disk: read whole, decoded, cut into lines that keep their numbers, and the mistakes found in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from storyboard.errors import Problem, ScriptError, Spot, StoryboardError, closest

LARGEST = 4_000_000  # bytes: past this a file is not a script
SUFFIXES = (".md", ".markdown", ".txt", ".fountain")


@dataclass
class Source:
    """The text of one script and what was found wrong with it so far."""

    path: Path
    text: str
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")

    @classmethod
    def read(cls, path: str | Path) -> Source:
        """The script at a path. StoryboardError when it is missing, not a text file, or holds nothing."""
        path = Path(path)
        if path.is_dir():
            inside = sorted(each.name for each in path.iterdir() if each.suffix in SUFFIXES)
            mend = f'name the script in it, as "{path / inside[0]}"' if inside else "name a script: a .md or .fountain file"
            raise StoryboardError("this is a folder, not a script", where=str(path), mend=mend)
        try:
            data = path.read_bytes() if path.stat().st_size <= LARGEST else None
        except FileNotFoundError:
            raise StoryboardError("there is no such script", where=str(path), mend=_nearby(path)) from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or str(error)
            raise StoryboardError(
                f"the script cannot be read: {reason}", where=str(path), mend="check the path and its rights"
            ) from None
        if data is None:
            raise StoryboardError(
                f"a file of more than {LARGEST // 1_000_000} MB is no script",
                where=str(path),
                mend="name a text file in Markdown or Fountain",
            )
        return cls(path, _decoded(path, data))

    def fault(self, spot: Spot, what: str, mend: str) -> None:
        """Note a mistake; the reader goes on, so that all are told at once."""
        self.problems.append(self._problem(spot, what, mend))

    def warn(self, spot: Spot, what: str, mend: str) -> None:
        """Note something that is likely not meant but stops nothing."""
        self.warnings.append(self._problem(spot, what, mend))

    def _problem(self, spot: Spot, what: str, mend: str) -> Problem:
        shown = self.lines[spot.line - 1] if 0 < spot.line <= len(self.lines) else ""
        return Problem(str(self.path), spot, what, mend, shown)


@dataclass(frozen=True)
class Passage:
    """A run of script text joined from pieces of lines, each character of which knows where it stands."""

    text: str
    starts: tuple[int, ...]  # where in `text` each piece begins
    places: tuple[tuple[int, int], ...]  # line and column of each of those beginnings

    @classmethod
    def join(cls, pieces: list[tuple[int, int, str]]) -> Passage:
        """From (line, column, text) pieces, set end to end."""
        starts, places, text = [], [], []
        length = 0
        for line, column, piece in pieces:
            if piece:
                starts.append(length)
                places.append((line, column))
                text.append(piece)
                length += len(piece)
        return cls("".join(text), tuple(starts), tuple(places))

    def spot(self, start: int, end: int) -> Spot:
        """Where the characters start..end of the text stand in the file (what of them is on the first line)."""
        line, column = self._place(start)
        last_line, last_column = self._place(max(start, end - 1))
        return Spot(line, column, max(1, last_column - column + 1) if last_line == line else 1)

    def _place(self, index: int) -> tuple[int, int]:
        piece = max(0, bisect_right(self.starts, index) - 1)
        line, column = self.places[piece]
        return line, column + index - self.starts[piece]


def _decoded(path: Path, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        head = before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")
        tail = data[error.start : error.start + 40].split(b"\n")[0].decode("utf-8", "replace")
        raise ScriptError(
            [
                Problem(
                    str(path),
                    Spot(line, len(head) + 1),
                    f"the script is not UTF-8 text (byte 0x{data[error.start]:02x})",
                    "save it as UTF-8 text, Markdown (.md) or Fountain (.fountain)",
                    head + tail,
                )
            ]
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise StoryboardError(
            "the script holds NUL bytes, so it is no text file",
            where=f"{path}:{line}",
            mend="save it as UTF-8 text, Markdown (.md) or Fountain (.fountain)",
        )
    if not text.strip():
        raise StoryboardError(
            "the script is empty",
            where=str(path),
            mend='write what happens, for example "# INT. KITCHEN - MORNING" and under it "@mia waves."',
        )
    return text


def _nearby(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix in (*SUFFIXES, ".json")]
    except OSError:
        return f"there is no folder {path.parent} either: check the path"
    found = closest(path.name, names) or (names[0] if len(names) == 1 else "")
    return f"did you mean {path.parent / found}?" if found else "check the path"
