"""Transitions: how one shot gives way to the next, and how scripts say so ('DISSOLVE TO:', 'FADE OUT.', 'dissolve 0.5s')."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storyboard.planning.staging import Draft

DISSOLVE, FADE = 1.0, 1.0  # seconds, where the script gives none
SHARE = 0.5  # of the shorter shot, the most that a transition takes of it
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


def settled(drafts: Sequence[Draft]) -> None:
    """Give every transition of a film's shots its length: the script's, or the usual one, as far as the shots have room."""
    before: Draft | None = None
    for draft in drafts:
        if draft.enter and draft.enter.kind == "dissolve" and before is None:
            draft.enter = Transition("fade", draft.enter.seconds)
            draft.why["transition_in"] = "the first shot has none before it to dissolve from, so it comes from black"
        dissolves = draft.enter is not None and draft.enter.kind == "dissolve"
        draft.enter = _fitted(draft.enter, [before, draft] if dissolves else [draft], draft.why, "transition_in")
        draft.leave = _fitted(draft.leave, [draft], draft.why, "transition_out")
        before = draft


def _fitted(
    said: Transition | None, shots: Sequence[Draft | None], why: dict[str, str], name: str
) -> Transition | None:
    if said is None:
        return None
    room = min((SHARE * shot.seconds for shot in shots if shot and shot.seconds), default=math.inf)
    wanted = said.seconds or (DISSOLVE if said.kind == "dissolve" else FADE)
    if wanted > room:
        why[name] = f"a {said.kind} of {wanted:g} s has no room: it takes at most half of a shot"
    return Transition(said.kind, round(min(wanted, room), 3))


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
