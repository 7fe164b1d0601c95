"""A paragraph of a script cut into beats: sentences, spoken lines, and words about the light."""

from __future__ import annotations

import re

from storyboard.script.cast import Cast
from storyboard.script.light import light_in
from storyboard.script.parts import Beat, LightCue, Line, Sentence
from storyboard.script.source import Passage
from storyboard.script.words import NAME, SPEECH

_QUOTE = re.compile(r'“(?P<a>[^”]*)”|"(?P<b>[^"]*)"|«(?P<c>[^»]*)»|„(?P<d>[^“”]*)[“”]')
_OPENING = {'"': '"', "“": "”", "«": "»", "„": "“"}
_MASK = "\ue000"  # stands for quoted words while sentences are cut, so that their full stops cut nothing
_DIALOGUE = re.compile(rf"\s*@(?P<name>{NAME})\s*(?:\((?P<manner>[^()]*)\))?\s*:\s*")
_GAP = re.compile(r"\s+|(?<=[。！？])(?=\S)")
_SHORT = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Prof|Sr|Jr|vs|etc|e\.g|i\.e|No|[A-Z])\.$")
_LY = r"(?:\w+ly\s+)?"
_WHO = rf"(?:@(?P<{{0}}>{NAME})|(?P<{{1}}>she|he))"
_SAYS = re.compile(
    rf"{_WHO.format('n1', 'p1')}\s+(?:then\s+|and\s+)?{_LY}(?:{SPEECH})\b|\b(?:{SPEECH})\s+{_LY}{_WHO.format('n2', 'p2')}", re.I
)
_ATTRIBUTION = re.compile(
    rf"\W*(?:(?:@{NAME}|she|he)\s+(?:then\s+)?{_LY}(?:{SPEECH})|(?:{SPEECH})\s+{_LY}(?:@{NAME}|she|he))(?:\s+\w+ly)?\W*", re.I
)
_INVERTED = re.compile(rf"^(?:{SPEECH})\s+{_LY}(@{NAME}|she|he)\b", re.I)
_TAIL = re.compile(rf"[\s,]*\b(?:and|then)(?:\s+then)?\s+(?:{_LY})(?:{SPEECH})\s*[,:]?\s*$", re.I)
_VERB = re.compile(rf"(?<=\w)\s+(?:{SPEECH})\b", re.I)
HEARD = ("v.o", "vo", "v.o.", "o.s", "o.s.", "os", "off", "off screen", "off-screen", "voice over", "voice-over")


def is_dialogue(text: str) -> bool:
    """Whether a line of a script opens a spoken line ('@mia: ...')."""
    return _DIALOGUE.match(text) is not None


def dialogue(passage: Passage, cast: Cast, paragraph: int) -> list[Beat]:
    """The beats of a paragraph that opens with '@mia:'. Unquoted words are spoken up to the end of their line."""
    found = _DIALOGUE.match(passage.text)
    assert found is not None
    speaker = cast.names.get(found["name"].casefold(), found["name"] if cast.open else "")
    if not speaker:
        cast.unknown(passage, found["name"], found.start("name") - 1, found.end("name"))
    rest = passage.text[found.end() :]
    closing = _OPENING.get(rest[:1])
    first_line = passage.places[0][0]
    end = next((start for start, place in zip(passage.starts, passage.places, strict=True) if place[0] != first_line), None)
    if closing is None:
        words, after = (rest, len(passage.text)) if end is None else (passage.text[found.end() : end], end)
    else:
        inside = rest[1:]
        stop = next((i for i, char in enumerate(inside) if char == closing or (closing == "“" and char == "”")), -1)
        if stop < 0:
            cast.source.fault(
                passage.spot(found.end(), found.end() + 1),
                f"the line of @{found['name']} is opened with a quotation mark and never closed",
                f"end it with {closing}",
            )
            return []
        words, after = inside[:stop], found.end() + stop + 2
    spot = passage.spot(found.start("name") - 1, after)
    if not (words := " ".join(words.split())):
        cast.source.fault(spot, f"@{found['name']} says nothing here", f'write @{found["name"]}: "..." with the words')
        return []
    manner = " ".join((found["manner"] or "").split())
    heard = manner.casefold() in HEARD
    beats: list[Beat] = []
    if speaker:
        beats.append(Line(speaker, words, spot, paragraph, "" if heard else manner, heard))
        cast.said(speaker, paragraph)
    if passage.text[after:].strip():
        beats += prose(cut(passage, after), cast, paragraph)
    return beats


