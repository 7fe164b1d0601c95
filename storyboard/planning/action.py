"""Sentences about characters brought to the form of a prompt: present tense, one subject each, no word of screen sides."""

from __future__ import annotations

import re

from storyboard.script.words import ACTION_OF, NAME

_AT = rf"@{NAME}"
_FORMS = "|".join(sorted(map(re.escape, ACTION_OF), key=len, reverse=True))
_VERB = re.compile(
    rf"(?<!\band )(?P<who>{_AT})(?P<adverb>\s+(?:then\s+)?(?:\w+ly)?)?\s+"
    rf"(?:(?:is|was|are|were|starts?|begins?)\s+(?:to\s+)?)?(?P<form>{_FORMS})\b",
    re.IGNORECASE,
)
_SIDE = re.compile(
    rf"(?P<who>@(?P<name>{NAME})),?\s+(?P<verb>(?:is|stands|sits|waits)\s+)?(?:on|at|in|to)\s+the\s+(?:far\s+)?"
    r"(?P<side>left|right|cent(?:re|er)|middle)\b(?:\s+side)?(?:\s+of\s+the\s+(?:frame|screen|picture|shot|image))?"
    r"(?!\s+of\b|\s+(?!side\b)(?:hand|arm|foot|leg|door|window|wall|chair)\b),?",
    re.IGNORECASE,
)
_TOGETHER = re.compile(
    r"(?P<lead>[^@]*,\s+|(?:in|at|on|by|during|after|before|then|later|now|soon)\b[^@]*\s)?"
    rf"(?P<names>{_AT}(?:\s*,\s*{_AT})*,?\s+and\s+{_AT})\s+(?:both\s+)?(?P<adverb>\w+ly\s+)?(?P<verb>[a-z]+(?:\s+up\b)?)",
    re.IGNORECASE,
)
_PLAIN = {
    "look": "looks", "watch": "watches", "go": "goes", "come": "comes", "hold": "holds", "carry": "carries", "smile": "smiles",
    "laugh": "laughs", "dance": "dances", "play": "plays", "eat": "eats", "sleep": "sleeps", "read": "reads", "hide": "hides",
    "wait": "waits", "listen": "listens", "leave": "leaves", "enter": "enters", "step": "steps", "hurry": "hurries",
    "stop": "stops", "start": "starts", "open": "opens", "close": "closes", "take": "takes", "are": "is", "stare": "stares",
    "share": "shares", "bring": "brings", "give": "gives", "find": "finds", "sing": "sings", "shout": "shouts", "nod": "nods",
}  # fmt: skip
_SHARED = re.compile(r"\b(?:each other|one another)\b", re.IGNORECASE)
_ALSO = re.compile(rf"(\band (?:then )?)({'|'.join(sorted([*_PLAIN, *ACTION_OF], key=len, reverse=True))})\b")


def sides_in(sentence: str) -> tuple[dict[str, str], str]:
    """The screen sides that a sentence gives its characters ('@mia on the left climbs'), and the sentence without them."""
    sides: dict[str, str] = {}

    def taken(found: re.Match[str]) -> str:
        said = found["side"].lower()
        sides[found["name"]] = said if said in ("left", "right") else "centre"
        verb = (found["verb"] or "").strip()
        follows = sentence[found.end() :].lstrip()
        verb = "" if verb == "is" and re.match(r"\w+ing\b", follows) else "stands" if verb == "is" else verb
        tail = " " if follows[:1].isalnum() or follows[:1] == "@" else ""
        comma = "," if verb and found[0].endswith(",") else ""
        return found["who"] + (f" {verb}{comma}" if verb else "") + tail

    text = " ".join(_SIDE.sub(taken, sentence).split())
    return sides, re.sub(r"\s+(?=[.,!?])", "", text)


def told(sentence: str) -> str:
    """The sentence with the verbs of the prompt's vocabulary in its form, and shared deeds given to each who does them."""
    found = _TOGETHER.match(sentence)
    if found and not _SHARED.search(sentence):
        said = found["verb"].lower()
        form = next((form for form in (said, said.split()[0]) if form in ACTION_OF or form in _PLAIN), None)
        if form is not None:
            verb = ACTION_OF.get(form) or _PLAIN[form]
            rest = ended(re.sub(r"\s+together\b", "", sentence[found.start("verb") + len(form) :]))
            rest = _ALSO.sub(lambda also: also[1] + (ACTION_OF.get(also[2]) or _PLAIN[also[2]]), rest)
            names = re.findall(_AT, found["names"])
            each = [f"{name} {found['adverb'] or ''}{verb}{rest if rest[:1] in '.!?,' else ' ' + rest}" for name in names]
            return (found["lead"] or "") + " ".join(each)
    return ended(_VERB.sub(_present, sentence))


def ended(sentence: str) -> str:
    """The sentence with a full stop when nothing else ends it."""
    sentence = sentence.strip()
    return sentence if sentence[-1:] in (*".!?…。！？", "") else sentence.rstrip(",;: ") + "."


def names_only(sentence: str) -> bool:
    """Whether a sentence holds nothing but names, as what is left of 'Close on @mia.' does."""
    return not re.search(r"\w", re.sub(rf"{_AT}|\band\b", "", sentence))


def _present(found: re.Match[str]) -> str:
    adverb = " ".join((found["adverb"] or "").split())
    return f"{found['who']} {adverb + ' ' if adverb else ''}{ACTION_OF[' '.join(found['form'].lower().split())]}"
