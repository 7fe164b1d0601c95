"""Transitions: how one shot gives way to the next, and how scripts say so ('DISSOLVE TO:', 'FADE OUT.', 'dissolve 0.5s')."""

from __future__ import annotations

import re
from dataclasses import dataclass

EXAMPLE = "write CUT TO:, DISSOLVE TO:, FADE IN:, FADE OUT. or FADE TO BLACK."


@dataclass(frozen=True)
class Transition:
    """`kind` is dissolve (from the shot before) or fade (from black, or to black); `seconds` None leaves them to the planner."""

    kind: str
    seconds: float | None = None


@dataclass(frozen=True)
class Change:
    """What happens between two shots: how the one before leaves, and how the next enters; None for a cut."""

    leave: Transition | None = None
    enter: Transition | None = None


_WORDS = {
    "cut": r"(?:(?:smash|match|jump|hard|quick|back|time|flash|inter)[ -]?)?cut(?:s)?(?: back)?(?: to)?(?: black)?",
    "dissolve": r"(?:(?:cross|lap|slow|ripple|match|quick)[ -]?)?dissolves?(?: to)?|cross[ -]?fade(?: to)?",
    "in": r"fade (?:in|up|from black)(?: from black)?(?: on)?",
    "out": r"fade (?:out|to black)(?: to black)?",
    "both": r"fade to|fade through black|dip to black",
}
_LENGTH = r"(?:\s*[(,]?\s*(?P<seconds>\d+(?:\.\d+)?|\.\d+)\s*(?:s|sec|secs|seconds?)\s*\)?)?"
_TRANSITION = re.compile(
    "(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in _WORDS.items()) + rf")\s*[:.]?{_LENGTH}\s*[:.]?",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"[A-Z][A-Z0-9 .'-]* (?:TO:|IN:|OUT[:.])")


def transition(text: str) -> Change | None:
    """The transition that a piece of a script names, or None when it names none."""
    found = _TRANSITION.fullmatch(text.strip())
    if found is None:
        return None
    seconds = float(found["seconds"]) if found["seconds"] else None
    fade = Transition("fade", seconds)
    kind = next(kind for kind in _WORDS if found[kind])
    if seconds == 0 or kind == "cut":
        return Change()
    return {
        "dissolve": Change(enter=Transition("dissolve", seconds)),
        "in": Change(enter=fade),
        "out": Change(leave=fade),
        "both": Change(fade, fade),
    }[kind]


def stands_alone(line: str) -> tuple[Change, bool] | None:
    """The transition that a whole line of a script is, and whether it is a known one; None when the line is text.

    'CUT TO:', '> FADE OUT.', 'Dissolve to: (2s)'. One that is unknown ('WIPE TO:') is a cut.
    """
    text = line.strip().lstrip(">").strip().strip("*_").strip()
    known = transition(text)
    # In sentences such words are only words: a transition ends in a colon or a point, or is in capitals.
    if known is not None and (text.upper() == text or re.search(r"[:.](?:\s*\(?[\d.]+\s*s\w*\)?)?$", text)):
        return known, True
    return (Change(), False) if _UNKNOWN.fullmatch(text) else None
