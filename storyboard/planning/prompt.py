"""The prompt of a shot. The parts are the same for every model, so place, light and style carry over from shot to shot; their
order is the model's. The embedded one was trained on this:

    wide shot, static camera. interior, lighthouse, night. warm light from the left. @mia on the left climbs the stairs with a
    lantern. @tom on the right waves. @mia talks. hand-painted storybook
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storyboard.planning.shot import Shot

CAMERA = {
    "static": "static camera",
    "push in": "camera pushes in",
    "pull out": "camera pulls out",
    "pan left": "camera pans left",
    "pan right": "camera pans right",
}
_TALKS = r"talks|speaks|says|whispers|shouts|calls|tells|answers|asks|sings|cries"


def compose(shot: Shot, style: str, order: Sequence[str] = ("camera", "place", "light", "action", "style")) -> str:
    """The prompt that a shot's fields and the film's style make, its parts in the order given."""
    sides = {part.name: part.side for part in shot.characters}
    speakers = [line.speaker for line in shot.lines if not line.heard]
    parts = {
        "camera": f"{shot.size} shot, {CAMERA[shot.move]}.",
        "place": f"{'interior' if shot.interior else 'exterior'}, {shot.place}, {shot.time}.",
        "light": f"{shot.light.warmth} light from the {shot.light.side}.",
        "action": acted(shot.action, sides, speakers),
        "style": style,
    }
    return " ".join(filter(None, (parts[name] for name in order)))


def ordered(shot: Shot, style: str, order: Sequence[str]) -> str:
    """The shot's prompt for a model of this order; one that a person has rewritten stays as it is."""
    composed = bool(shot.prompt_check) and print_of(shot.prompt) == shot.prompt_check
    return compose(shot, style, order) if composed else shot.prompt


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
