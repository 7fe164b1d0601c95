"""The checks: what the light of a film does that nobody asked for, or does not do that the script asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

from assemble.lighting.anchor import anchor
from assemble.lighting.course import course
from assemble.lighting.finding import GATES, Finding, Setting, judged
from assemble.lighting.look import Look
from assemble.lighting.match import Match, match

SURE = 0.8
"""Confidence from which on a key light is compared with the board's."""
CHANGED = 0.35
"""EV by which a night must at least be darker than a day, and a lamp that goes out must darken its shot."""
DIMMED = 0.1
"""EV by which people must at least be darker at night than by day: they may stand in another light."""
PANNING = 0.6
"""The part of a ramp that counts in a shot that pans, since what it shows passes through light that falls off."""
DAYS = ("morning", "day")
ROOM, STRIP, ALIKE = 0.08, 0.03, 0.4
"""Share of the frame that must be background to tell how bright a place is: of any two shots, and of two whose backgrounds differ
in size by no more than `ALIKE`, in the natural logarithm."""


@dataclass(frozen=True)
class Lighting:
    """The light of a film. `anchors` gives for each shot the one it was compared with, itself if it is the anchor, and `matches`
    how it compares; `alone` are shots that nothing could be compared with, with the reason."""

    findings: tuple[Finding, ...]
    anchors: dict[int, int]
    matches: dict[int, Match]
    alone: dict[int, str]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that are not ok."""
        return tuple(each for each in self.findings if each.verdict != "ok")


def check(settings: Sequence[Setting], looks: Mapping[int, Look]) -> Lighting:
    """Check the light of a film's shots, `looks` by number: inside each, between those of one place and light, and against
    what the script says."""
    findings: list[Finding] = []
    anchors: dict[int, int] = {}
    matches: dict[int, Match] = {}
    alone: dict[int, str] = {}
    known = [setting for setting in settings if setting.number in looks]
    groups: dict[tuple[Any, ...], list[Setting]] = {}
    for setting in known:
        findings += _inside(setting, looks[setting.number])
        groups.setdefault(setting.light, []).append(setting)
    for group in groups.values():
        chosen, found = anchor(group, looks)
        for setting in group:
            anchors[setting.number] = chosen
            if setting.number == chosen:
                if len(group) == 1:
                    alone[chosen] = "no other shot is of this place and light"
                continue
            matches[setting.number] = found[setting.number]
            if not found[setting.number].sound:
                alone[setting.number] = f"too little of it can be compared with shot {chosen}"
                continue
            clear = _clearest(setting.number, found, looks)
            findings += _between(chosen, setting.number, looks[setting.number], clear)
    findings += _hours(known, looks, matches)
    return Lighting(tuple(findings), anchors, matches, alone)


def _clearest(number: int, found: Mapping[int, Match], looks: Mapping[int, Look]) -> Match:
    """How a shot compares with its anchor; but of a skin that has changed, as much as the shot of the scene says that shows it
    most clearly, of those whose own is as the anchor's: faces that are framed or turned alike tell more of each other."""
    skin = dict(found[number].skin)
    changed = {name for name, each in skin.items() if each.tint >= GATES["skin"].review}
    for other, each in found.items():
        alike = {name for name in changed & each.skin.keys() if each.skin[name].tint < GATES["skin"].review}
        if other == number or not alike:
            continue
        told = match(looks[other], looks[number]).skin
        skin |= {name: told[name] for name in alike & told.keys() if told[name].agreement > skin[name].agreement}
    return replace(found[number], skin=skin)


def _inside(setting: Setting, seen: Look) -> list[Finding]:
    through = setting.pans and setting.side in ("left", "right")  # a pan does not pass through light from the front or the back
    found, number, whole = course(seen, through), setting.number, (0, seen.frames - 1)
    if not found.measured:
        return []
    rows = [judged("flicker", (number,), whole, found.flicker, "picture", f"light flickers by {found.flicker:.2f} EV")]
    if setting.change:
        sign = -1 if setting.change == "darker" else 1
        said = f"should get {setting.change}, and changes by {found.ramp:+.2f} EV"
        rows.append(judged("change", (number,), whole, found.ramp, "picture", said, _missing(sign * found.ramp)))
    else:
        said = f"gets {'brighter' if found.ramp > 0 else 'darker'} by {abs(found.ramp):.2f} EV from start to end"
        size = abs(found.ramp) * (PANNING if through else 1)
        rows.append(judged("ramp", (number,), whole, found.ramp, "picture", said, size))
        said = f"gets {'warmer' if found.drift > 0 else 'cooler'} by {abs(found.drift):.0f} mired from start to end"
        rows.append(judged("drift", (number,), whole, found.drift, "picture", said))
    for flash in found.flashes:
        way = "brighter" if flash.ev > 0 else "darker"
        said = f"{flash.last - flash.first + 1} frames flash {way} by {abs(flash.ev):.2f} EV"
        rows.append(judged("flash", (number,), (flash.first, flash.last), flash.ev, "picture", said))
    for name, key in seen.key.items():
        if setting.side in ("left", "right") and key.side in ("left", "right") and key.confidence >= SURE:
            wrong = key.side != setting.side
            said = f"light falls on {name} from the {key.side}, and should from the {setting.side}"
            size = abs(key.ratio) if wrong else 0.0
            rows.append(judged("key light", (number,), whole, key.ratio, f"skin:{name}", said, size))
    return rows


