"""Captions: what is said, when, and by whom; as SubRip and as WebVTT.

Both are UTF-8. Emoji and right-to-left text stand in them in their logical order, which is what players expect.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import zip_longest

WIDE, HIGH = 42, 2  # characters a line, and lines of one caption, as the BBC and Netflix ask
READING = 17.0  # characters a second that a viewer reads
SHORTEST = 1.0  # seconds that a caption stays where the next one lets it
APART = 0.04  # seconds between two captions, so that a viewer sees that there is a new one


@dataclass(frozen=True)
class Caption:
    """One caption, from `start` to `end` seconds. `text` may have line breaks."""

    start: float
    end: float
    speaker: str
    text: str


def captions(lines: Iterable[tuple[float, float, str, str]], seconds: float) -> tuple[Caption, ...]:
    """Captions of lines (start, end, speaker, text) in a film of so many seconds, in the order of their time.

    A long line becomes several captions; one that is over too soon to be read stays, as far as the next and the film's end
    let it. Lines without text, and those that begin behind the film's end, have none.
    """
    made: list[Caption] = []
    for start, end, speaker, text in sorted(lines, key=lambda line: line[0]):
        pieces = list(_pieces(text, speaker))
        total = sum(map(len, pieces))
        at = max(0.0, start)
        for piece in pieces:
            share = max(0.0, end - start) * len(piece) / total
            made.append(Caption(at, at + share, speaker, piece))
            at += share
    made = [each for each in made if each.start < seconds - 0.01]
    out = []
    for each, after in zip_longest(made, made[1:]):
        limit = min(seconds, after.start - APART if after and after.start > each.start else seconds)
        wanted = each.start + max(SHORTEST, len(each.text) / READING)
        end = min(max(each.end, wanted), limit)
        out.append(replace(each, end=max(end, each.start + 0.01)))
    return tuple(out)


def srt(made: Sequence[Caption]) -> str:
    """The captions as SubRip, the speaker's name before the words."""
    return "".join(
        f"{number}\n{_clock(each.start, ',')} --> {_clock(each.end, ',')}\n{_named(each)}\n\n"
        for number, each in enumerate(made, start=1)
    )


def vtt(made: Sequence[Caption]) -> str:
    """The captions as WebVTT, the speaker in a voice span."""
    cues = "".join(
        f"\n{_clock(each.start, '.')} --> {_clock(each.end, '.')}\n<v {escape(each.speaker, quote=False)}>"
        f"{escape(each.text, quote=False)}</v>\n"
        for each in made
    )
    return f"WEBVTT\n{cues}"


def title(name: str) -> str:
    """A character's name as a viewer reads it."""
    return name[:1].upper() + name[1:]


def _named(each: Caption) -> str:
    # An arrow would end the caption for some players; it is never part of what is said.
    return f"{title(each.speaker)}: {each.text}".replace("-->", "\N{RIGHTWARDS ARROW}")


def _pieces(text: str, speaker: str) -> Iterator[str]:
    """A line's text in pieces of one caption each, broken at its words."""
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") else char for char in text)
    plain = re.sub(r"\s+", " ", plain).strip()
    if not plain:
        return
    # The name stands before the first words; it takes room of the first line.
    room = " " * min(len(speaker) + 2, WIDE // 2)
    rows = textwrap.wrap(plain, WIDE, initial_indent=room, break_on_hyphens=False) or [plain]
    rows[0] = rows[0].strip()
    rows = [row for row in rows if row]
    for first in range(0, len(rows), HIGH):
        yield "\n".join(rows[first : first + HIGH])


def _clock(seconds: float, point: str) -> str:
    milliseconds = max(0, round(seconds * 1000))
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"
