"""Videos as the world has them: turned, stretched, uneven, unlabelled, broken."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from hypothesis import given
from hypothesis import strategies as st

from assemble import AssembleError, read_frames, write_clip
from assemble.rates import rate


def grey(level: int, width: int = 96, height: int = 64) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def record(
    path: Path,
    frames: list[np.ndarray],
    times: list[int] | None = None,
    *,
    turn: int = 0,
    aspect: Fraction = Fraction(1),
    matrix: Colorspace = Colorspace.ITU601,
) -> Path:
    """A video as other programs write them: ten frames a second or at `times` in milliseconds, no colour labels."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "4"}
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(turn)
        for frame, time in zip(frames, times or range(0, 100 * len(frames), 100), strict=True):
            picture = av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="yuv420p", dst_colorspace=matrix)
            picture.pts, picture.time_base, picture.colorspace = time, Fraction(1, 1000), 2
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))])
def test_a_turned_phone_gives_upright_frames(tmp_path: Path, turn: int, corner: tuple[int, int]) -> None:
    frame = grey(40)
    frame[:32, :48] = 220  # the stored picture is bright in its top left quarter
    (back,) = read_frames(record(tmp_path / "turned.mp4", [frame], turn=turn))
    assert back.shape == ((64, 96, 3) if turn % 180 == 0 else (96, 64, 3))
    corners = {(row, column): int(back[row, column, 0]) for row in (0, -1) for column in (0, -1)}
    assert max(corners, key=lambda where: corners[where]) == corner


def test_stretched_pixels_become_square(tmp_path: Path) -> None:
    (back,) = read_frames(record(tmp_path / "dv.mp4", [grey(90)], aspect=Fraction(4, 3)))
    assert back.shape == (64, 128, 3)


@pytest.mark.parametrize(("size", "matrix"), [((96, 64), Colorspace.ITU601), ((1280, 720), Colorspace.ITU709)])
def test_unlabelled_colours_are_guessed_by_size(tmp_path: Path, size: tuple[int, int], matrix: Colorspace) -> None:
    frame = np.full((size[1], size[0], 3), (30, 180, 60), np.uint8)
    (back,) = read_frames(record(tmp_path / "plain.mp4", [frame], matrix=matrix))
    assert np.abs(back.astype(int) - (30, 180, 60)).max() <= 3


def test_an_uneven_recording_keeps_its_speed(tmp_path: Path) -> None:
    levels, times = [20, 60, 100, 140, 180, 220], [0, 40, 400, 420, 440, 900]
    path = record(tmp_path / "uneven.mkv", [grey(level) for level in levels], times)
    assert [round(int(f[0, 0, 0]), -1) for f in read_frames(path)] == levels
    steady = [round(int(f[0, 0, 0]), -1) for f in read_frames(path, fps=10)]
    # In the middle of each tenth of a second: 50, 150, 250, ... 950 ms.
    assert steady[:9] == [60, 60, 60, 60, 180, 180, 180, 180, 180]
    assert steady[9:] and set(steady[9:]) == {220}


@pytest.mark.parametrize(("fps", "want"), [(10, [0, 1, 2, 3]), (20, [0, 0, 1, 1, 2, 2, 3, 3]), (5, [1, 3])])
def test_the_clock_repeats_and_drops(tmp_path: Path, fps: int, want: list[int]) -> None:
    film = write_clip([grey(60 * k) for k in range(4)], tmp_path / "take.mp4", 10)
    assert [round(int(f[0, 0, 0]) / 60) for f in read_frames(film.path, fps=fps)] == want


def test_a_file_that_is_no_video_is_told(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("these are not pictures\n" * 50)
    sound = tmp_path / "voice.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), layout="mono")
        silence.sample_rate = 16000
        container.mux(stream.encode(silence))
    for path, words in [(text, "not a video"), (sound, "no picture"), (tmp_path / "gone.mp4", "no such file")]:
        with pytest.raises(AssembleError, match=words) as told:
            next(read_frames(path))
        assert told.value.where == str(path) and told.value.mend and told.value.exit_code == 2


def test_a_cut_off_file_is_told_where_it_breaks(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 64, 96, 3), dtype=np.uint8)
    whole = write_clip(noise, tmp_path / "whole.mp4", 10).path.read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssembleError, match="broken"):
        list(read_frames(broken))


@pytest.mark.parametrize(("fps", "want"), [(12, 12), (23.976, Fraction(24000, 1001)), (29.97, Fraction(30000, 1001))])
def test_rates_are_those_that_editors_use(fps: float, want: Fraction) -> None:
    assert rate(fps) == want


@given(st.fractions(min_value=1, max_value=120, max_denominator=1001))
def test_exact_rates_stay_exact(fps: Fraction) -> None:
    assert abs(float(rate(fps)) - float(fps)) < 0.001
    assert rate(int(fps)) == int(fps)
