"""Films as they are on the disk: every claim is read back from the file."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assemble import AssembleError, WriteError, read_frames, stitch, write_clip

SIZE = (128, 96)


def coded(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A frame that carries its own number: sixteen black or white fields."""
    bits = np.array([(number >> bit) & 1 for bit in range(16)], np.uint8).reshape(4, 4) * 255
    return bits.repeat(size[1] // 4, 0).repeat(size[0] // 4, 1)[..., None].repeat(3, 2)


def number(frame: np.ndarray) -> int:
    height, width = frame.shape[:2]
    fields = frame[height // 8 :: height // 4, width // 8 :: width // 4, 0] > 127
    return sum(int(field) << bit for bit, field in enumerate(fields.ravel()))


def clip(first: int, count: int) -> Iterator[np.ndarray]:
    return (coded(first + k) for k in range(count))


def boxes(path: Path) -> list[str]:
    """The names of an MP4's top-level boxes, in order."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name.decode())
        at += length
    assert at == len(data)
    return names


def test_frames_cuts_and_length_are_exact(tmp_path: Path) -> None:
    done: list[int] = []
    film = stitch(
        [clip(0, 7), clip(100, 1), clip(200, 30)], tmp_path / "film.mp4", fps=12, size=SIZE, on_frame=done.append
    )
    assert (film.frames, film.cuts, film.fps, film.seconds) == (38, (0, 7, 8), 12, 38 / 12)
    assert done == list(range(1, 39))
    numbers = [number(frame) for frame in read_frames(film.path)]
    assert numbers == [*range(7), 100, *range(200, 230)]

    with av.open(str(film.path)) as container:
        stream = container.streams.video[0]
        assert (stream.frames, stream.average_rate, stream.guessed_rate) == (38, 12, 12)
        assert stream.duration is not None and stream.time_base is not None
        assert stream.duration * stream.time_base == Fraction(38, 12)
        shown = list(container.decode(stream))
    assert [frame.pts * frame.time_base for frame in shown] == [Fraction(k, 12) for k in range(38)]
    assert {0, 7, 8} <= {k for k, frame in enumerate(shown) if frame.key_frame}  # an editor can cut there again


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5), fps=st.sampled_from([8, 12, 16, 23.976, 24, 29.97]))
def test_any_clips_at_any_rate(tmp_path: Path, lengths: list[int], fps: float) -> None:
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    clips = (clip(start * 7, length) for start, length in zip(starts, lengths, strict=True))
    film = stitch(clips, tmp_path / "film.mp4", fps=fps, size=SIZE)
    want = [start * 7 + k for start, length in zip(starts, lengths, strict=True) for k in range(length)]
    assert [number(frame) for frame in read_frames(film.path)] == want
    assert [number(frame) for frame in read_frames(film.path, fps=fps)] == want
    assert film.cuts == tuple(starts)
    assert abs(film.seconds - sum(lengths) / fps) < 0.001 * sum(lengths)


def patches() -> tuple[np.ndarray, list[tuple[int, int, int]], list[tuple[slice, slice]]]:
    """Primaries, greys and a spread of other colours in fields of 32 pixels, and the middle of each field."""
    fixed = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (224, 172, 138)]
    others = np.random.default_rng(5).integers(0, 256, (25, 3))
    colours = fixed + [(int(r), int(g), int(b)) for r, g, b in others]
    frame = np.zeros((128, 256, 3), np.uint8)
    middles = []
    for index, colour in enumerate(colours):
        y, x = divmod(index, 8)
        frame[y * 32 : y * 32 + 32, x * 32 : x * 32 + 32] = colour
        middles.append((slice(y * 32 + 12, y * 32 + 20), slice(x * 32 + 12, x * 32 + 20)))
    return frame, colours, middles


@pytest.mark.parametrize("scale", [1, 2])
def test_colours_come_back_within_two_levels(tmp_path: Path, scale: int) -> None:
    frame, colours, middles = patches()
    film = stitch([[frame] * 5], tmp_path / "film.mp4", fps=12, size=(256 * scale, 128 * scale))
    *_, back = read_frames(film.path)
    for colour, (rows, columns) in zip(colours, middles, strict=True):
        field = back[rows.start * scale : rows.stop * scale, columns.start * scale : columns.stop * scale]
        assert np.abs(field.mean(axis=(0, 1)) - colour).max() <= 2


def test_the_file_holds_bt709_and_says_so(tmp_path: Path) -> None:
    frame, colours, middles = patches()
    film = stitch([[frame] * 3], tmp_path / "film.mp4", fps=12, size=(256, 128))
    with av.open(str(film.path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        assert (codec.name, codec.pix_fmt, stream.width, stream.height) == ("h264", "yuv420p", 256, 128)
        assert (codec.color_primaries, codec.color_trc, codec.colorspace, codec.color_range) == (1, 1, 1, 1)
        planes = next(container.decode(stream)).to_ndarray()
    # The container says the same as the stream: primaries, transfer and matrix 1, limited range.
    assert b"colrnclx" + struct.pack(">HHHB", 1, 1, 1, 0) in film.path.read_bytes()
    # Luma as ITU-R BT.709 defines it, not merely undone by the same wrong matrix on the way back.
    for (red, green, blue), (rows, columns) in zip(colours, middles, strict=True):
        luma = 16 + 219 / 255 * (0.2126 * red + 0.7152 * green + 0.0722 * blue)
        assert np.abs(planes[rows, columns] - luma).max() <= 1.5


def test_the_index_lies_before_the_pictures(tmp_path: Path) -> None:
    film = stitch([clip(0, 5)], tmp_path / "film.mp4", fps=12, size=SIZE)
    names = boxes(film.path)
    assert names[0] == "ftyp"
    assert names.index("moov") < names.index("mdat")


def test_a_take_loses_hardly_more_than_halved_chroma_does(tmp_path: Path) -> None:
    y, x = np.mgrid[:192, :320] / 32
    frames = []
    for k in range(9):
        waves = np.stack([np.sin(x * 3 + y + k / 5), np.sin(y * 4 - x), np.cos(x + y * 2 - k / 9)], 2)
        frames.append((127.5 + 120 * waves).astype(np.uint8))
    take = write_clip(frames, tmp_path / "take.mp4", 12)
    assert (take.size, take.frames, take.cuts) == ((320, 192), 9, (0,))

    def squared_error(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean((a.astype(float) - b) ** 2))

    pictures = [av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="yuv420p") for frame in frames]
    halved = [picture.to_ndarray(format="rgb24") for picture in pictures]
    floor = max(map(squared_error, frames, halved))
    loss = max(squared_error(a, b) for a, b in zip(frames, read_frames(take.path), strict=True))
    assert loss < floor + 2  # 2 squared levels are 45 dB


def peak_kilobytes(frames: int, path: Path) -> int:
    """Peak memory of a process that makes a film of so many frames out of two takes and stitches it."""
    code = """
import resource, sys
import numpy as np
from assemble import read_frames, stitch, write_clip
count, path = int(sys.argv[1]), sys.argv[2]
picture = np.arange(96 * 160 * 3, dtype=np.uint8).reshape(96, 160, 3)
take = write_clip((np.roll(picture, k, 1) for k in range(count)), path, 12)
stitch([read_frames(take.path), read_frames(take.path, 12)], path + ".film.mp4", fps=12, size=(320, 192))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    command = [sys.executable, "-c", code, str(frames), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    short, long = peak_kilobytes(60, tmp_path / "short.mp4"), peak_kilobytes(240, tmp_path / "long.mp4")
    # 360 more frames of the film are 66 MB as pictures.
    assert long - short < 16_000, (short, long)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: stitch([clip(0, 2)], p / "a.mp4", fps=12, size=(833, 480)), "Ask for 834 x 480"),
        (lambda p: stitch([clip(0, 2)], p / "a.mp4", fps=0, size=SIZE), "not a rate"),
        (lambda p: stitch([clip(0, 2)], p / "a.avi", fps=12, size=SIZE), "Name it a.mp4"),
        (lambda p: stitch([clip(0, 2)], p / "no" / "a.mp4", fps=12, size=SIZE), "mkdir -p"),
        (lambda p: stitch([], p / "a.mp4", fps=12, size=SIZE), "at least one clip"),
        (lambda p: stitch([clip(0, 2), []], p / "a.mp4", fps=12, size=SIZE), "clip 2"),
        (lambda p: stitch([[np.zeros((96, 128, 3))]], p / "a.mp4", fps=12, size=SIZE), "float64"),
        (lambda p: write_clip([], p / "a.mp4", 12), "without frames"),
    ],
)
def test_a_wrong_request_is_told_and_leaves_nothing(
    tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    with pytest.raises(AssembleError) as told:
        make(tmp_path)
    assert words in str(told.value)
    assert told.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_fails_leaves_the_older_film(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield from clip(0, 30)
        raise RuntimeError("the stage died")

    path = tmp_path / "film.mp4"
    path.write_bytes(b"the older film")
    with pytest.raises(RuntimeError, match="the stage died"):
        stitch([failing()], path, fps=12, size=SIZE)
    assert path.read_bytes() == b"the older film"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    # The size limit of a process stands in for a full disk: the same write fails at the same place.
    code = """
import resource, signal, sys
import numpy as np
from assemble import WriteError, stitch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
noise = np.random.default_rng(0).integers(0, 256, (30, 96, 128, 3), dtype=np.uint8)
try:
    stitch([noise], sys.argv[1], fps=12, size=(128, 96))
except WriteError as error:
    print(error.exit_code, error)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "film.mp4")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.startswith("1 ") and "could not be written" in run.stdout, run
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_called_one(tmp_path: Path) -> None:
    (tmp_path / f".film.mp4.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="the disk is full"):
        stitch([clip(0, 5)], tmp_path / "film.mp4", fps=12, size=SIZE)
    assert list(tmp_path.iterdir()) == []
