"""The words a shot is described with, and how free text says them: sizes, moves, places, times, actions."""

from __future__ import annotations

import re

SIZES = ("wide", "medium", "close-up")
MOVES = ("static", "push in", "pull out", "pan left", "pan right")
TIMES = ("morning", "day", "evening", "night")
NAME = r"[^\W\d_](?:[\w-]*\w)?"  # a character's name: a letter, then letters, digits, _ and -
MENTION = re.compile(rf"(?<![\w\\@.])@({NAME})")

# Every spelling under which a shot heading may say a size or a move.
SIZE_WORDS = {
    "wide": ("wide", "wide shot", "ws", "long", "long shot", "ls", "full", "full shot", "establishing",
             "establishing shot", "very wide", "extreme wide"),
    "medium": ("medium", "medium shot", "ms", "mid", "mid shot", "two shot", "two-shot", "medium wide", "medium long",
               "cowboy"),
    "close-up": ("close-up", "close up", "closeup", "close", "cu", "close-up shot", "close shot", "medium close-up",
                 "medium close up", "mcu", "extreme close-up", "extreme close up", "ecu", "detail", "tight"),
}  # fmt: skip
MOVE_WORDS = {
    "static": ("static", "static camera", "still", "locked", "locked off", "fixed", "tripod", "no move"),
    "push in": ("push in", "push-in", "pushes in", "camera pushes in", "dolly in", "dolly-in", "zoom in", "zooms in",
                "move in", "track in"),
    "pull out": ("pull out", "pull-out", "pulls out", "pull back", "pulls back", "camera pulls out", "dolly out",
                 "dolly-out", "zoom out", "zooms out", "move out", "track out"),
    "pan left": ("pan left", "pans left", "pan to the left", "camera pans left"),
    "pan right": ("pan right", "pans right", "pan to the right", "camera pans right"),
}  # fmt: skip
PACE = re.compile(r"\b(?:very |a )?(?:slow|slowly|fast|quick|quickly|gentle|gently|steady)\b\s*")

# Places: the name that prompts use, whether it is indoors, and other ways to write the same place.
PLACES = {
    "living room": (True, r"living[- ]room|sitting room|lounge"),
    "kitchen": (True, r"kitchen"),
    "bedroom": (True, r"bed ?room"),
    "library": (True, r"library"),
    "lighthouse": (True, r"light ?house"),
    "shop": (True, r"shop"),
    "forest": (False, r"forest|woods"),
    "beach": (False, r"beach|seashore|seaside"),
    "street": (False, r"street"),
    "park": (False, r"park"),
    "mountains": (False, r"mountains?|mountainside"),
    "harbour": (False, r"harbou?r"),
}
_PLACE = re.compile(
    r"\b(?:" + "|".join(f"(?P<p{i}>{words})" for i, (_, words) in enumerate(PLACES.values())) + r")\b", re.IGNORECASE
)

_TIME_WORDS = {
    "morning": r"morning|dawn|sunrise|daybreak",
    "day": r"day|daytime|noon|midday|afternoon|daylight",
    "evening": r"evening|dusk|sunset|twilight|nightfall",
    "night": r"night|midnight|night-time|nighttime",
}
_TIME = re.compile(
    r"(?<!good )\b(?:" + "|".join(f"(?P<{time}>{words})" for time, words in _TIME_WORDS.items()) + r")\b", re.IGNORECASE
)
_HOURS = "|".join(_TIME_WORDS.values())
_WEATHER = "dark|cold|bright|warm|sunny|rainy|stormy|foggy|quiet|clear|windy|snowy|hot|grey|gray|fine|still"
# In running text these words tell the hour only in such company: 'every day', 'one day', 'good night' do not.
_HOUR = re.compile(
    r"\b(?:at|in the|in|by|during the|that|this|the next|next|the following|early|late|before|after|until|"
    rf"(?:a|one|the) (?:{_WEATHER}))(?:,?\s+(?:and\s+)?(?:early|late|{_WEATHER}))*\s+(?P<said>{_HOURS})\b"
    rf"|(?:^|[.!?]\s+)(?:the )?(?P<first>{_HOURS})\b(?= (?:falls|comes|breaks)\b|[.,])",
    re.IGNORECASE,
)
SAME_TIME = ("later", "continuous", "same", "moments later", "same time")

# Verbs of the embedded model's world: every form, by the form that prompts use.
ACTIONS = {
    "stands": ("stand", "stands", "stood", "standing"),
    "walks": ("walk", "walks", "walked", "walking"),
    "runs": ("run", "runs", "ran", "running"),
    "waves": ("wave", "waves", "waved", "waving"),
    "talks": ("talk", "talks", "talked", "talking"),
    "sits": ("sit", "sits", "sat", "sitting"),
    "turns": ("turn", "turns", "turned", "turning"),
    "points": ("point", "points", "pointed", "pointing"),
    "picks up": ("pick up", "picks up", "picked up", "picking up"),
    "jumps": ("jump", "jumps", "jumped", "jumping"),
    "climbs": ("climb", "climbs", "climbed", "climbing"),
}
ACTION_OF = {form: action for action, forms in ACTIONS.items() for form in forms}
SPEECH = (
    "says|said|asks|asked|shouts|shouted|calls|called|whispers|whispered|replies|replied|answers|answered|cries|cried|"
    "yells|yelled|mutters|muttered|adds|added|murmurs|murmured|exclaims|exclaimed"
)


def size_word(text: str) -> str | None:
    """The size that a piece of a shot heading names, or None."""
    return _table(text, SIZE_WORDS)


def move_word(text: str) -> str | None:
    """The camera move that a piece of a shot heading names, or None; words of pace ('slow') may stand before it."""
    return _table(text, MOVE_WORDS)


def place_in(text: str) -> tuple[str, bool, re.Match[str]] | None:
    """The first place of the vocabulary that the text names: its name, whether it is indoors, the match."""
    found = _PLACE.search(text)
    if found is None or found.lastgroup is None:
        return None
    name = list(PLACES)[int(found.lastgroup[1:])]
    return name, PLACES[name][0], found


def time_in(text: str) -> str | None:
    """The time of day that a heading's words name, or None."""
    found = _TIME.search(text)
    return found.lastgroup if found else None


def hour_in(sentence: str) -> str | None:
    """The time of day that a sentence of prose tells ('At dawn', 'the next morning'), or None."""
    for found in _HOUR.finditer(sentence):
        time = time_in(found["said"] or found["first"] or "")
        if time:
            return time
    return None


def _table(text: str, table: dict[str, tuple[str, ...]]) -> str | None:
    said = " ".join(PACE.sub("", text.casefold()).split())
    return next((name for name, words in table.items() if said in words), None)
