"""How long the transitions of a film take: the script's length or the usual one, as far as the shots have room."""

from __future__ import annotations

import math
from collections.abc import Sequence

from storyboard.planning.staging import Draft
from storyboard.script.transitions import Transition

DISSOLVE, FADE = 1.0, 1.0  # seconds, where the script gives none
SHARE = 0.5  # of the shorter shot, the most that a transition takes of it


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
