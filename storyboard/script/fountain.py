"""The reader of Fountain screenplays (fountain.io).

Characters are declared in YAML front matter as in Markdown, or under 'Characters:' on the title page. Their names bind
wherever they are written as names ('Mia', 'MIA'), as screenplays know no @. Shots may be given as sections ('## Shot: ...').
"""

from __future__ import annotations

import re

from storyboard.errors import Spot
from storyboard.limits import Limits
from storyboard.script.builder import ScriptBuilder
from storyboard.script.header import KEYS, Header, front_matter, read_yaml
from storyboard.script.parts import Line, Script
from storyboard.script.source import Passage, Source
from storyboard.script.transitions import stands_alone

_BONEYARD = re.compile(r"/\*.*?(?:\*/|\Z)|\[\[.*?(?:\]\]|\Z)", re.DOTALL)
_TITLE_KEY = re.compile(r"(?P<key>[A-Za-z][A-Za-z ]*):(?P<value>.*)")
_TITLE_KEYS = {"title", "credit", "author", "authors", "source", "notes", "draft date", "date", "contact", "copyright",
               "revision", "format", "font", "language", *KEYS}  # fmt: skip
_CUE = re.compile(r"@?(?P<name>[^\W_][^(^]*?)\s*(?P<marks>(?:\([^)]*\)\s*)*)\^?")
_END = re.compile(r"THE END\.?")
_EMPHASIS = re.compile(r"\\(?=[*_@])|\*{1,3}(?=\S)|(?<=\S)\*{1,3}|(?<!\w)_+(?=\S)|(?<=\S)_+(?!\w)")


def read(source: Source, limits: Limits) -> Script:
    """The script of a Fountain source; mistakes are noted in the source."""
    header, start = front_matter(source, limits)
    if start == 0:
        header, start = _title_page(source, limits)
    builder = ScriptBuilder(source, header, limits)
    body = "\n".join(source.lines[start:])
    # Blanks for notes and boneyards, so that all that follows keeps its line and column.
    body = _BONEYARD.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), body)
    lines = ["", *body.split("\n"), ""]
    action: list[tuple[int, int, str]] = []

    def flush() -> None:
        builder.text(action)
        action.clear()

    index = 1
    while index < len(lines) - 1:
        raw, number = lines[index], start + index
        text = raw.strip()
        column = len(raw) - len(raw.lstrip()) + 1
        index += 1
        if not text:
            flush()
        elif re.fullmatch(r"={3,}", text):
            flush()
            builder.break_here()
        elif text.startswith("#"):
            flush()
            said = text.lstrip("#")
            if not builder.heading(said, number, column + len(text) - len(said)):
                builder.cut_here(Spot(number, column, len(text)))
        elif text.startswith(("=", "~")):
            flush()  # a synopsis, a lyric: nothing that is seen
        elif text.startswith(".") and not text.startswith(".."):
            flush()
            said = text[1:] if re.match(r"\.(?:int|ext|i/e|est)\b", text, re.I) else f"EST. {text[1:]}"
            builder.heading(re.sub(r"\s*#[^#]*#\s*$", "", said), number, column, shots=False)
        elif re.match(r"(?:int|ext|est|i/e)[./ ]", text, re.I) and builder.heading(
            re.sub(r"\s*#[^#]*#\s*$", "", text), number, column, shots=False
        ):
            flush()
        elif (forced := text.startswith(">") and not text.endswith("<")) or stands_alone(text) or _END.fullmatch(text):
            flush()
            if not builder.transition(raw, number, forced=forced):
                builder.cut_here(Spot(number, column, len(text)))
        elif cue := _cue(builder, text, lines[index - 2], lines[index]):
            flush()
            name, marks = cue
            spoken = []
            while index < len(lines) - 1 and (lines[index].strip() or lines[index] == "  "):
                spoken.append((start + index, lines[index]))
                index += 1
            _speech(builder, name, marks, spoken, Spot(number, column, len(text)))
        else:
            text = text[1:] if text.startswith("!") else text.strip("<> ") if text.startswith(">") else text
            column += raw[column - 1 :].index(text) if text else 0
            action += [*_pieces(builder, text, number, column), (number, len(raw) + 1, " ")]
    flush()
    return builder.script()


