"""The prompt of a shot, in the one form that the embedded model was trained on.

    wide shot, static camera. interior, lighthouse, night. warm light from the left. @mia on the left climbs the stairs with a
    lantern. @tom on the right waves. @mia talks. hand-painted storybook
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storyboard.board import Shot

CAMERA = {
    "static": "static camera",
    "push in": "camera pushes in",
    "pull out": "camera pulls out",
    "pan left": "camera pans left",
    "pan right": "camera pans right",
}
_TALKS = r"talks|speaks|says|whispers|shouts|calls|tells|answers|asks|sings|cries"


def compose(shot: Shot, style: str) -> str:
    """The prompt that a shot's fields and the film's style make."""
    head = f"{shot.size} shot, {CAMERA[shot.move]}. {'interior' if shot.interior else 'exterior'}, {shot.place}, {shot.time}."
    light = f"{shot.light.warmth} light from the {shot.light.side}."
    sides = {part.name: part.side for part in shot.characters}
    speakers = [line.speaker for line in shot.lines if not line.heard]
    return " ".join(filter(None, [head, light, acted(shot.action, sides, speakers), style]))


def acted(action: str, sides: Mapping[str, str], speakers: Sequence[str]) -> str:
    """The action with each character's side at its first mention, and '@x talks.' for speakers of whom it is not said."""
    text = " ".join(action.split())
    for name in dict.fromkeys(speakers):
        if name in sides and not re.search(rf"@{re.escape(name)}(?![\w-])[^.!?]*\b(?:{_TALKS})\b", text):
            text = f"{text} @{name} talks.".strip()
    for name, side in sides.items():
        place = "in the centre" if side == "centre" else f"on the {side}"
        # '@mia's lamp' cannot carry the side; who is only named so stands there.
        found = re.search(rf"(?<![\w@])@{re.escape(name)}(?![\w-]|['\u2019]s\b)", text)
        at = found.end() if found else 0
        text = f"{text[:at]} {place}{text[at:]}" if found else f"{text} @{name} {place} stands.".strip()
    return text


def print_of(prompt: str) -> str:
    """A short fingerprint of a prompt: how a board knows whether a person has rewritten it."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:12]
