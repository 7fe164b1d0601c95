"""Sound in scripts and boards, lines fitted to their shots, and what is laid under a stitched film."""

from __future__ import annotations

import json
import struct
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storyboard import Event, Storyboard, StoryboardError, plan, read_script
from storyboard.film.sounding import Sounding
from storyboard.limits import Limits
from storyboard.report.soundpage import sound_section
from storyboard.script.soundfiles import length_of
from storyboard.shooting.dialogue import Dialogue
from storyboard.shooting.runfolder import RunFolder
from storyboard.shooting.takes import Take

SCENE = "# INT. SHOP - DAY\n"


def recording(path: Path, seconds: float, *, loud: float = 0.3, rate: int = 16000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        tone = loud * 32767 * np.sin(np.arange(round(seconds * rate)) / 7)
        file.writeframes(tone.astype("<i2").tobytes())
    return path


@pytest.fixture
def told() -> list[Event]:
    return []


def board_of(path: Path, limits: Limits) -> Storyboard:
    return plan(read_script(path, limits), limits)


def test_a_script_names_recordings_ambience_and_voices(write: Callable[..., Path], room: Path, limits: Limits) -> None:
    recording(room / "line.wav", 3.31)
    recording(room / "shop.wav", 1.0)
    text = (
        SCENE
        + 'ambience: shop.wav\n\n## Shot: close-up, static, 2s\n@mia: "Hi!"\nvoice: line.wav\n\n## Shot: wide\n@tom waves.\n'
    )
    path = write(text)
    path.write_text(path.read_text().replace('looks: "a girl', 'voice: en-GB high, looks: "a girl'))
    board = board_of(path, limits)
    first, second = board.shots
    assert first.lines[0].wav == "line.wav" and first.ambience == second.ambience == "shop.wav"
    assert (
        first.seconds == pytest.approx(3.6) and "what is said" in first.why["seconds"]
    )  # lengthened, by the plan already
    assert board.characters["mia"].voice == "en-GB high"
    board.save(room / "board.json")
    again = Storyboard.load(room / "board.json")
    assert again.text() == board.text()
    (room / "inner").mkdir()
    again.save(room / "inner" / "board.json")
    assert json.loads((room / "inner" / "board.json").read_text())["shots"][0]["lines"][0]["wav"] == "../line.wav"
    plain = board_of(write(SCENE + '@mia: "Hi!"\n'), limits).text()
    assert '"wav"' not in plain and '"ambience"' not in plain and '"voice"' not in plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@mia waves.\nvoice: line.wav\n", "stands under no line"),
        ('@mia: "Hi!"\nvoice: lime.wav\n', "there is no sound at"),
        ("ambience: nowhere.wav\n\n@mia waves.\n", "there is no sound at"),
    ],
)
def test_sounds_that_cannot_be_used_are_told(
    write: Callable[..., Path], room: Path, limits: Limits, text: str, said: str
) -> None:
    recording(room / "line.wav", 1.0)
    with pytest.raises(StoryboardError, match=said) as fault:
        read_script(write(SCENE + text), limits)
    assert "script.md:" in str(fault.value)


def test_prose_that_only_looks_like_it_stays_prose(write: Callable[..., Path], limits: Limits) -> None:
    board = board_of(write(SCENE + "Voice: soft and low. @mia waves.\n"), limits)
    assert "soft and low" in " ".join(shot.action for shot in board.shots)