def _cue(builder: ScriptBuilder, text: str, above: str, below: str) -> tuple[str, str] | None:
    """The name and the '(V.O.)' of a character cue: capitals, or a forced '@name', alone above what is said."""
    found = _CUE.fullmatch(text)
    if found is None or above.strip() or not below.strip():
        return None
    name = " ".join(found["name"].split())
    forced = text.startswith("@")
    known = name.replace(" ", "_").casefold() in builder.cast.names or name.casefold() in builder.cast.names
    if (forced and (known or len(name.split()) == 1)) or (name == name.upper() and any(map(str.isalpha, name))):
        return name, found["marks"]
    return None


def _speech(builder: ScriptBuilder, name: str, marks: str, spoken: list[tuple[int, str]], spot: Spot) -> None:
    """The lines under a cue; a parenthetical sets the manner of what follows it."""
    cast = builder.cast
    speaker = cast.names.get(name.casefold()) or cast.names.get(name.replace(" ", "_").casefold(), name if cast.open else "")
    if not speaker:
        cast.unknown(Passage.join([(spot.line, spot.column, name)]), name, 0, len(name))
        return
    builder.paragraph += 1
    heard = bool(re.search(r"\b(?:V\.?O|O\.?S|O\.?C)\b", marks, re.I))
    manner = ""
    words: list[str] = []
    where: Spot | None = None

    def say() -> None:
        text = " ".join(" ".join(words).split())
        if text and where:
            builder.beats.append(Line(speaker, text, where, builder.paragraph, manner, heard))
            cast.said(speaker, builder.paragraph)
        words.clear()

    for number, raw in spoken:
        text = raw.strip()
        if text.startswith("(") and text.endswith(")"):
            say()
            manner, where = " ".join(text[1:-1].split()), None
            continue
        plain = _EMPHASIS.sub("", text).lstrip("~ ")
        if not words:
            where = Spot(number, len(raw) - len(raw.lstrip()) + 1, max(1, len(text)))
        words.append(plain)
    say()


def _pieces(builder: ScriptBuilder, text: str, line: int, column: int) -> list[tuple[int, int, str]]:
    """Pieces of an action line: emphasis taken out, names made @names."""
    pieces: list[tuple[int, int, str]] = []
    start = 0
    text = text.replace("\ue000", " ")
    marks = [(found.start(), found.end(), "") for found in _EMPHASIS.finditer(text)]
    for found in builder.cast.plain.finditer(text):
        if found[0][0].isupper():
            marks.append((found.start(), found.start(), "@"))
    for begin, end, instead in sorted(marks):
        if begin < start:
            continue
        pieces += [(line, column + start, text[start:begin]), (line, column + begin, instead)]
        start = end
    return [*pieces, (line, column + start, text[start:])]


def _title_page(source: Source, limits: Limits) -> tuple[Header, int]:
    """The 'Title:' lines at the top of a screenplay and where the script goes on; of their keys, ours are read."""
    first = _TITLE_KEY.fullmatch(source.lines[0])
    if first is None or first["key"].casefold() not in _TITLE_KEYS:
        return Header(), 0
    end = next((i for i, line in enumerate(source.lines) if not line.strip()), len(source.lines))
    yaml: list[str] = []
    key = ""
    for line in source.lines[:end]:
        found = _TITLE_KEY.fullmatch(line)
        if found:
            key = found["key"].casefold()
        # Lines of other keys stay as blanks, so that YAML marks count the lines of the file.
        ours = line if key in KEYS else ""
        if found and ours and key != "characters":
            value = found["value"].strip()
            ours = f"{key}: " + ('"' + re.sub(r'[*_"\\]', "", value) + '"' if value else "")
        elif found and ours:
            ours = f"{key}:{found['value']}"
        elif ours and key != "characters":
            ours = "  " + re.sub(r'[*_"\\:#]', "", line.strip())
        yaml.append(ours)
    return read_yaml(source, "\n".join(yaml), 0, limits), end
