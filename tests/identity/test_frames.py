"""Sources become frames: pictures and videos of every awkward kind, and clear messages for what is neither."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from identity import IdentityError
from identity.frames import LONGEST, Frame, read_frames
from identity.videos import VIDEO_FRAMES


def picture(width: int = 40, height: int = 24) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (250, 20, 20)
    return Image.fromarray(pixels)


def video(path: Path, count: int, *, rotation: int = 0, rate: int = 12, gap: int = 1) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, rate)
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(count):
            pixels = np.full((48, 64, 3), 40, np.uint8)
            pixels[:24, :32] = (250, 20, 20)
            pixels[:, 60:] = number * 2 % 256
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number * gap if number < count // 2 else number * gap + rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def one(path: Path) -> Frame:
    frames = list(read_frames(path))
    assert len(frames) == 1
    assert frames[0].pixels.dtype == np.uint8
    assert frames[0].pixels.shape[2] == 3
    return frames[0]


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "tiff", "gif"])
def test_reads_every_common_kind(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    picture().save(path)
    frame = one(path)
    assert frame.pixels.shape == (24, 40, 3)
    assert np.abs(frame.pixels[5, 5].astype(int) - (250, 20, 20)).max() < 40
    assert (frame.source, frame.label, frame.index) == (str(path), str(path), None)


@pytest.mark.parametrize(
    ("mode", "expected"), [("RGBA", (255, 255, 255)), ("LA", (255, 255, 255)), ("L", (90, 90, 90))]
)
def test_grey_and_see_through_pictures(tmp_path: Path, mode: str, expected: tuple[int, int, int]) -> None:
    value = {"RGBA": (10, 20, 30, 0), "LA": (10, 0), "L": 90}[mode]
    Image.new(mode, (20, 20), value).save(tmp_path / "a.png")
    assert tuple(one(tmp_path / "a.png").pixels[3, 3]) == expected


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 20), 32768, np.uint16)).save(tmp_path / "a.png")
    assert tuple(one(tmp_path / "a.png").pixels[0, 0]) == (128, 128, 128)


def test_cmyk(tmp_path: Path) -> None:
    picture().convert("CMYK").save(tmp_path / "a.jpg")
    assert one(tmp_path / "a.jpg").pixels[5, 5, 0] > 200


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # the camera lay on its side: turn clockwise to show
    picture().save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = one(tmp_path / "a.jpg").pixels
    assert pixels.shape == (40, 24, 3)
    assert pixels[5, 20, 0] > 200
    assert pixels[5, 5, 0] < 100


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    picture(4000, 1000).save(tmp_path / "a.jpg")
    assert one(tmp_path / "a.jpg").pixels.shape == (LONGEST // 4, LONGEST, 3)


def test_decompression_bomb(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    packed = b"IDAT" + zlib.compress(b"\0" * 1000)
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, packed, b"IEND")]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(IdentityError, match="too large") as caught:
        one(tmp_path / "a.png")
    assert caught.value.mend


def test_corrupt_cut_and_empty_pictures_name_the_file(tmp_path: Path) -> None:
    picture(300, 300).save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    for name, broken in (
        ("cut.png", data[: len(data) // 2]),
        ("noise.jpg", b"\xff\xd8not a picture"),
        ("none.png", b""),
    ):
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(IdentityError) as caught:
            one(tmp_path / name)
        assert name in str(caught.value)
        assert caught.value.mend


def test_neither_picture_nor_video(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(IdentityError, match="neither a picture nor a video"):
        one(tmp_path / "notes.txt")
    with pytest.raises(IdentityError, match="no such file"):
        one(tmp_path / "absent.png")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(min_size=1, max_size=200),
    st.sampled_from([".png", ".jpg", ".mp4", ".mkv", ".gif", ".xyz"]),
    st.booleans(),
)
def test_random_bytes_never_raise_anything_else(tmp_path: Path, noise: bytes, suffix: str, headed: bool) -> None:
    head = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff\xe0", ".mp4": b"\0\0\0\x18ftypmp42", ".gif": b"GIF89a"}
    path = tmp_path / f"noise{suffix}"
    path.write_bytes((head.get(suffix, b"") if headed else b"") + noise)
    try:
        list(read_frames(path))
        said = path.name
    except IdentityError as error:
        said = str(error)
    assert path.name in said


def test_folder_is_read_in_order_and_passes_over_other_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("b.png", "a.jpg", "inner/c.png", ".hidden.png"):
        picture().save(tmp_path / name)
    (tmp_path / "readme.md").write_text("hello")
    assert [Path(frame.source).name for frame in read_frames(tmp_path)] == ["a.jpg", "b.png", "c.png"]


def test_empty_folder_and_link_outside(tmp_path: Path) -> None:
    inner = tmp_path / "refs"
    inner.mkdir()
    with pytest.raises(IdentityError, match="no pictures or videos"):
        list(read_frames(inner))
    picture().save(tmp_path / "other.png")
    (inner / "link.png").symlink_to(tmp_path / "other.png")
    with pytest.raises(IdentityError, match="outside"):
        list(read_frames(inner))


def test_video_frames_have_places_and_moments(tmp_path: Path) -> None:
    frames = list(read_frames(video(tmp_path / "a.mp4", 24)))
    assert [frame.index for frame in frames] == list(range(24))
    assert frames[3].seconds == pytest.approx(0.25)
    assert frames[3].label.endswith("a.mp4 at 0.25 s")
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels[5, 5, 0] > 200


def test_long_videos_are_sampled_evenly_in_time(tmp_path: Path) -> None:
    frames = list(read_frames(video(tmp_path / "a.mp4", 3 * VIDEO_FRAMES)))
    assert 0.9 * VIDEO_FRAMES <= len(frames) <= VIDEO_FRAMES
    moments = np.array([frame.seconds for frame in frames])
    steps = np.diff(moments)
    assert np.sort(steps)[:-1].max() < 2.1 * np.median(steps)  # all but the one hole of a second in the file
    assert moments[-1] > 0.98 * 3 * VIDEO_FRAMES / 12


@pytest.mark.parametrize(("rotation", "corner"), [(90, "bottom left"), (-90, "top right"), (180, "bottom right")])
def test_video_rotation_is_applied(tmp_path: Path, rotation: int, corner: str) -> None:
    pixels = next(iter(read_frames(video(tmp_path / "a.mp4", 3, rotation=rotation)))).pixels
    assert pixels.shape == ((48, 64, 3) if rotation == 180 else (64, 48, 3))
    height, width = pixels.shape[:2]
    y = 5 if "top" in corner else height - 6
    x = 10 if "left" in corner else width - 11
    assert pixels[y, x, 0] > 200


def test_broken_videos_name_the_file(tmp_path: Path) -> None:
    data = video(tmp_path / "whole.mp4", 48).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(IdentityError, match=r"cut\.mp4: the video is corrupt"):
        list(read_frames(tmp_path / "cut.mp4"))
    with av.open(str(tmp_path / "sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(IdentityError, match="no picture"):
        list(read_frames(tmp_path / "sound.mkv"))