def test_the_length_of_a_wav_is_read_from_its_head(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", 1.25)
    assert length_of(path) == pytest.approx(1.25)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 40, 0xFFFFFFFF)  # a recorder that was stopped hard
    path.write_bytes(data)
    assert length_of(path) == pytest.approx(1.25)
    (tmp_path / "b.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    assert length_of(tmp_path / "b.wav") is None and length_of(tmp_path / "none.wav") is None


def test_shots_are_lengthened_for_their_lines_and_no_word_is_cut(
    write: Callable[..., Path], room: Path, limits: Limits, told: list[Event]
) -> None:
    recording(room / "a.wav", 2.0)
    recording(room / "b.wav", 1.0)
    path = write(SCENE + '## Shot: close-up, static, 1s\n@mia: "Hi!"\nvoice: a.wav\n\n@tom: "Ho!"\nvoice: b.wav\n')
    board = board_of(path, limits)
    board.shots[0].seconds = 1.0  # as a person may write into a board
    made = Dialogue(board, limits, told.append)
    assert board.shots[0].seconds == 1.0 and made.board.shots[0].seconds == pytest.approx(3.4)
    first, second = made.lines[1]
    assert 0 < first.start < first.end < second.start < second.end <= 3.4
    assert [event.shot for event in told] == [1] and "lasts 3.4 s instead of 1 s" in str(told[0])
    levels = made.levels(1, 41, 12.0)
    assert set(levels) == {"mia", "tom"} and levels["mia"].shape == (41,)
    assert levels["mia"][:26].max() > 0.5 and not levels["mia"][30:].any() and not levels["tom"][:24].any()

    recording(room / "a.wav", 4.5)
    with pytest.raises(StoryboardError, match=r"takes 5\.\d s, and a shot lasts 5 s") as fault:
        Dialogue(board, limits, told.append)
    assert "split" in fault.value.mend and "shots[0]" in fault.value.where


def test_lines_that_nobody_says_are_told_and_timed(
    write: Callable[..., Path], room: Path, limits: Limits, told: list[Event]
) -> None:
    recording(room / "still.wav", 1.0, loud=0.0)
    recording(room / "empty.wav", 0.0)
    script = (
        SCENE
        + '## Shot: close-up, static, 3s\n@mia: "Hi!"\nvoice: still.wav\n\n@mia: "Ha!"\nvoice: empty.wav\n\n@tom: "مرحبا"\n'
    )
    made = Dialogue(board_of(write(script), limits), limits, told.append)
    assert [each.sound for each in made.lines[1]] == [None] * 3 and len(made.unsaid) == 3
    assert all(each.end > each.start for each in made.lines[1])
    assert "script that the voice does not read" in made.unsaid[2]
    assert made.levels(1, 37, 12.0)["mia"]  # the mouth still moves, as the words would have it
    (room / "still.wav").write_text("no sound at all")
    board = made.board
    with pytest.raises(StoryboardError, match=r"still\.wav"):
        Dialogue(board, limits, told.append)
    board.shots[0].lines = board.shots[0].lines[2:]
    board.characters["tom"].voice = "squeaky"
    with pytest.raises(StoryboardError, match="squeaky"):
        Dialogue(board, limits, told.append)


def test_no_voice_at_hand_is_one_clear_note(
    write: Callable[..., Path], limits: Limits, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assemble.sound.voices.available", lambda: False)
    made = Dialogue(board_of(write(SCENE + '@mia: "Hi!"\n\n@tom: "Ho!"\n'), limits), limits, told.append)
    assert ["storyboard[voice]" in str(event) for event in told] == [True]
    assert all(each.sound is None for lines in made.lines.values() for each in lines)


class Stage:
    """A film of two shots, stitched from plain frames, on its way to a sound."""

    def __init__(self, path: Path, limits: Limits, told: list[Event], **options: Any) -> None:
        self.folder, self.told = path.parent, told
        self.dialogue = Dialogue(board_of(path, limits), limits, told.append, silent=options.get("silent", False))
        self.film = self.folder / "film.mp4"
        with RunFolder.hold(self.film) as run:
            self.run = run
            self.sounding = Sounding(self.dialogue, run, told.append, **options)
            self.shoot()

    def shoot(self) -> None:
        from assemble import stitch

        counts = {n: round((shot.seconds or 0) * 12) for n, shot in enumerate(self.dialogue.board.shots, start=1)}
        self.frames = {n: [np.full((48, 80, 3), 100, np.uint8)] * count for n, count in counts.items()}
        flows = (self.sounding.frames(n, iter(self.frames[n]), 12.0) for n in counts)
        made = stitch(flows, self.sounding.picture(self.film), fps=12, size=(80, 48))
        self.sounding.finish(made, self.film, list(counts), lambda stems: stems)


SCRIPT = SCENE + '## Shot: wide, static, 1s\n@tom waves.\n\n## Shot: close-up, static, 1.5s\n@mia: "Hello there."\n'


def test_a_film_gets_its_sound_and_what_goes_with_it(
    write: Callable[..., Path], limits: Limits, told: list[Event]
) -> None:
    import av

    from assemble.sound.loudness import measure
    from assemble.sound.waves import read_sound

    stage = Stage(write(SCRIPT), limits, told, loudness="ebu")
    report = stage.sounding.report
    assert report is not None and report["counted"] == pytest.approx(-23, abs=0.3)
    found = measure(read_sound(stage.film))
    assert found.integrated == pytest.approx(-23, abs=0.3) and found.peak is not None and found.peak <= -1
    with av.open(str(stage.film)) as container:
        ends = [
            stream.duration * stream.time_base for stream in (container.streams.video[0], container.streams.audio[0])
        ]
    assert abs(ends[0] - ends[1]) < Fraction(1, 120)
    assert sorted(each.name for each in (stage.run.path / "sound").iterdir()) == [
        "ambience.wav",
        "dialogue.wav",
        "mix.wav",
    ]
    (line,) = report["lines"]
    assert line["shot"] == 2 and line["heard"] and line["start"] > 1
    spoken = np.flatnonzero(np.abs(read_sound(stage.run.path / "sound" / "dialogue.wav")).max(axis=1) > 0.01)
    assert spoken[0] / 48000 == pytest.approx(line["start"], abs=0.05) and spoken[-1] / 48000 <= line["end"] + 0.01
    assert "Mia: Hello there." in (stage.run.path / "film.srt").read_text()
    assert "<v mia>Hello there.</v>" in (stage.run.path / "film.vtt").read_text()
    assert not (stage.run.path / "picture.mp4").exists() and any(event.kind == "sound" for event in told)

    frames = len(stage.frames[2])
    score = {
        "frames": frames,
        "characters": {},
        "seen": [{"frame": k, "name": "mia", "face_box": [20, 4, 60, 44]} for k in range(frames)],
    }
    voice = stage.dialogue.levels(2, frames, 12.0)["mia"]
    follows = [np.full((48, 80, 3), 100, np.uint8) for _ in range(frames)]
    for frame, level in zip(follows, np.roll(voice, 2), strict=True):
        frame[29:41, 32:48] = round(100 - 60 * level)
    stage.sounding.follow({2: Take(2, 1, 0, score=score)}, lambda take: iter(follows), 12.0)
    (mouth,) = report["mouths"]
    assert mouth["seconds"] == pytest.approx(2 / 12, abs=0.03) and mouth["correlation"] > 0.9
    page = sound_section(json.loads(json.dumps(report)))
    assert "mouth behind voice" in page and "<polyline" in page and "SVOX Pico" in page and "-23.0 LUFS" in page
    assert sound_section(None) == ""


def test_captions_are_burnt_in_and_silence_is_silent(
    write: Callable[..., Path], limits: Limits, told: list[Event]
) -> None:
    import av

    from assemble import read_frames

    stage = Stage(write(SCRIPT), limits, told, captions="burn", silent=True)
    with av.open(str(stage.film)) as container:
        assert not container.streams.audio
    assert stage.sounding.report is None and not (stage.run.path / "sound").exists()
    bright = [frame.max() > 160 for frame in read_frames(stage.film)]
    assert not any(bright[:12]) and any(bright[12:])
    assert "Mia: Hello there." in (stage.run.path / "film.srt").read_text()


def test_a_clip_keeps_its_own_sound(write: Callable[..., Path], room: Path, limits: Limits, told: list[Event]) -> None:
    from assemble import add_sound, stitch
    from assemble.sound.waves import RATE, read_sound

    hum = (0.1 * np.sin(2 * np.pi * 3000 * np.arange(2 * RATE) / RATE))[:, None].repeat(2, 1).astype(np.float32)
    for name, sound in (("loud", hum), ("mute", None)):
        stitch([[np.full((48, 80, 3), 80, np.uint8)] * 12], room / f"{name}.mp4", fps=12, size=(80, 48))
        if sound is not None:
            add_sound(room / f"{name}.mp4", sound, room / f"{name}.mp4")
    shots = "".join(
        f"## Shot: wide, static, 1s\n{clip}@tom waves.\n\n" for clip in ("", "clip: loud.mp4\n", "clip: mute.mp4\n")
    )
    path = write(SCENE + shots)
    board = board_of(path, limits)
    for shot in board.shots:
        shot.seconds = 1.0
    board.save(room / "board.json")
    stage = Stage.__new__(Stage)
    stage.folder, stage.told, stage.film = room, told, room / "film.mp4"
    stage.dialogue = Dialogue(Storyboard.load(room / "board.json"), limits, told.append)
    with RunFolder.hold(stage.film) as run:
        stage.run, stage.sounding = run, Sounding(stage.dialogue, run, told.append)
        stage.shoot()
    report = stage.sounding.report
    assert report is not None
    assert [each["sound"].split(",")[0] for each in report["places"]] == ["synthetic", "loud.mp4", "synthetic"]
    bed = read_sound(stage.run.path / "sound" / "ambience.wav")
    heard = [float(np.abs(np.fft.rfft(bed[round(at * RATE) :][: RATE // 2, 0])[1500])) for at in (0.2, 1.2, 2.2)]
    assert heard[1] > 20 * max(heard[0], heard[2])