def cut(passage: Passage, start: int) -> Passage:
    """The passage from a character on."""
    pieces = []
    for index, begin in enumerate(passage.starts):
        end = passage.starts[index + 1] if index + 1 < len(passage.starts) else len(passage.text)
        if end > start:
            line, column = passage.places[index]
            skip = max(0, start - begin)
            pieces.append((line, column + skip, passage.text[begin + skip : end]))
    return Passage.join(pieces)


def prose(passage: Passage, cast: Cast, paragraph: int) -> list[Beat]:
    """The beats of a paragraph of prose; quoted speech in it becomes lines of whoever says it."""
    bound = cast.bind(passage)
    if len(bound) != len(passage.text):
        # A name lost its @ (it is told) or changed its length: spots below it would shift, so pad nothing and go on.
        bound_passage = Passage.join([(*passage.places[0], bound)])
    else:
        bound_passage = Passage(bound, passage.starts, passage.places)
    text = bound_passage.text
    quotes = list(_QUOTE.finditer(text))
    masked = list(text)
    for quote in quotes:
        masked[quote.start() : quote.end()] = _MASK * (quote.end() - quote.start())
    beats: list[Beat] = []
    mask = "".join(masked)
    for start, end in _sentences(mask, text):
        inside = [quote for quote in quotes if start <= quote.start() < end]
        spot = bound_passage.spot(start, end)
        said = _spoken(mask[start:end], inside, start, cast, paragraph) if inside else None
        if said is None:
            sentence = " ".join(text[start:end].split())
            note = light_in(sentence)
            if note:
                beats.append(LightCue(note, spot, paragraph))
            elif re.search(r"\w", sentence):
                beats.append(Sentence(cast.resolve(sentence), spot, paragraph))
            continue
        speaker, rest, first = said
        lines: list[Beat] = [
            Line(speaker, words, bound_passage.spot(*quote.span()), paragraph)
            for quote in inside
            if (words := " ".join((quote[quote.lastgroup or 0]).split()).rstrip(","))
        ]
        action: list[Beat] = [Sentence(cast.resolve(rest), spot, paragraph)] if rest else []
        cast.said(speaker, paragraph)
        beats += lines + action if first else action + lines
    return beats


def _spoken(
    mask: str, quotes: list[re.Match[str]], offset: int, cast: Cast, paragraph: int
) -> tuple[str, str, bool] | None:
    """Of a sentence with quotation marks: who speaks, what else it tells, whether speech comes first; None: no speech."""
    says = _SAYS.search(mask)
    rest = mask.replace(_MASK, "")
    alone = not re.search(r"\w", rest)
    led = any(mask[: quote.start() - offset].rstrip()[-1:] in (",", ":") for quote in quotes)
    if not (says or alone or led):
        return None
    speaker = ""
    if says:
        speaker = says["n1"] or says["n2"] or next(iter(cast.whom((says["p1"] or says["p2"]).lower())), "").removeprefix("@")
    elif named := cast.named(rest):
        speaker = named[0]
    elif alone:
        speaker = cast.next_speaker(paragraph)
    if not speaker:
        return None
    first = mask.lstrip().startswith(_MASK)
    rest = " ".join(rest.split()).strip(" ,;:")
    if _ATTRIBUTION.fullmatch(rest) or alone or not re.search(r"\w", re.sub(rf"@{NAME}", "", rest)):
        return speaker, "", first
    rest = _INVERTED.sub(r"\1 talks", _TAIL.sub("", rest))
    rest = _VERB.sub(" talks", rest)
    return speaker, rest if re.search(r"\w", rest) else "", first


def _sentences(mask: str, text: str) -> list[tuple[int, int]]:
    """Where each sentence of a paragraph starts and ends."""
    cuts = [0]
    for gap in _GAP.finditer(mask):
        left = gap.start() - 1
        while left >= 0 and mask[left] in ")]":
            left -= 1
        right = gap.end()
        while right < len(mask) and mask[right] in "([":
            right += 1
        if left < 0 or right >= len(mask):
            continue
        ends, opens = mask[left], mask[right]
        starts_new = not opens.islower() and (opens.isalnum() or opens in "@" + _MASK)
        if gap.start() == gap.end():
            cuts.append(gap.end())
        elif ends == _MASK:
            attributed = opens == "@" and _SAYS.match(mask, right)
            if text[left - 1] in ".!?…" and starts_new and not attributed:
                cuts.append(gap.end())
        elif ends in ".!?…" and starts_new and not _SHORT.search(mask, max(0, left - 6), left + 1):
            cuts.append(gap.end())
    return [(start, end) for start, end in zip(cuts, [*cuts[1:], len(mask)], strict=True) if mask[start:end].strip()]
