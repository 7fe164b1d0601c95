"""Clips as other programs and cameras make them, conformed to one film; and the forms that films are delivered in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from assemble import AssembleError, Clip, Delivery, Film, Join, probe, read_frames, stitch

COLOUR = (30, 180, 60)
LABELS = {Colorspace.ITU601: 6, Colorspace.ITU709: 1}


def flat(width: int = 96, height: int = 64, colour: tuple[int, int, int] = COLOUR) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def record(
    path: Path,
    frames: list[np.ndarray],
    *,
    codec: str = "ffv1",
    pixels: str = "yuv420p",
    fps: int = 12,
    matrix: Colorspace = Colorspace.ITU709,
    span: ColorRange = ColorRange.MPEG,
    aspect: Fraction = Fraction(1),
    turn: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """A video in any form, labelled as what it is."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        context = stream.codec_context
        context.sample_aspect_ratio = aspect
        if pixels.startswith("yuv"):
            context.colorspace, context.color_range = LABELS[matrix], span
        if turn:
            stream.set_display_rotation(turn)
        for frame in frames:
            rgb = av.VideoFrame.from_ndarray(frame, "rgb24")
            container.mux(stream.encode(rgb.reformat(format=pixels, dst_colorspace=matrix, dst_color_range=span)))
        container.mux(stream.encode(None))
    return path


def stitched(source: Path, size: tuple[int, int] = (192, 128), **given: object) -> tuple[Film, list[np.ndarray]]:
    film = stitch([Clip(source)], source.with_name("film.mp4"), fps=12, size=size, **given)  # type: ignore[arg-type]
    return film, list(read_frames(film.path))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"matrix": Colorspace.ITU601},
        {"span": ColorRange.JPEG},
        {"pixels": "yuv444p"},
        {"pixels": "yuv422p10le"},
        {"pixels": "yuv444p10le", "matrix": Colorspace.ITU601},
        {"pixels": "yuv420p10le", "span": ColorRange.JPEG},
        {"codec": "png", "pixels": "rgb24"},
        {"codec": "utvideo", "pixels": "gbrp"},
    ],
    ids=lambda form: "-".join(str(part) for part in form.values()) or "plain",
)
def test_colours_keep_their_values_whatever_coded_them(tmp_path: Path, form: dict[str, object]) -> None:
    source = record(
        tmp_path / "source.mkv" if "codec" not in form else tmp_path / "source.avi",
        [flat()] * 3,
        **{"codec": "libx264", **form},
    )  # type: ignore[arg-type]
    for frame in (stitched(source)[1][1], next(read_frames(source))):
        assert np.abs(frame.astype(int).mean((0, 1)) - COLOUR).max() <= 2.5, form


@pytest.mark.parametrize(
    ("shape", "size", "bars"),
    [
        ((96, 64), (192, 128), None),
        ((832, 480), (640, 360), None),  # 2.5 % too high: cropped
        ((480, 832), (640, 360), (slice(None), slice(216, 424))),
        ((97, 65), (192, 128), None),
        ((352, 288), (640, 360), (slice(None), slice(100, 540))),
        ((400, 100), (192, 128), (slice(40, 88), slice(None))),
    ],
)
def test_no_shape_is_squeezed(
    tmp_path: Path, shape: tuple[int, int], size: tuple[int, int], bars: tuple[slice, slice] | None
) -> None:
    width, height = shape
    y, x = np.mgrid[:height, :width]
    disc = ((x - width / 2 + 0.5) ** 2 + (y - height / 2 + 0.5) ** 2 < (min(shape) * 0.4) ** 2)[..., None]
    picture = np.where(disc, np.uint8(235), np.uint8(90)).repeat(3, 2)
    source = record(tmp_path / "source.mkv", [picture] * 2, pixels="yuv444p")
    for clip in (Clip(source), [picture] * 2):
        film = stitch([clip], tmp_path / "film.mp4", fps=12, size=size)
        frame = next(read_frames(film.path))[..., 0].astype(int)
        assert frame.shape == (size[1], size[0])
        ball = frame > 160
        high, wide = ball.any(1).sum(), ball.any(0).sum()
        assert abs(high - wide) <= 3, "the disc is no disc"
        inner = frame[bars] if bars else frame
        assert inner.min() > 40  # but for the ringing of the filter
        if bars:
            outside = np.ones(frame.shape, bool)
            outside[bars] = False
            assert frame[outside].mean() < 6  # black, but for ringing


