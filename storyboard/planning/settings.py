"""Where and when: a script's scenes, cut further where prose changes the place or the hour."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from storyboard.script.light import Light, LightNote, light_at
from storyboard.script.parts import Cut, GivenShot, LightCue, Line, Scene, Script, Sentence
from storyboard.script.transitions import Transition
from storyboard.script.words import hour_in, place_in

# Prose names many places that nobody goes to ('he points at the lighthouse'): these tell that someone is there now,
_THERE = re.compile(
    r"(?:^(?:later|then|now|meanwhile|soon|outside|suddenly|(?:the )?next \w+|that \w+|one \w+(?: \w+)?|"
    r"at (?:dawn|dusk|night|noon))?,?\s*"
    r"(?:in|at|on|inside|back (?:in|at)|down (?:in|at)|up (?:in|on))\s+|"
    r"\b(?:enters?|reach(?:es)?|leaves? for)\s+|"
    r"\b(?:is|are|was|were|stands?|sits?|waits?|sleeps?|reads?|lies|talks?|meets?|walks?|runs?|goes|comes?|steps?|arrives?|climbs?|"
    r"returns?|hurry|hurries|jumps?|dances?|plays?|works?|wakes?|lives?|cooks?|hides?|rests?|lands?|standing|sitting|waiting)\b(?:(?!\b(?:looks?|points?|waves?|stares?|gazes?|"
    r"sees?|watch(?:es)?|turns?)\b)[^.!?]){0,40}?\b(?:in|at|on|into|inside|onto|through|along|across)\s+)"
    r"(?:(?:the|a|an|her|his|their|its|this|that|old|same|empty|quiet|dark)\s+)*(?:\w+\s+)?$",
    re.IGNORECASE,
)
# and these that someone sets out for it.
_THITHER = re.compile(
    r"\b(?:walks?|runs?|goes|comes?|climbs?|returns?|hurry|hurries|heads?|sets? out|sets? off)\b[^.!?]{0,30}?\b"
    r"(?:to|towards?|for|back to|down to|up to|over to)\s+(?:(?:the|a|an|her|his|their|old)\s+)*(?:\w+\s+)?$",
    re.IGNORECASE,
)
NOWHERE = ("park", False)  # where a story happens that never says where


@dataclass
class Setting:
    """A place at a time, and what happens there: the shots as given, or the beats to be split."""

    heading: str
    place: str | None
    interior: bool | None
    time: str | None
    light: LightNote | None = None
    beats: list[Sentence | Line] = field(default_factory=list)
    cuts: set[int] = field(default_factory=set)  # indices of beats before which the script asks for a cut
    enters: dict[int, Transition] = field(default_factory=dict)  # how the shot that begins with a beat enters
    leaves: dict[int, Transition] = field(default_factory=dict)  # how the shot before a beat leaves
    lights: dict[int, LightNote] = field(default_factory=dict)  # the light from a beat on
    shots: tuple[GivenShot, ...] = ()
    breaks: bool = False
    continues: bool = False
    ambience: Path | None = None
    why: dict[str, str] = field(default_factory=dict)

    @property
    def key_light(self) -> Light:
        """The light of the setting before any cue in its beats."""
        light = light_at(self.time or "day", bool(self.interior))
        return self.light.over(light) if self.light else light


def settings(script: Script) -> list[Setting]:
    """The settings of a script, in order, each with its place, hour and light decided."""
    found: list[Setting] = []
    for scene in script.scenes:
        first = Setting(scene.heading, scene.place, scene.interior, scene.time, shots=scene.shots)
        first.breaks, first.continues, first.ambience = scene.breaks, scene.continues, scene.ambience
        if scene.enter:
            first.enters[0] = scene.enter
        found += _given(first, scene) if scene.shots else _split(first, scene)
    _settle(found)
    return found


def _given(setting: Setting, scene: Scene) -> list[Setting]:
    """A scene whose shots are given: what stands before them holds for all of them."""
    for beat in scene.beats:
        if isinstance(beat, LightCue):
            setting.light = _both(setting.light, beat.note)
        elif isinstance(beat, Sentence):
            setting.beats.append(beat)
    return [setting]


def _split(setting: Setting, scene: Scene) -> list[Setting]:
    """A scene in prose: a new setting wherever the text goes somewhere else or the hour changes."""
    found = [setting]
    bound_for: tuple[str, bool] | None = None
    enter: Transition | None = None
    for beat in scene.beats:
        now = found[-1]
        if isinstance(beat, (Sentence, Line)):
            told = beat.text if isinstance(beat, Sentence) else ""
            place, hour = _arrival(told) or bound_for, hour_in(told)
            moved = place is not None and now.place not in (None, place[0])
            later = hour is not None and now.time not in (None, hour)
            if (moved or later) and now.beats:
                now = Setting("", now.place, now.interior, now.time, light=None if later or moved else now.light)
                found.append(now)
            if place is not None and now.place != place[0]:
                now.place, now.interior = place
            now.time = hour or now.time
            if enter:
                now.enters[len(now.beats)], enter = enter, None
            bound_for = _destination(told)
        match beat:
            case Cut(change=change):
                now.cuts.add(len(now.beats))
                enter = change.enter
                if change.leave:
                    now.leaves[len(now.beats)] = change.leave
            case LightCue() if now.beats:
                # In one paragraph with the beat before, it tells how that one is lit already.
                same = now.beats[-1].paragraph == beat.paragraph
                now.lights[len(now.beats) - same] = beat.note
            case LightCue():
                now.light = _both(now.light, beat.note)
            case Sentence() | Line():
                now.beats.append(beat)
    return found


def _settle(found: list[Setting]) -> None:
    """Fill in what the script leaves open: from a place that its text names, from the setting before, or by default."""
    last: Setting | None = None
    for setting in found:
        if setting.place is None:
            texts = [beat.text for beat in setting.beats if isinstance(beat, Sentence)]
            texts += [beat.text for shot in setting.shots for beat in shot.beats if isinstance(beat, Sentence)]
            named = next((place for text in texts if (place := place_in(text))), None)
            if named and not (setting.continues and last):
                setting.place, setting.interior = named[:2]
                setting.why["place"] = f'the text names "{named[2][0]}"'
            elif last:
                setting.place, setting.interior = last.place, last.interior
            else:
                setting.place, setting.interior = NOWHERE
                setting.why["place"] = "the script names no place"
        if setting.interior is None:
            known = place_in(setting.place or "")
            setting.interior = known[1] if known else False
        if setting.time is None:
            setting.time = last.time if last else "day"
            setting.why["time"] = "as in the scene before" if last else "the script names no hour"
        if setting.continues and last and setting.light is None:
            setting.light = last.light
        last = setting


def _arrival(sentence: str) -> tuple[str, bool] | None:
    place = place_in(sentence)
    while place is not None:
        name, interior, found = place
        if _THERE.search(sentence[: found.start()]):
            return name, interior
        rest = sentence[found.end() :]
        place = place_in(rest)
        sentence = rest if place else sentence
    return None


def _destination(sentence: str) -> tuple[str, bool] | None:
    place = place_in(sentence)
    return place[:2] if place and _THITHER.search(sentence[: place[2].start()]) else None


def _both(before: LightNote | None, note: LightNote) -> LightNote:
    return replace(before, side=note.side or before.side, warmth=note.warmth or before.warmth) if before else note
