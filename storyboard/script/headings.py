"""Headings of a script: scenes ('INT. LIGHTHOUSE - NIGHT') and shots ('Shot: wide, slow push in, 3s')."""

from __future__ import annotations

import re
from dataclasses import dataclass

from storyboard.errors import Spot, closest, listed
from storyboard.limits import Limits
from storyboard.script.source import Source
from storyboard.script.transitions import Transition, transition
from storyboard.script.words import (
    MOVE_WORDS,
    MOVES,
    SAME_TIME,
    SIZE_WORDS,
    SIZES,
    TIMES,
    move_word,
    place_in,
    size_word,
    time_in,
)

_SCENE = re.compile(
    r"(?P<set>(?:INT(?:ERIOR)?|EXT(?:ERIOR)?)\.?\s*/\s*(?:INT(?:ERIOR)?|EXT(?:ERIOR)?)\b\.?|I/E\b\.?|INT(?:ERIOR)?\b\.?|"
    r"EXT(?:ERIOR)?\b\.?|EST\.)[:\s]*(?P<rest>.*)",
    re.IGNORECASE,
)
_SHOT = re.compile(r"(?P<word>\w+)[ \t]*(?P<number>\d+\b)?[ \t]*(?P<mark>[:.\u2013\u2014-]?)[ \t]*(?P<rest>.*)")
_DASH = re.compile(r"(?:^|\s+)-+\s+|\s*[–—]\s*|\s+-+\s*$")
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>[a-z]*)", re.IGNORECASE)
_TIME_FILLERS = re.compile(r"\b(?:the|next|that|early|late|following|very|same|one|at|in|before|after|\d+)\b|[^\w\s]", re.I)
EXAMPLE = "INT. KITCHEN - MORNING"


@dataclass(frozen=True)
class SceneHeading:
    """What a scene heading says; None where it says nothing. `same_time` asks for the hour of the scene before."""

    text: str
    place: str | None
    interior: bool | None
    time: str | None


@dataclass(frozen=True)
class ShotHeading:
    """What a shot heading says; None where it leaves the choice to the planner."""

    size: str | None = None
    move: str | None = None
    seconds: float | None = None
    enter: Transition | None = None
    leave: Transition | None = None
    anchor: bool | None = None
    continues: bool | None = None


def scene_heading(source: Source, text: str, line: int, column: int) -> SceneHeading | None:
    """The scene that a heading names, or None when it is no scene heading. `column` is where its text starts."""
    found = _SCENE.fullmatch(text.strip())
    if found is None:
        return _unmarked_scene(source, text, line, column)
    start = column + len(text) - len(text.lstrip())
    inside, outside = found["set"].upper().startswith(("I", "EST")), "EXT" in found["set"].upper() or "/" in found["set"]
    place, time = _place_and_time(source, found["rest"], line, start + found.start("rest"))
    if not place:
        source.fault(Spot(line, column, max(1, len(text))), "this scene heading names no place", f'write it as "{EXAMPLE}"')
    known = place_in(place)
    both = inside and outside
    interior = None if found["set"].upper().startswith("EST") else (known[1] if known else True) if both else inside
    return SceneHeading(text.strip(), known[0] if known else place or None, interior, time)


def _unmarked_scene(source: Source, text: str, line: int, column: int) -> SceneHeading | None:
    """'Kitchen - Night': a scene heading that lacks INT. or EXT.; places of the vocabulary need none."""
    pieces = _DASH.split(text.strip())
    if len(pieces) < 2 or not _hour(pieces[-1]):
        return None
    known = place_in(" ".join(pieces[:-1]))
    if known is None:
        source.fault(
            Spot(line, column, max(1, len(text))), "this heading does not say indoors or outdoors", f'write "INT. {text.strip()}"'
        )
    return SceneHeading(text.strip(), known[0] if known else None, known[1] if known else None, _hour(pieces[-1]))


def shot_heading(source: Source, text: str, line: int, column: int, limits: Limits) -> ShotHeading | None:
    """The shot that a heading describes, or None when it is no shot heading."""
    column += len(text) - len(text.lstrip())
    found = _SHOT.fullmatch(text.strip())
    if found is None:
        return None
    word = found["word"].casefold()
    if word != "shot":
        if found["mark"] == ":" and closest(word, ["shot"], 0.7):
            source.fault(Spot(line, column, len(word)), f'"{found["word"]}" is no heading', 'did you mean "Shot:"?')
            return ShotHeading()
        return None
    if found["rest"] and not found["mark"] and not found["number"]:
        return None
    said = ShotHeading()
    start = column + found.start("rest")
    # A comma between digits is a decimal comma: '2,5s'.
    rest = re.sub(r"(?<=\d),(?=\d+\s*s)", ".", found["rest"])
    for piece in re.finditer(r"[^,;]+", rest):
        words = piece[0].strip()
        if words:
            spot = Spot(line, start + piece.start() + len(piece[0]) - len(piece[0].lstrip()), len(words))
            said = _add(said, _piece(source, words, spot, limits), source, spot)
    return said