@pytest.mark.parametrize(("turn", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))])
def test_a_turned_clip_comes_upright(tmp_path: Path, turn: int, corner: tuple[int, int]) -> None:
    picture = flat(96, 64, (40, 40, 40))
    picture[:32, :48] = 220
    source = record(tmp_path / "turned.mp4", [picture] * 2, codec="libx264", turn=turn)
    upright = (96, 64) if turn == 180 else (64, 96)
    assert probe(source).size == upright
    _, frames = stitched(source, size=upright)
    corners = {(row, column): int(frames[0][row, column, 0]) for row in (0, -1) for column in (0, -1)}
    assert max(corners, key=lambda where: corners[where]) == corner


def test_stretched_pixels_become_square(tmp_path: Path) -> None:
    source = record(tmp_path / "dv.mp4", [flat(90, 64)] * 2, codec="libx264", aspect=Fraction(16, 15))
    assert probe(source).size == (96, 64)
    _, frames = stitched(source)
    assert np.abs(frames[0].astype(int) - COLOUR).max() <= 4  # no bars


def test_interlaced_pictures_come_whole(tmp_path: Path) -> None:
    """Two fields of different moments: rows of bright and dark, which no frame may show as a comb."""
    fields = []
    for k in range(8):
        picture = flat(192, 128, (40, 40, 40))
        for row in range(128):
            at = 20 + 16 * k + 8 * (row % 2)
            picture[row, at : at + 24] = 220
        fields.append(picture)
    options = {"flags": "+ildct+ilme", "x264-params": "tff=1"}
    source = record(tmp_path / "tape.mp4", fields, codec="libx264", fps=25, options=options)
    with av.open(str(source)) as container:
        assert next(container.decode(video=0)).interlaced_frame

    def comb(frame: np.ndarray) -> float:
        level = frame[:, :, 0].astype(int)
        return float(np.abs(2 * level[1:-1] - level[:-2] - level[2:]).mean())

    frames = list(read_frames(source))
    assert len(frames) == 8
    assert max(map(comb, frames)) < comb(fields[0]) / 3


