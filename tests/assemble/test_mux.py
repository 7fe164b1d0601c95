"""A sound under a picture: copied, in time, and of one length."""

from __future__ import annotations

import hashlib
import os
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from assemble import AssembleError, WriteError, add_sound, read_frames, stitch
from assemble.sound.waves import RATE, read_sound, write_wav


def film(path: Path, frames: int, fps: Fraction) -> Path:
    stitch([[np.full((48, 64, 3), index * 5 % 250, np.uint8) for index in range(frames)]], path, fps=fps, size=(64, 48))
    return path


def clicks(seconds: float, every: float = 0.5) -> np.ndarray:
    sound = np.zeros((round(seconds * RATE), 2), np.float32)
    sound[:: round(every * RATE)] = 0.9
    return sound


def packets(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("fps", [Fraction(12), Fraction(24000, 1001), Fraction(25)])
@pytest.mark.parametrize("given", [0.0, 0.7, 9.0])
def test_sound_and_picture_end_together(tmp_path: Path, fps: Fraction, given: float) -> None:
    silent = film(tmp_path / "silent.mp4", 41, fps)
    add_sound(silent, clicks(given), tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        ends = [float(stream.duration * stream.time_base) for stream in (picture, sound)]
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("aac", RATE, "stereo")
        assert picture.codec_context.color_primaries == 1  # BT.709, as before
    assert abs(ends[0] - ends[1]) < 1 / fps / 10 and ends[0] == pytest.approx(41 / fps, abs=1e-3)
    assert packets(silent) == packets(tmp_path / "film.mp4")  # the picture is not touched
    assert not list(tmp_path.glob(".*"))


def test_sound_is_in_time_and_may_replace_its_film(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", 36, Fraction(12))
    add_sound(path, clicks(3.0), path)
    loud = read_sound(path)[: 3 * RATE, 0]
    for second in (0.5, 1.0, 2.5):
        near = loud[round((second - 0.1) * RATE) : round((second + 0.1) * RATE)]
        assert abs(int(np.abs(near).argmax()) - round(0.1 * RATE)) <= 2
    assert len(list(read_frames(path))) == 36
    add_sound(path, clicks(3.0), path)  # a film that has a sound gets another
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == 1


def test_what_cannot_be_done_leaves_nothing(tmp_path: Path) -> None:
    write_wav(clicks(1.0), tmp_path / "sound.wav")
    with pytest.raises(AssembleError, match="no picture"):
        add_sound(tmp_path / "sound.wav", clicks(1.0), tmp_path / "film.mp4")
    with pytest.raises(AssembleError):
        add_sound(film(tmp_path / "a.mp4", 3, Fraction(12)), clicks(1.0), tmp_path / "none" / "film.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "sound.wav"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_called_one_and_the_older_film_stays(tmp_path: Path) -> None:
    silent, older = film(tmp_path / "silent.mp4", 12, Fraction(12)), tmp_path / "film.mp4"
    older.write_bytes(b"the older film")
    for name, work in (
        ("film.mp4", lambda: add_sound(silent, clicks(1.0), older)),
        ("mix.wav", lambda: write_wav(clicks(1.0), tmp_path / "mix.wav")),
    ):
        (tmp_path / f".{name}.{os.getpid()}.part").symlink_to("/dev/full")
        with pytest.raises(WriteError, match="the disk is full"):
            work()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "silent.mp4"]
    assert older.read_bytes() == b"the older film"


def test_any_sound_file_is_read(tmp_path: Path) -> None:
    sound = clicks(0.5, 0.1)
    write_wav(sound, tmp_path / "a.wav")
    assert np.abs(read_sound(tmp_path / "a.wav") - sound).max() < 1e-6
    with wave.open(str(tmp_path / "eight.wav"), "wb") as file:  # 7.1 at another rate
        file.setnchannels(8)
        file.setsampwidth(2)
        file.setframerate(44100)
        each = (8000 * np.sin(np.arange(44100) / 20)).astype("<i2")
        file.writeframes(each[:, None].repeat(8, 1).tobytes())
    folded = read_sound(tmp_path / "eight.wav")
    assert folded.shape == (RATE, 2) and 0.1 < np.abs(folded).max() <= 1.01
    with wave.open(str(tmp_path / "none.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
    assert read_sound(tmp_path / "none.wav").shape == (0, 2)
    (tmp_path / "text.wav").write_text("no sound")
    for name in ("text.wav", "missing.wav"):
        with pytest.raises(AssembleError) as told:
            read_sound(tmp_path / name)
        assert told.value.mend
    with pytest.raises(AssembleError, match="no sound in this file"):
        read_sound(film(tmp_path / "silent.mp4", 3, Fraction(12)))
