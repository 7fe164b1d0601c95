"""How a shot is seen when the script does not say: its size, its camera move, its length, and who stands on which side."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from storyboard.limits import Limits
from storyboard.script.light import Light
from storyboard.script.parts import Line
from storyboard.script.transitions import Transition

USUAL = {"wide": 3.0, "medium": 2.5, "close-up": 2.0}  # seconds that a viewer needs to take a picture in
MORE = 0.5  # seconds for every sentence of action after the first
_LEFT_TO_RIGHT = {1: ("centre",), 2: ("left", "right"), 3: ("left", "centre", "right")}


@dataclass
class Draft:
    """A shot being planned. `given` are those of its fields that the script itself sets."""

    size: str | None
    move: str | None
    seconds: float | None
    sentences: list[str]
    lines: list[Line]
    names: list[str]  # who is in the frame, by first mention
    sides: dict[str, str]  # screen sides that the text gives
    light: Light
    clip: str | None = None
    frame: str | None = None
    clip_in: float | None = None
    clip_out: float | None = None
    enter: Transition | None = None
    leave: Transition | None = None
    anchor: bool = False
    continues: bool = False
    first: bool = False  # of its setting
    last: bool = False  # of its setting
    why: dict[str, str] = field(default_factory=dict)


def frame(draft: Draft, before: Draft | None, limits: Limits) -> None:
    """Choose what the script left open, given the shot before in the same setting."""
    if draft.size is None:
        draft.size, draft.why["size"] = _size(draft, before)
    if draft.move is None:
        draft.move, draft.why["move"] = _move(draft)
    if draft.clip is None:
        draft.seconds = _seconds(draft, limits)


def _size(draft: Draft, before: Draft | None) -> tuple[str, str]:
    speakers = {line.speaker for line in draft.lines if not line.heard}
    if draft.continues and before and before.size:
        return before.size, "it continues the shot before"
    if not draft.names:
        return "wide", "nobody is in the frame"
    if draft.first and not (draft.last and speakers):
        return "wide", "the first shot of its scene shows the place"
    if len(draft.names) > 1:
        size, reason = "medium", "several characters are in the frame"
    elif speakers:
        size, reason = "close-up", "one character speaks"
    else:
        size, reason = "medium", "one character acts"
    if before and before.size == size and set(before.names) == set(draft.names):
        # The same picture twice in a row reads as a jump.
        size = {"medium": "close-up" if len(draft.names) == 1 else "wide", "close-up": "medium"}[size]
        reason = "another size than the shot before"
    return size, reason


def _move(draft: Draft) -> tuple[str, str]:
    if draft.size == "close-up" and draft.lines:
        return "push in", "a close-up of somebody who speaks"
    words = " ".join(draft.sentences)
    if draft.size != "close-up" and len(draft.names) == 1 and any(f" {verb}" in words for verb in ("walks", "runs")):
        side = draft.sides.get(draft.names[0])
        return ("pan left" if side == "right" else "pan right"), "the camera goes along"
    if draft.size == "wide" and draft.last and not draft.first:
        return "pull out", "the last shot of its scene"
    return "static", "nothing asks for a move"


def _seconds(draft: Draft, limits: Limits) -> float:
    speech = sum(line.seconds for line in draft.lines)
    seconds = draft.seconds
    if seconds is None:
        seconds = USUAL[draft.size or "medium"] + MORE * max(0, len(draft.sentences) - 1)
        draft.why["seconds"] = f"usual for a {draft.size} shot"
    if speech > seconds:
        draft.why["seconds"] = f"lengthened from {seconds:g} s for what is said"
        seconds = math.ceil(speech * 10) / 10
    return min(max(seconds, limits.shortest), limits.longest)


def blocked(drafts: Iterable[Draft], kept: dict[str, str]) -> dict[str, str]:
    """The screen side of each character of a setting, the same in all its shots, so that nobody jumps across (180 degrees).

    `kept` are sides that already hold, as when the scene goes on after a break. Sides that the text gives come next, then
    the order of appearance from left to right.
    """
    drafts = list(drafts)
    order = list(dict.fromkeys(name for draft in drafts for name in draft.names))
    sides = {name: side for name, side in kept.items() if name in order}
    for draft in drafts:
        for name, side in draft.sides.items():
            if name in order:
                sides.setdefault(name, side)
    together = _most_at_once(drafts)
    free = [side for side in _LEFT_TO_RIGHT.get(max(together, min(len(order), 3)), ()) if side not in sides.values()]
    for name in order:
        if name not in sides:
            sides[name] = free.pop(0) if free else "centre"
    return sides


def _most_at_once(drafts: list[Draft]) -> int:
    return max((len(draft.names) for draft in drafts), default=1)