def test_a_10_bit_clip_keeps_its_depth_in_prores(tmp_path: Path) -> None:
    """A ramp finer than 8 bits: in ProRes it has more levels than 8 bits could hold."""
    source = tmp_path / "ramp.mkv"
    ramp = np.tile(np.linspace(400, 464, 256).astype(np.uint16), (64, 1))
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=12)
        stream.width, stream.height, stream.pix_fmt = 256, 64, "gray10le"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(ramp, "gray10le")))
        container.mux(stream.encode(None))
    film = stitch([Clip(source)], tmp_path / "film.mov", fps=12, size=(256, 64))
    with av.open(str(film.path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.profile, codec.pix_fmt) == ("prores", "HQ", "yuv422p10le")
        assert (codec.colorspace, codec.color_range, codec.color_primaries) == (1, 1, 1)
        levels = next(container.decode(video=0)).to_ndarray(format="gray10le")
    assert len(np.unique(levels[32])) > 40  # 16 in 8 bits


def test_uneven_clips_keep_their_speed(tmp_path: Path) -> None:
    source = tmp_path / "uneven.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for level, time in zip([20, 60, 100, 140, 180, 220], [0, 40, 400, 420, 440, 900], strict=True):
            picture = av.VideoFrame.from_ndarray(flat(colour=(level,) * 3), "rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    film = stitch([Clip(source, end=0.9)], tmp_path / "film.mp4", fps=10, size=(96, 64))
    levels = [round(int(frame[32, 48, 0]), -1) for frame in read_frames(film.path)]
    assert levels == [60, 60, 60, 60, 180, 180, 180, 180, 180]


@pytest.mark.parametrize(("said", "name", "codec", "pixels"), [
    ("1280x720@24", "film.mp4", "h264", "yuv420p"), ("720p24", "film.mov", "prores", "yuv422p10le"),
])  # fmt: skip
def test_a_delivery_has_its_size_rate_and_codec(tmp_path: Path, said: str, name: str, codec: str, pixels: str) -> None:
    clips = [[flat(208, 120)] * 4, [flat(208, 120, (200, 40, 40))] * 5]
    joins = [Join(), Join(dissolve=1 / 6)]
    film = stitch(clips, tmp_path / name, fps=12, size=(208, 120), joins=joins, delivery=Delivery.parse(said))
    assert (film.frames, film.cuts, film.overlaps, film.size) == (14, (0, 4), (0, 4), (1280, 720))
    with av.open(str(film.path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, stream.average_rate) == (codec, pixels, 24)
        assert len(list(container.decode(stream))) == 14


def test_h265_is_tagged_as_players_want_it(tmp_path: Path) -> None:
    film = stitch([[flat()] * 3], tmp_path / "film.mp4", fps=12, size=(192, 128), delivery=Delivery(codec="h265"))
    with av.open(str(film.path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.codec_tag) == ("hevc", "yuv420p10le", "hvc1")


def test_deliveries_are_read_as_they_are_said() -> None:
    assert Delivery.parse("1080p24") == Delivery((1920, 1080), Fraction(24))
    assert Delivery.parse("1080p23.976", "h265", tall=True) == Delivery((1080, 1920), Fraction(24000, 1001), "h265")
    assert Delivery.parse("4K25") == Delivery((3840, 2160), Fraction(25))
    assert Delivery.parse("640x360") == Delivery((640, 360))
    for wrong in ("1080", "1081p", "best", "1x1@24", "641x360", "1080p0"):
        with pytest.raises(AssembleError):
            Delivery.parse(wrong)
    for codec, name in (("prores", "film.mp4"), ("h264", "film.avi"), ("dnxhd", "film.mov")):
        with pytest.raises(AssembleError):
            Delivery.parse("1080p24", codec).of(Path(name))


def test_what_is_broken_is_told_with_its_place_and_can_be_cut_off(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 64, 96, 3), dtype=np.uint8)
    source = stitch([noise], tmp_path / "source.mp4", fps=12, size=(96, 64)).path
    whole = source.read_bytes()
    source.write_bytes(whole[:-300])  # the end of the last frame is gone
    with pytest.raises(AssembleError, match=r"broken after 1\.\d\d s") as told:
        stitch([Clip(source)], tmp_path / "film.mp4", fps=12, size=(96, 64))
    assert "out point" in told.value.mend and told.value.where == str(source)
    assert [path.name for path in tmp_path.iterdir()] == ["source.mp4"]
    assert stitch([Clip(source, end=1)], tmp_path / "film.mp4", fps=12, size=(96, 64)).frames == 12
    source.write_bytes(whole)
    with pytest.raises(AssembleError, match=r"only 2\.00 s long"):
        stitch([Clip(source, start=7)], tmp_path / "film.mp4", fps=12, size=(96, 64))


@pytest.mark.parametrize(("code", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_told_with_the_command_that_mends_it(tmp_path: Path, code: int, name: str) -> None:
    with av.open(str(tmp_path / "hdr.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        stream.codec_context.color_trc = code
        file.mux([*stream.encode(av.VideoFrame(64, 48, "yuv420p10le")), *stream.encode(None)])
    with pytest.raises(AssembleError, match=rf"HDR \({name}\)") as told:
        probe(tmp_path / "hdr.mp4")
    assert "tonemap" in told.value.mend
