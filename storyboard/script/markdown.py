"""The reader of Markdown scripts.

A line reader of our own rather than a Markdown parser: mistakes are told by line and column, and '---' under a line of text,
which Markdown takes for a heading, is what a writer means by a break.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from storyboard.errors import Spot, closest
from storyboard.limits import Limits
from storyboard.script.builder import ScriptBuilder
from storyboard.script.header import front_matter
from storyboard.script.headings import EXAMPLE
from storyboard.script.parts import Script
from storyboard.script.prose import is_dialogue
from storyboard.script.soundfiles import SOUNDS
from storyboard.script.source import Source
from storyboard.script.transitions import stands_alone

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HEADING = re.compile(r"(?P<marks> {0,3}#{1,6})(?P<gap>[ \t]*)(?P<text>.*?)(?:[ \t]+#+)?[ \t]*")
_BREAK = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:>\s?|[-*+]\s+|\d{1,3}[.)]\s+)+")
_MARKUP = re.compile(r"\\@|\\(?=[!-/:-@\[-`{-~])|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|\*{1,3}(?=\S)|(?<=\S)\*{1,3}|`+")
_FILE = re.compile(r"\s*(?P<kind>clip|frame)\s*:\s*(?P<path>.*?)\s*", re.IGNORECASE)
_ANCHOR = re.compile(r"\s*anchor\s*:\s*(?P<said>\S*)\s*", re.IGNORECASE)
_SOUND = re.compile(
    rf"\s*(?P<kind>voice|ambience)\s*:\s*(?P<path>\S.*?(?:{'|'.join(map(re.escape, SOUNDS))})[\"']?)\s*", re.IGNORECASE
)


def read(source: Source, limits: Limits) -> Script:
    """The script of a Markdown source; mistakes are noted in the source."""
    header, start = front_matter(source, limits)
    builder = ScriptBuilder(source, header, limits)
    body = "\n".join(source.lines[start:])
    # Blanks for comments, so that all that follows keeps its line and column.
    body = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), body)
    pending: list[tuple[int, int, str]] = []
    fence = ""

    def flush() -> None:
        builder.text(pending)
        pending.clear()

    for line, text in enumerate(body.split("\n"), start=start + 1):
        opening = _FENCE.match(text)
        if fence or opening:
            flush()
            if not fence and opening:
                fence = opening[1]
                source.warn(Spot(line, 1, len(text)), "a block of code is no part of the story and is left out", "")
            elif opening and opening[1].startswith(fence) and not text.strip().strip("`~"):
                fence = ""
            continue
        if not text.strip():
            flush()
        elif _BREAK.fullmatch(text):
            flush()
            builder.break_here()
        elif _heading(builder, text, line, flush) or _transition(builder, text, line, flush):
            pass
        elif found := _FILE.fullmatch(text):
            flush()
            builder.file(found["kind"].lower(), found["path"], line, found.start("path") + 1)
        elif found := _ANCHOR.fullmatch(text):
            flush()
            builder.anchor(found["said"], line, found.start("said") + 1)
        elif found := _SOUND.fullmatch(text):
            flush()
            builder.sound(found["kind"].lower(), found["path"], line, found.start("path") + 1)
        else:
            item = _ITEM.match(text)
            start_at = item.end() if item else 0
            pieces = _unmarked(text, line, start_at)
            if item or is_dialogue("".join(piece for _, _, piece in pieces)):
                flush()
            pending += [*pieces, (line, len(text) + 1, " ")]
    flush()
    return builder.script()


def _transition(builder: ScriptBuilder, text: str, line: int, flush: Callable[[], None]) -> bool:
    if stands_alone(text) is None:
        return False
    flush()
    return builder.transition(text, line)


def _heading(builder: ScriptBuilder, text: str, line: int, flush: Callable[[], None]) -> bool:
    found = _HEADING.fullmatch(text)
    if found is None:
        return False
    said, column = found["text"], found.start("text") + 1
    # '##Shot: wide' has lost its space; '#hashtag' is text.
    if not found["gap"] and said and not re.match(r"shot\b|int\b|ext\b|interior\b|exterior\b", said, re.I):
        return False
    flush()
    said = re.sub(r"^[*_]+|[*_]+$", lambda marks: " " * len(marks[0]), said)
    if builder.heading(said, line, column):
        return True
    first = not builder.scenes and not builder.header.title
    if first and said.strip() and len(found["marks"].strip()) == 1:
        builder.header.title = " ".join(said.split())
        return True
    builder.cut_here(Spot(line, column, max(1, len(said))))
    if said.strip():
        near = closest(said.split()[0].rstrip(".:"), ["INT", "EXT", "SHOT"], 0.6)
        mend = 'write "## Shot: wide, static, 3s"' if near == "SHOT" else f'write a scene as "# {EXAMPLE}"'
        builder.source.warn(
            Spot(line, column, len(said)), "this heading is neither a scene nor a shot, so nothing but a cut is made of it", mend
        )
    return True


def _unmarked(text: str, line: int, start: int) -> list[tuple[int, int, str]]:
    """The pieces of a line without its Markdown marks, each with its column."""
    pieces = []
    for mark in [*_MARKUP.finditer(text, start), None]:
        end = mark.start() if mark else len(text)
        pieces.append((line, start + 1, text[start:end]))
        start = mark.end() if mark else end
    # A private-use sign guards quoted words while sentences are cut; nobody's text may bring its own.
    return [(number, column, piece.replace("\ue000", " ")) for number, column, piece in pieces]
