"""Videos of any length: their shots, which frames are taken, and what is said of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import IdentityError
from identity.frames import read_frames
from identity.videos import VIDEO_FRAMES, Survey, chosen, survey

SCENES = ((200, 40, 40), (40, 160, 60), (60, 60, 190), (210, 200, 60))


def film(path: Path, shots: list[int], rate: int = 24, **options: str) -> Path:
    """Shots of so many frames each, of other colours, in which a block moves."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number, count in enumerate(shots):
            for k in range(count):
                pixels = np.full((64, 96, 3), SCENES[number % 4], np.uint8)
                x = 4 + (k * 2) % 60
                pixels[20:44, x : x + 24] = SCENES[(number + 2) % 4]
                pixels[::7, ::5] ^= np.uint8(number * 3 % 64)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_cuts_are_found_to_the_frame(tmp_path: Path) -> None:
    found = survey(film(tmp_path / "a.mp4", [30, 17, 40, 24]))
    assert list(found.shots) == [(0, 30), (30, 47), (47, 87), (87, 111)]
    assert found.seconds == pytest.approx(111 / 24, abs=0.01)
    frames = list(read_frames(tmp_path / "a.mp4"))
    assert [frame.shot for frame in frames] == [0] * 30 + [1] * 17 + [2] * 40 + [3] * 24


def test_of_a_long_video_every_shot_is_seen(tmp_path: Path) -> None:
    shots, notes = [500, 20, 9, 300, 31], []
    frames = list(read_frames(film(tmp_path / "a.mp4", shots), notes))
    assert len(frames) == VIDEO_FRAMES
    count = np.bincount([frame.shot or 0 for frame in frames])
    assert (count >= 5).all()
    assert count[0] < VIDEO_FRAMES * 500 / 860  # a long shot has less than its length would give it
    assert notes == [f"{tmp_path / 'a.mp4'}: it lasts 36 s: {VIDEO_FRAMES} frames at most were taken, spread over 5 shots"]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=40), st.integers(1, 60), st.floats(0.5, 400))
def test_shares_of_shots(lengths: list[int], count: int, seconds: float) -> None:
    ends = np.cumsum(lengths)
    shots = list(zip((ends - lengths).tolist(), ends.tolist(), strict=True))
    moments = np.linspace(0, seconds, int(ends[-1]))
    picked = chosen(Survey(moments, shots, seconds, seconds), count)
    assert len(picked) == min(count, int(ends[-1]))
    assert picked <= set(range(int(ends[-1])))
    seen = [len(picked & set(range(*shot))) for shot in shots]
    if len(shots) <= count:
        assert min(seen) >= 1
    for one, two in zip(range(len(shots)), range(1, len(shots)), strict=False):
        if lengths[one] > lengths[two]:
            assert seen[one] >= seen[two] or seen[one] == lengths[one]


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mp4", "last.mp4"])
def test_a_video_that_was_cut_short_is_refused_or_told(tmp_path: Path, name: str) -> None:
    whole = film(tmp_path / name, [60, 60], **({"movflags": "faststart"} if name == "a.mp4" else {}))
    assert told(whole) == ""
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert "cut short" in told(whole)
    assert str(whole) in told(whole)


def told(path: Path) -> str:
    notes: list[str] = []
    try:
        list(read_frames(path, notes))
    except IdentityError as error:
        return str(error)
    return " ".join(notes)


def test_short_videos_are_taken_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    assert len(list(read_frames(film(tmp_path / "a.mp4", [20]), notes))) == 20
    assert "lasts only 0.8 s" in notes[0]
    assert len(list(read_frames(film(tmp_path / "one.mp4", [1]), notes))) == 1


def test_a_video_of_no_frames(tmp_path: Path) -> None:
    (tmp_path / "a.y4m").write_bytes(b"YUV4MPEG2 W64 H48 F24:1 Ip A1:1 C420jpeg\n")
    with pytest.raises(IdentityError, match="no frames") as caught:
        list(read_frames(tmp_path / "a.y4m"))
    assert caught.value.mend


def test_a_variable_rate_is_sampled_by_time(tmp_path: Path) -> None:
    """Half of the frames fall into the first of sixteen seconds."""
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 600)
        for number in range(600):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 + number % 40, np.uint8), format="rgb24")
            frame.pts = number * 2 if number < 300 else 600 + (number - 300) * 30
            frame.time_base = Fraction(1, 600)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    frames = list(read_frames(tmp_path / "a.mp4"))
    moments = np.array([frame.seconds for frame in frames])
    assert len(frames) <= VIDEO_FRAMES and moments[-1] > 15
    assert np.mean(moments < 1) < 0.1