def _piece(source: Source, words: str, spot: Spot, limits: Limits) -> ShotHeading:
    """What one piece of a shot heading, between commas, says."""
    seconds = _DURATION.fullmatch(words)
    if seconds:
        return ShotHeading(seconds=_seconds(source, seconds, spot, limits))
    if words.casefold() == "anchor":
        return ShotHeading(anchor=True)
    if words.casefold() == "continues":
        return ShotHeading(continues=True)
    change = transition(words)
    if change is not None:
        return ShotHeading(enter=change.enter, leave=change.leave)
    size, move = size_word(words), move_word(words)
    parts = words.split()
    for middle in range(1, len(parts)):
        if size or move:
            break
        size, move = size_word(" ".join(parts[:middle])), move_word(" ".join(parts[middle:]))
        if not (size and move):
            size = move = None
    if not size and not move:
        known = {word: name for table in (SIZE_WORDS, MOVE_WORDS) for name, spelled in table.items() for word in spelled}
        near = closest(words, known, 0.7)
        mend = f'did you mean "{known[near]}"? ' if near else ""
        mend += f"a shot takes a size ({listed(SIZES)}), a move ({listed(MOVES)}) and a length (3s)"
        mend += ", may dissolve, fade in or fade out, be the anchor of its scene's light, and say that it continues"
        source.fault(spot, f'"{words}" is no word for a shot', mend)
    return ShotHeading(size, move)


def _seconds(source: Source, found: re.Match[str], spot: Spot, limits: Limits) -> float | None:
    value, unit = found[1], found["unit"].lower()
    if unit not in ("s", "sec", "secs", "second", "seconds"):
        mend = f"did you mean {value}s?" if not unit else f"write the length in seconds, as {limits.longest:g}s"
        source.fault(spot, f'"{found[0]}" is no length', mend)
        return None
    seconds = float(value)
    if not limits.shortest <= seconds <= limits.longest:
        source.fault(
            spot,
            f"a shot of {value} s cannot be made",
            f"{limits.model} makes shots of {limits.shortest:g} to {limits.longest:g} s: write a length between them",
        )
        return None
    return seconds


def _add(said: ShotHeading, more: ShotHeading, source: Source, spot: Spot) -> ShotHeading:
    for name, value in vars(more).items():
        if value is None:
            continue
        if getattr(said, name) is not None:
            words = {"seconds": "lengths", "enter": "beginnings", "leave": "endings", "continues": 'words "continues"'}
            twice = words.get(name, f"{name}s")
            source.fault(spot, f"the shot has two {twice}", "keep one of them")
        else:
            said = ShotHeading(**{**vars(said), name: value})
    return said


def _place_and_time(source: Source, rest: str, line: int, column: int) -> tuple[str, str | None]:
    pieces, start = [], 0
    for dash in [*_DASH.finditer(rest), None]:
        end = dash.start() if dash else len(rest)
        if rest[start:end].strip():
            pieces.append((rest[start:end].strip(), start))
        start = dash.end() if dash else end
    if len(pieces) == 1 and "," in rest:
        head, _, tail = rest.rpartition(",")
        if _hour(tail):
            pieces = [(head.strip(), 0), (tail.strip(), len(head) + 1)]
    time = None
    if len(pieces) > 1 or (pieces and _hour(pieces[0][0])):
        last, where = pieces[-1]
        time = _hour(last)
        near = closest(last, [*TIMES, "dawn", "dusk", "afternoon", "midnight"], 0.75)
        if time or last.casefold().strip(" .") in SAME_TIME:
            pieces.pop()
        elif near and not place_in(last):
            source.fault(Spot(line, column + where, len(last)), f'"{last}" is no time of day', f"did you mean {near.upper()}?")
            pieces.pop()
    return ", ".join(text for text, _ in pieces).strip(" ,.").casefold(), time


def _hour(text: str) -> str | None:
    """The time of day when the text is nothing but that: 'LATE NIGHT', 'DAY 2'."""
    time = time_in(text)
    left = _TIME_FILLERS.sub(" ", text).split()
    return time if time and len(left) == 1 else None
