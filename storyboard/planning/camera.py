"""Words of the camera in prose ('Close on @mia.', 'The camera pans left.'): what they ask for, and the text without them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = re.compile(
    r"(?:\b(?:in\s+)?(?:an?\s+|the\s+)?(?:very\s+|extreme\s+)?(?:"
    r"(?P<wide>(?:wide|long|full|establishing)[- ]shot)|(?P<medium>(?:medium|mid|two)[- ]shot)|"
    r"(?P<close>(?:medium\s+)?close[- ]?ups?(?:\s+shot)?|close\s+shot))\b"
    r"|^\W*(?:(?P<tight>(?:extreme(?:ly)?\s+)?(?:close|tight)(?=\s+on\b))|(?P<far>wide(?=\s+on\b)|from (?:far away|afar)\b)))"
    r"\s*[:,.]?",
    re.IGNORECASE,
)
_PACE = r"(?:(?:very\s+)?(?:slow(?:ly)?|fast|quick(?:ly)?|gent(?:le|ly)|steady|steadily)\s+)?"
_IN = r"(?:push(?:es|ing)?|doll(?:y|ies|ying)|zoom(?:s|ing)?|track(?:s|ing)?|mov(?:e|es|ing))[- ](?:in|closer)"
_OUT = r"(?:pull(?:s|ing)?|doll(?:y|ies|ying)|zoom(?:s|ing)?|track(?:s|ing)?|mov(?:e|es|ing))[- ](?:out|back|away)"
_LEFT = r"pan(?:s|ning)?\s+(?:to\s+the\s+)?left"
_RIGHT = r"pan(?:s|ning)?\s+(?:to\s+the\s+)?right"
_STILL = r"(?:is|stays|remains|holds)\s+(?:still|static|fixed)|does\s+not\s+move"
_MOVE = re.compile(
    rf"(?:\b(?:the\s+|our\s+|a\s+)?(?:camera|we|shot)\s+(?:then\s+)?{_PACE}"
    rf"(?:(?P<in1>{_IN})|(?P<out1>{_OUT})|(?P<left1>{_LEFT})|(?P<right1>{_RIGHT})|(?P<still1>{_STILL}))"
    rf"|^\W*(?:an?\s+)?{_PACE}(?:(?P<in2>{_IN})|(?P<out2>{_OUT})|(?P<left2>{_LEFT})|(?P<right2>{_RIGHT})|"
    r"(?P<still2>static (?:shot|camera))))\b(?:\s+(?:slowly|gently|quickly|steadily))?\s*[:,]?",
    re.IGNORECASE,
)
_MOVE_OF = {"in": "push in", "out": "pull out", "left": "pan left", "right": "pan right", "still": "static"}
_LINK = re.compile(
    r"^[\s,.:;\u2013\u2014-]*(?:(?:on|onto|of|to|towards?|from|over|across|as|while|and|then|where|in on)\b(?:\s+)?)?"
    r"[\s,.:;\u2013\u2014-]*",
    re.IGNORECASE,
)
_FACE = re.compile(r"^(@[\w-]+)'s\s+(?:face|eyes)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Framing:
    """What a sentence asks of the camera, None where nothing, and what is left of the sentence ('' when nothing is)."""

    size: str | None
    move: str | None
    rest: str


def framing(sentence: str) -> Framing:
    """Read the camera words of one sentence."""
    size = move = None
    rest = sentence
    found = _SIZE.search(rest)
    if found:
        name = found.lastgroup or ""
        size = {"wide": "wide", "far": "wide", "medium": "medium"}.get(name, "close-up")
        rest = _without(rest, found)
    found = _MOVE.search(rest)
    if found:
        move = _MOVE_OF[(found.lastgroup or "")[:-1]]
        rest = _without(rest, found)
    if size is None and move is None:
        return Framing(None, None, sentence)
    rest = _FACE.sub(r"\1", rest)
    if not re.search(r"\w", rest):
        return Framing(size, move, "")
    return Framing(size, move, rest[:1].upper() + rest[1:])


def _without(text: str, found: re.Match[str]) -> str:
    before, after = text[: found.start()].rstrip(" ,;:"), text[found.end() :]
    if re.search(r"\w", before):
        before = re.sub(r"[\s,]+(?:as|while|and|then)$", "", before, flags=re.IGNORECASE)
        tail = after if after[:1] in ".!?" else " " + after.lstrip(" ,")
        return before + (tail if tail.strip() else ".")
    return _LINK.sub("", after, count=1)
