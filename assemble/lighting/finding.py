"""What a check says: a number with its unit, the gates that it is held to, and a verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Gate(NamedTuple):
    """From which size on, either way, a number is to be looked at, and from which it is to be mended."""

    review: float
    fix: float
    unit: str


GATES = {
    "exposure": Gate(0.25, 0.5, "EV"),
    "white balance": Gate(15, 35, "mired"),
    "skin": Gate(4, 7, "CIEDE2000"),
    "clothes": Gate(6, 10, "CIEDE2000"),
    "contrast": Gate(0.25, 0.4, "EV/EV"),
    "ramp": Gate(0.15, 0.3, "EV"),
    "drift": Gate(8, 20, "mired"),
    "flicker": Gate(0.04, 0.1, "EV"),
    "flash": Gate(0.1, 0.25, "EV"),
    "key light": Gate(0.24, float("inf"), "EV"),
    "change": Gate(0.25, 0.5, "EV"),
}


@dataclass(frozen=True)
class Setting:
    """What the script says of a shot's light: its number, where and when it is, the side of the key light and its warmth.
    `anchor` picks it as the one that others are compared with; `change` is "darker" or "brighter" when its light is to change
    while it lasts; `pans` says that the camera does."""

    number: int
    place: str
    interior: bool
    time: str
    side: str
    warmth: str
    anchor: bool = False
    change: str = ""
    pans: bool = False

    @property
    def light(self) -> tuple[str, bool, str, str, str]:
        """What shots must have in common to be compared."""
        return self.place, self.interior, self.time, self.side, self.warmth


@dataclass(frozen=True)
class Finding:
    """One check: `kind` is a key of GATES; `shots`, the compared one first; `frames`, first and last of the last shot, from 0;
    `value` with its `unit` and the gates it was held to; `verdict` ok, review or fix; `region` the part of the picture
    ("skin:mia", "background", "picture"); `text` says it in words."""

    kind: str
    shots: tuple[int, ...]
    frames: tuple[int, int]
    value: float
    unit: str
    review: float
    fix: float
    verdict: str
    region: str
    text: str

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        found = asdict(self)
        return {**found, "fix": None if self.fix == float("inf") else self.fix}


def judged(
    kind: str,
    shots: tuple[int, ...],
    frames: tuple[int, int],
    value: float,
    region: str,
    text: str,
    size: float | None = None,
) -> Finding:
    """A finding held to the gates of its kind: by `value`, either way, or by `size` where something else than that decides."""
    gate = GATES[kind]
    extent = abs(value) if size is None else size
    verdict = "fix" if extent >= gate.fix else "review" if extent >= gate.review else "ok"
    return Finding(kind, shots, frames, round(value, 3), gate.unit, gate.review, gate.fix, verdict, region, text)
