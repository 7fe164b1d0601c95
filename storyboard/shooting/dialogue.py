"""The lines of a film as sound, made before it is rendered: so shots are long enough for them, and mouths follow them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError
from storyboard.events import Event
from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.shot import Shot, SpokenLine
from storyboard.script.parts import BREATH
from storyboard.shooting.speech import loudness, timed

if TYPE_CHECKING:
    from assemble.sound.voices import Voice
    from assemble.sound.waves import Wave

HURRY = 1.25  # how much faster than calm a scratch voice may speak to fit the longest shot
Levels = Callable[[int, int, float], dict[str, Any]]
"""For a shot's number, a count of frames and their rate: the loudness 0..1 of each who speaks in it."""
LEAD = 0.3  # seconds at most that a shot waits before its first line


@dataclass(frozen=True)
class Said:
    """A line in its shot, from `start` to `end` seconds; `sound` is None where nobody can be heard saying it."""

    line: SpokenLine
    start: float
    end: float
    sound: Wave | None


class Dialogue:
    """All lines of a board. `board` is the one given, with shots lengthened where their lines need it and the model's `limits`
    allow; `lines` are by shot number, from 1, and `voices` says in words what speaks for whom."""

    def __init__(
        self, board: Storyboard, limits: Limits | None, tell: Callable[[Event], None], *, silent: bool = False
    ) -> None:
        self.board, self.limits, self.tell = board.model_copy(deep=True), limits, tell
        self.lines: dict[int, list[Said]] = {}
        self.voices: dict[str, str] = {}
        self.unsaid: list[str] = []  # what went wrong with single lines
        self._cast: dict[str, Voice] = {} if silent else self._voices()
        for number, shot in enumerate(self.board.shots, start=1):
            if shot.lines:
                self.lines[number] = timed_as_written(shot) if silent else self._spoken(number, shot)

    def levels(self, number: int, frames: int, fps: float) -> dict[str, Any]:
        """For each character who speaks in the frame of a shot, a loudness 0..1 for every frame."""
        shot, said = self.board.shots[number - 1], self.lines.get(number, [])
        heard = [each for each in said if each.sound is not None]
        if not heard:
            return dict(loudness(shot, frames, fps))
        import numpy as np

        from assemble.sound.envelope import levels

        tracks: dict[str, Any] = {}
        for each in heard:
            name = each.line.speaker
            if not each.line.heard and name in shot.names and each.sound is not None:
                track = levels(each.sound, each.start, frames, fps)
                tracks[name] = np.maximum(tracks[name], track) if name in tracks else track
        return tracks

    def _voices(self) -> dict[str, Voice]:
        from assemble import AssembleError
        from assemble.sound.voices import available, cast

        speakers = [name for name in self.board.characters if any(
            line.speaker == name and not line.wav for shot in self.board.shots for line in shot.lines
        )]  # fmt: skip
        if not speakers:
            return {}
        if not available():
            self.tell(
                Event("note", 'nobody is heard: no voice is installed; pip install "storyboard[voice]" brings one')
            )
            return {}
        roles = {name: self.board.characters[name] for name in speakers}
        try:
            voices = cast(
                {name: role.looks for name, role in roles.items()}, {name: role.voice for name, role in roles.items()}
            )
        except AssembleError as error:
            raise StoryboardError(error.what, where="characters", mend=error.mend) from error
        for name, voice in voices.items():
            self.voices[name] = f"SVOX Pico {voice.language}, pitch {voice.pitch:.2f}, tract {voice.tract:.2f}"
        return voices

    def _spoken(self, number: int, shot: Shot) -> list[Said]:
        sounds = [self._sound(number, line) for line in shot.lines]
        if shot.clip is None and shot.seconds is not None and self.limits:
            longest = self.limits.longest
            needed = _needed(shot, sounds)
            if needed > longest:
                spare = needed / longest * 1.02
                sounds = [self._sound(number, line, min(spare, HURRY)) for line in shot.lines]
                needed = _needed(shot, sounds)
            if needed > longest:
                raise StoryboardError(
                    f"what is said in shot {number} takes {needed:.1f} s, and a shot lasts {longest:g} s at most",
                    where=f"shots[{number - 1}].lines",
                    mend="split the lines over two shots, or shorten them",
                )
            if needed > shot.seconds + 1e-6:
                longer = min(math.ceil(needed * 10) / 10, longest)
                self.tell(
                    Event(
                        "note", f"shot {number} lasts {longer:g} s instead of {shot.seconds:g} s, for its lines", number
                    )
                )
                shot.why = {**shot.why, "seconds": f"lengthened from {shot.seconds:g} s for what is said"}
                shot.seconds = longer
        at = BREATH / 2
        if shot.seconds is not None:
            at += max(0.0, min(LEAD, (shot.seconds - _needed(shot, sounds)) / 2))
        return placed(shot, sounds, at)

    def _sound(self, number: int, line: SpokenLine, faster: float = 1.0) -> Wave | None:
        from dataclasses import replace

        from assemble import AssembleError
        from assemble.sound.voices import VoiceError, speak, trimmed
        from assemble.sound.waves import read_sound

        if line.wav:
            try:
                sound = read_sound(self.board.path(line.wav))
            except AssembleError as error:
                raise StoryboardError(error.what, where=f"shots[{number - 1}]: {line.wav}", mend=error.mend) from error
            sound = trimmed(sound)
            if len(sound):
                self.voices.setdefault(line.speaker, "recorded")
                return sound
            self._missed(number, line, "its recording holds no sound")
            return None
        voice = self._cast.get(line.speaker)
        if voice is None:
            return None
        try:
            return speak(line.text, replace(voice, tempo=voice.tempo * faster))
        except VoiceError as error:
            self._missed(number, line, error.what)
            return None

    def _missed(self, number: int, line: SpokenLine, why: str) -> None:
        said = f'shot {number}: "{line.text[:40]}" is not heard: {why}'
        if said not in self.unsaid:
            self.unsaid.append(said)
            self.tell(Event("note", said, number))


def placed(shot: Shot, sounds: list[Wave | None], at: float) -> list[Said]:
    """The lines one after the other, the first at `at` seconds; one without sound takes the time that reading it takes."""
    said = []
    for (line, start, end), sound in zip(timed(shot.lines), sounds, strict=True):
        length = end - start if sound is None else _length(sound)
        said.append(Said(line, at, at + length, sound))
        at += length + BREATH
    return said


def timed_as_written(shot: Shot) -> list[Said]:
    """The lines of a silent film."""
    return placed(shot, [None] * len(shot.lines), BREATH / 2)


def _needed(shot: Shot, sounds: list[Wave | None]) -> float:
    """Seconds of what is heard in a shot, with a breath for each line; what is only read lengthens nothing."""
    return sum(_length(sound) + BREATH for sound in sounds if sound is not None)


def _length(sound: Wave) -> float:
    from assemble.sound.waves import RATE

    return len(sound) / RATE
