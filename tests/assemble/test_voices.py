"""The scratch voice says what it can, and says what it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from assemble.errors import AssembleError
from assemble.sound.loudness import measure
from assemble.sound.voices import Voice, VoiceError, cast, sayable, speak
from assemble.sound.waves import RATE


def pitch_of(sound: np.ndarray) -> float:
    """The most usual distance of a voice's own repetitions, in hertz (autocorrelation, 70 to 400 Hz)."""
    mono = sound.mean(axis=1)[::6]
    found = []
    for start in range(0, len(mono) - 400, 200):
        piece = mono[start : start + 400] - mono[start : start + 400].mean()
        if np.abs(piece).max() > 0.2 * np.abs(mono).max():
            alike = np.correlate(piece, piece, "full")[400:]
            lags = np.arange(1, len(alike) + 1)
            inside = (lags >= 8000 / 400) & (lags <= 8000 / 70)
            found.append(8000 / lags[inside][alike[inside].argmax()])
    return float(np.median(found))


def test_characters_have_voices_of_their_own() -> None:
    looks = {"mia": "a girl with red hair", "tom": "an old man with a white beard", "ann": "a girl in blue", "zed": ""}
    voices = cast(looks, {"zed": "de low"})
    assert voices == cast(looks, {"zed": "de low"})
    assert len({(voice.pitch, voice.tract) for voice in voices.values()}) == 4
    assert voices["zed"].language == "de-DE"
    high, low = (speak("There is someone on the rocks!", voices[name]) for name in ("mia", "tom"))
    assert pitch_of(high) > 1.5 * pitch_of(low)
    assert np.array_equal(high, speak("There is someone on the rocks!", voices["mia"]))


def test_a_line_has_no_silence_around_it_and_is_not_clipped() -> None:
    sound = speak("There is someone on the rocks!", Voice())
    assert sound.dtype == np.float32 and sound.shape[1] == 2 and 1 < len(sound) / RATE < 2
    assert np.abs(sound[: RATE // 20]).max() > 0.01 < np.abs(sound[-RATE // 20 :]).max()
    assert np.abs(sound).max() < 1 and measure(sound).integrated is not None
    faster = speak("There is someone on the rocks!", Voice(tempo=1.2))
    assert len(faster) / len(sound) == pytest.approx(1 / 1.2, abs=0.06)


@pytest.mark.parametrize("text", ["🙂", "", " ... ", "مرحبا بالعالم", "你好", "\N{ZERO WIDTH SPACE}"])
def test_what_it_cannot_say(text: str) -> None:
    with pytest.raises(VoiceError) as said:
        speak(text, Voice())
    assert said.value.what and said.value.mend


def test_odd_texts_are_said_as_far_as_they_are_words() -> None:
    assert sayable("Hello 🙂 <b>world</b> & “you”!") == "Hello b world b you !"
    assert max(map(len, sayable("x" * 500).split())) <= 40  # longer words hang the engine
    assert len(speak("-- --help <speed level='300'>", Voice())) > RATE / 4


def test_a_voice_that_hangs_costs_only_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assemble.sound.voices.PATIENCE", 0.001)
    with pytest.raises(VoiceError, match="cannot say"):
        speak("Hello", Voice())
    monkeypatch.setattr("assemble.sound.voices.available", lambda: False)
    with pytest.raises(VoiceError, match="no voice is installed"):
        speak("Hello", Voice())


def test_voices_as_people_ask_for_them() -> None:
    assert Voice().told("en-GB, slow high") == Voice("en-GB", 1.25, 1.0, 0.85)
    with pytest.raises(AssembleError, match='"squeaky"'):
        Voice().told("squeaky")
