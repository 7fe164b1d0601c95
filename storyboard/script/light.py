"""The key light of a shot: which side it comes from, how warm it is, and how a sentence says so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from storyboard.script.words import MENTION

LIGHT_SIDES = ("left", "right", "front", "back")
WARMTHS = ("warm", "neutral", "cool")


@dataclass(frozen=True)
class Light:
    """The key light of a shot: the side that it comes from and its warmth."""

    side: str  # one of LIGHT_SIDES
    warmth: str  # one of WARMTHS


@dataclass(frozen=True)
class LightNote:
    """What a sentence says of the key light; None where it leaves it open."""

    side: str | None
    warmth: str | None

    def over(self, light: Light) -> Light:
        return Light(self.side or light.side, self.warmth or light.warmth)


# What the light is when a script says nothing: the hour decides, and indoors at night lamps do.
_BY_HOUR = {
    "morning": Light("left", "warm"),
    "day": Light("front", "neutral"),
    "evening": Light("right", "warm"),
    "night": Light("left", "cool"),
}


def light_at(time: str, interior: bool) -> Light:
    """The key light of a place at a time of day when nobody has said anything about it."""
    if time == "night" and interior:
        return Light("left", "warm")
    return _BY_HOUR.get(time, _BY_HOUR["day"])


_LIGHT_NOUN = (
    r"(?:lamp|moon|sun|fire|candle|torch|day|star|lantern|window|street|gas|neon|back|side|key|spot)?[- ]?light(?:s|ing)?"
    r"|lamps?|lanterns?|sun(?:shine|rays|beams)?|moonbeams?|glow|backlit|lit|candles?|sunset|sunrise"
)
_LIGHT = re.compile(rf"\b(?:{_LIGHT_NOUN})\b", re.IGNORECASE)
_LIGHT_SIDE = re.compile(
    r"\bfrom\s+(?:the\s+|a\s+|her\s+|his\s+|their\s+)?(?:\w+\s+(?:on|at|to)\s+the\s+)?(?P<side>left|right|front|back|behind|"
    r"camera left|camera right)\b|\b(?P<back>back-?lit|back-?light)\b|\bfrom\s+(?:the\s+)?(?P<far>left|right)[- ]hand\b",
    re.IGNORECASE,
)
_WARMTHS = {
    "warm": r"warm|golden|gold|orange|amber|red|rosy|yellow|honeyed|lamp ?light|lamps?|lanterns?|candle ?light|candles?|"
    r"fire ?light|sunset|sunrise|torch ?light",
    "cool": r"cool|cold|blue|bluish|pale|steely|icy|grey|gray|moon ?light|moonbeams?|star ?light|silver|neon",
    "neutral": r"neutral|white|even|plain|clear|day ?light",
}
_WARMTH = re.compile("|".join(rf"\b(?P<{name}>{words})\b" for name, words in _WARMTHS.items()), re.IGNORECASE)


def light_in(sentence: str) -> LightNote | None:
    """What a sentence says of the key light ('Warm lamplight from the left.'), or None when it is not about it.

    A sentence with an @name in it tells what somebody does, and one in which the light changes tells what happens: neither sets
    the light.
    """
    if MENTION.search(sentence) or not _LIGHT.search(sentence) or change_in(sentence):
        return None
    side = _LIGHT_SIDE.search(sentence)
    warmth = _WARMTH.search(sentence)
    if side is None and (warmth is None or len(sentence.split()) > 6):
        return None
    where = None
    if side is not None:
        said = (side["side"] or side["far"] or "back").lower().removeprefix("camera ")
        where = "back" if said == "behind" else said
    return LightNote(where, warmth.lastgroup if warmth else None)


_LAMP = r"(?:(?:the|a|an|her|his|their|all|its)\s+)*(?:\w+\s+)?(?:lamps?|lights?|lanterns?|candles?|torch(?:es)?|fires?|bulbs?)"
_SCENE = r"(?:it|the (?:room|sky|stage|place|house))"
_DARKER = re.compile(
    rf"\b{_LAMP}\s+(?:\w+ly\s+)?(?:goes|go|burns?|dies|die|is blown|is put|are put)\s+(?:out|down|off)\b"
    rf"|\b(?:blows?|puts?|snuffs?|turns?|switch(?:es)?|shuts?)\s+(?:out|off)\s+{_LAMP}\b"
    rf"|\b(?:blows?|puts?|snuffs?|turns?|switch(?:es)?|shuts?)\s+{_LAMP}\s+(?:out|off)\b"
    rf"|\b(?:douses?|snuffs?|extinguish(?:es)?)\s+{_LAMP}\b"
    rf"|\b{_SCENE}\s+(?:gets|grows|turns|goes|falls)\s+dark(?:er)?\b|\bthe (?:sun|moon)\s+(?:sets|goes down)\b",
    re.IGNORECASE,
)
_BRIGHTER = re.compile(
    rf"\b{_LAMP}\s+(?:\w+ly\s+)?(?:comes?|goes|go|is (?:turned|switched))\s+(?:on|up)\b"
    rf"|\b(?:turns?|switch(?:es)?)\s+on\s+{_LAMP}\b|\b(?:turns?|switch(?:es)?)\s+{_LAMP}\s+on\b"
    rf"|\b(?:lights|kindles)\s+{_LAMP}\b"
    rf"|\b{_SCENE}\s+(?:gets|grows|turns)\s+(?:light|bright)(?:er)?\b|\bthe (?:sun|moon)\s+(?:rises|comes up)\b",
    re.IGNORECASE,
)


def change_in(action: str) -> str:
    """How the light changes while an action lasts: "darker" ('she blows out the candle'), "brighter" ('he lights a lamp'), or ''
    when nothing is said of it. Of several changes the last one counts."""
    ways = {"darker": _DARKER, "brighter": _BRIGHTER}
    told = [(found.start(), way) for way, words in ways.items() for found in words.finditer(action)]
    return max(told)[1] if told else ""