def _between(chosen: int, number: int, seen: Look, found: Match) -> list[Finding]:
    shots, whole = (chosen, number), (0, seen.frames - 1)
    region = max(found.regions, key=lambda name: seen.area[name])
    way = "brighter" if found.ev > 0 else "darker"
    warm = "warmer" if found.mired > 0 else "cooler"
    rows = [
        judged("exposure", shots, whole, found.ev, region, f"{abs(found.ev):.2f} EV {way} than shot {chosen}"),
        judged(
            "white balance",
            shots,
            whole,
            found.mired,
            region,
            f"{abs(found.mired):.0f} mired {warm} than shot {chosen}",
        ),
    ]
    for kind, each in (("skin", found.skin), ("clothes", found.clothes)):
        for name, off in each.items():
            verb = "is" if kind == "skin" else "are"
            said = f"{name}'s {kind} {verb} {off.whole:.1f} CIEDE2000 from that in shot {chosen}"
            # Shade alone makes no finding; where there is more, all of it is seen.
            size = off.whole if off.tint >= GATES[kind].review else off.tint
            rows.append(judged(kind, shots, whole, off.whole, f"{kind}:{name}", said, size))
    if found.contrast is not None:
        way = "harder" if found.contrast > 1 else "flatter"
        said = f"contrast is {found.contrast:.2f} times that of shot {chosen}, {way}"
        rows.append(judged("contrast", shots, whole, found.contrast - 1, region, said))
    return rows


def _hours(settings: Sequence[Setting], looks: Mapping[int, Look], matches: Mapping[int, Match]) -> list[Finding]:
    """Night is darker than day, around the figures: each night shot against a day of the same place; out of doors of any. Where
    little of the places is seen, those who are in both shots tell."""
    rows = []
    for night in (setting for setting in settings if setting.time == "night"):
        days = [
            day for day in settings if day.time in DAYS and (day.place == night.place or not (day.interior or night.interior))
        ]
        second = looks[night.number]
        told = [day for day in days if _open(looks[day.number], second)]
        if not days:
            continue
        # The mean of a place depends on what of it is in view: the day that is framed most alike comes first.
        day = min(
            told or days,
            key=lambda day: (
                day.place != night.place,
                round(_framed(looks[day.number], looks[night.number]), 1),
                abs(day.number - night.number),
            ),
        )
        first = looks[day.number]
        off = matches[day.number].ev if day.number in matches and matches[day.number].sound else 0.0
        # A day that is itself too dark or too bright has a finding of its own, and is held against the night as it should be.
        ev = second.level - first.level + (off if abs(off) >= GATES["exposure"].review else 0.0)
        size = _missing(-ev)
        if not told:
            people = match(replace(first, place=None), replace(second, place=None))
            if not people.sound:
                continue
            size = min(size, _missing(-people.ev, DIMMED))
        said = f"night, and {abs(ev):.2f} EV {'brighter' if ev > 0 else 'darker'} than the {day.time} of shot {day.number}"
        shots, frames = (day.number, night.number), (0, second.frames - 1)
        rows.append(judged("change", shots, frames, ev, "background", said, size))
    return rows


def _open(first: Look, second: Look) -> bool:
    """Whether two shots show enough background to tell how bright their places are: less will do where both are framed alike."""
    least = min(look.area.get("background", 0) for look in (first, second))
    return least >= (STRIP if _framed(first, second) < ALIKE else ROOM)


def _framed(first: Look, second: Look) -> float:
    """How unlike two shots are framed: by what factor, as its logarithm, the one shows more background."""
    return abs(log(max(first.area.get("background", 0), 1e-6) / max(second.area.get("background", 0), 1e-6)))


def _missing(change: float, least: float = CHANGED) -> float:
    """The size of what is missing of a change that was asked for: 0 when it is there, else the review gate and more."""
    return 0.0 if change >= least else GATES["change"].review + least - change
