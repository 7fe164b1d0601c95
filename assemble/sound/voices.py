"""The scratch voice: what a line sounds like until an actor has spoken it. It times the film and moves the mouths.

It is SVOX Pico, through the py-nanotts package, which brings six languages along (Apache-2.0, 8 MB, no network). It runs as a
program of its own: a text that hangs it or brings it down costs that line its sound, and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from assemble.errors import AssembleError
from assemble.sound.waves import RATE, Wave, read_sound

LANGUAGES = ("en-US", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT")
PATIENCE = 20  # seconds that a line may take; a usual one takes a tenth of one
QUIET = 0.01  # of full scale: what lies under it around the words is no part of them
_KINDS = {  # words of a description, and the voice that they suggest: (pitch, vocal tract)
    r"boy|son|lad": (1.15, 1.08),
    r"girl|daughter|child|kid": (1.25, 1.12),
    r"man|men|father|grandfather|king|keeper|beard|mou?stache|he|his|captain|uncle": (0.62, 0.84),
    r"woman|mother|grandmother|queen|lady|she|her|aunt": (0.98, 1.0),
    r"robot|giant|monster|troll": (0.5, 0.74),
}
_OLD = re.compile(r"\b(old|elderly|aged|grand\w+|white beard|grey)\b", re.I)
_WORDS = {"low": ("pitch", 0.8), "deep": ("tract", 0.88), "high": ("pitch", 1.25), "bright": ("tract", 1.1),
          "slow": ("tempo", 0.85), "fast": ("tempo", 1.2)}  # fmt: skip
_NEAREST = 0.08  # two voices nearer than this in pitch and tract are taken for one


class VoiceError(AssembleError):
    """No voice here can say this. The film goes on without it."""


@dataclass(frozen=True)
class Voice:
    """A character's voice. `pitch` and `tempo` are factors on the engine's own; `tract` above 1 is a smaller body."""

    language: str = "en-US"
    pitch: float = 1.0
    tract: float = 1.0
    tempo: float = 1.0

    def told(self, words: str) -> Voice:
        """The voice as a person asks for it: a language (de, en-GB) and any of low, deep, high, bright, slow and fast.

        Raises AssembleError for a word that means nothing here.
        """
        voice = self
        for word in re.split(r"[\s,]+", words.strip()):
            language = next((each for each in LANGUAGES if word.casefold() in (each.casefold(), each[:2])), "")
            if word and word.casefold() in _WORDS:
                field, factor = _WORDS[word.casefold()]
                voice = replace(voice, **{field: getattr(voice, field) * factor})
            elif language:
                voice = replace(voice, language=language)
            elif word:
                known = ", ".join((*LANGUAGES, *_WORDS))
                raise AssembleError(f'no voice is called "{word}"', mend=f"Write any of {known}.")
        return voice


def cast(looks: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, Voice]:
    """A voice for each character by name: as their looks suggest, as `asked` says, and no two alike."""
    voices: dict[str, Voice] = {}
    for name, described in looks.items():
        said = described.casefold()
        found = [(m.start(), kind) for words, kind in _KINDS.items() if (m := re.search(rf"\b(?:{words})\b", said))]
        # Nothing suggests a voice: the name itself chooses one, the same in every film.
        unknown = (0.75 + hashlib.sha256(name.encode()).digest()[0] / 255 * 0.5, 1.0)
        pitch, tract = min(found)[1] if found else unknown
        voice = Voice(pitch=pitch, tract=tract, tempo=0.9 if _OLD.search(said) else 1.0).told(asked.get(name, ""))
        while any(_distance(voice, other) < _NEAREST for other in voices.values()):
            voice = replace(voice, pitch=voice.pitch * 1.12, tract=voice.tract * 1.03)
        voices[name] = voice
    return voices


def available() -> bool:
    """Whether the scratch voice is installed."""
    return find_spec("py_nanotts") is not None


def speak(text: str, voice: Voice) -> Wave:
    """The words as sound, without silence around them.

    Raises VoiceError when the voice is not installed, or cannot say this: a script that it does not read, no word at all, or
    a text that it does not come to an end with.
    """
    plain = sayable(text)
    if not available():
        raise VoiceError(
            "no voice is installed", mend='pip install "storyboard[voice]", or give the line a WAV of its own.'
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.wav"
        # A shorter tract is a faster playback: what is spoken lower and slower by as much comes out as it should.
        settings = {"--pitch": voice.pitch / voice.tract, "--speed": voice.tempo / voice.tract, "--volume": 0.6}
        options = [word for name, value in settings.items() for word in (name, f"{value:.3f}")]
        command = [sys.executable, "-m", "py_nanotts", "-o", str(file), "-v", voice.language, *options, "--", plain]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, cwd=folder)  # noqa: S603
            sound = read_sound(file)
        except (subprocess.SubprocessError, OSError, AssembleError) as error:
            raise VoiceError("the voice cannot say this", mend="Give the line a WAV of its own.") from error
    sound = trimmed(resampled(sound, voice.tract))
    if not len(sound):
        raise VoiceError("the voice has no sound for this", mend="Give the line a WAV of its own.")
    return sound


def sayable(text: str) -> str:
    """The text as the voice can read it. Raises VoiceError when nothing of it is in letters that it knows."""
    plain = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    plain = "".join(char if char.isalnum() or char in " .,;:!?'-" else " " for char in plain)
    kept = "".join(char if _latin(char) else " " for char in plain)
    letters = sum(char.isalnum() for char in plain)
    if letters and sum(char.isalnum() for char in kept) < letters / 2:
        raise VoiceError("it is in a script that the voice does not read", mend="Give the line a WAV of its own.")
    kept = " ".join(re.sub(r"\w{40,}", lambda word: re.sub(r"(.{20})", r"\1 ", word[0]), kept).split())
    if not any(char.isalnum() for char in kept):
        raise VoiceError("there is no word in it", mend="Give the line a WAV of its own, or leave it out.")
    return kept


def trimmed(sound: Wave) -> Wave:
    """The sound without the silence before and after, but for a hundredth of a second."""
    loud = np.flatnonzero(np.abs(sound).max(axis=1, initial=0) > QUIET)
    if not len(loud):
        return sound[:0]
    return sound[max(0, loud[0] - RATE // 100) : loud[-1] + RATE // 100]


def resampled(sound: Wave, faster: float) -> Wave:
    """The sound played `faster` times as fast, pitch and formants rising along."""
    from fractions import Fraction

    from scipy.signal import resample_poly

    ratio = Fraction(faster).limit_denominator(100)
    if ratio == 1 or not len(sound):
        return sound
    return np.asarray(resample_poly(sound, ratio.denominator, ratio.numerator, axis=0), np.float32)


def _latin(char: str) -> bool:
    return not char.isalpha() or "LATIN" in unicodedata.name(char, "")


def _distance(one: Voice, other: Voice) -> float:
    return max(abs(np.log(one.pitch / other.pitch)), abs(np.log(one.tract / other.tract)))
