"""The errors of the storyboard room, and the lines of a script that they point at.

    StoryboardError (ValueError)      the request was wrong: exit code 2
    ├── ScriptError                   all mistakes of one script or board, each with its place
    ├── RenderError                   the work failed: exit code 1
    └── FetchError                    a model could not be fetched: exit code 1
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

WIDEST = 96  # columns of a script line that a message shows


class StoryboardError(ValueError):
    """What was wrong, where, and what to do about it."""

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(what, where, mend)

    def __str__(self) -> str:
        said = f"{self.where}: {self.what}" if self.where else self.what
        return f"{said}\n  {self.mend}" if self.mend else said


class RenderError(StoryboardError):
    """The work itself failed; the request was sound."""

    exit_code = 1


class FetchError(StoryboardError):
    """A model or an encoder set could not be fetched, or what lies here of it is not whole."""

    exit_code = 1


@dataclass(frozen=True)
class Spot:
    """A stretch of one line of a text file: line and column count from 1, length in characters."""

    line: int
    column: int = 1
    length: int = 1


@dataclass(frozen=True)
class Problem:
    """One mistake in a script: its place, the line as it stands there, what is wrong and what to write instead."""

    path: str
    spot: Spot
    what: str
    mend: str
    shown: str = ""

    def __str__(self) -> str:
        said = [f"{self.path}:{self.spot.line}:{self.spot.column}: {self.what}"]
        if self.shown.strip():
            text, caret = _window(self.shown, self.spot)
            gutter = f"{self.spot.line:>5} | "
            said += [gutter + text, " " * (len(gutter) - 2) + "| " + caret]
        if self.mend:
            said.append(f"  {self.mend}")
        return "\n".join(said)


class ScriptError(StoryboardError):
    """All mistakes of one script; `problems` holds them in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.spot.line, problem.spot.column)))
        first = self.problems[0]
        count = len(self.problems)
        what = first.what if count == 1 else f"{count} mistakes, the first: {first.what}"
        super().__init__(what, where=f"{first.path}:{first.spot.line}:{first.spot.column}", mend=first.mend)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def meant(word: str, options: Iterable[str]) -> str:
    """' (did you mean "tom"?)' when one of the options is close to the word, else nothing."""
    found = closest(word, options)
    return f' (did you mean "{found}"?)' if found else ""


def closest(word: str, options: Iterable[str], cutoff: float = 0.6) -> str:
    """The option nearest to the word, or '' when none is near (difflib ratio under the cutoff)."""
    known = {option.casefold(): option for option in options}
    found = difflib.get_close_matches(word.casefold(), known, n=1, cutoff=cutoff)
    return known[found[0]] if found else ""


def listed(words: Iterable[str]) -> str:
    """'wide, medium or close-up'."""
    words = list(words)
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def _window(shown: str, spot: Spot) -> tuple[str, str]:
    """The part of a line around the spot that fits a terminal, and the carets under it."""
    start = max(0, spot.column - 1)
    first = 0 if start < WIDEST * 2 // 3 else start - WIDEST // 2
    last = first + WIDEST
    lead = "..." if first else ""
    text = lead + "".join(map(_plain, shown[first:last])) + ("..." if len(shown) > last else "")
    pad = " " * len(lead) + "".join(
        "\t" if char == "\t" else " " * _cells(char) for char in map(_plain, shown[first:start])
    )
    under = sum(_cells(_plain(char)) for char in shown[start : min(start + max(1, spot.length), last)])
    return text.rstrip(), pad + "^" * max(1, under)


def _plain(char: str) -> str:
    # A script is someone else's text: it must not steer the terminal that shows it.
    return char if char == "\t" or char.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
