"""Video files, frame by frame: out of any, into H.264 MP4. The one module through which PyAV is reached.

Colour: frames in memory are full-range RGB. The files that we write hold BT.709 in limited range at 4:2:0, and say so
both in the stream and in the container. swscale converts with BT.601 where nothing is said, so here all is said.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from av.video.stream import VideoStream

from assemble.errors import AssembleError, WriteError
from assemble.picture import Frame

Rate = int | float | Fraction
"""Frames a second."""

# Full chroma and exact rounding: without them flat colours come back two levels off instead of one.
_FULL_CHROMA = Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | _FULL_CHROMA
_BT709, _UNSAID = 1, 2  # matrices by their ISO/IEC 23091-2 codes


def rate(fps: Rate) -> Fraction:
    """Frames a second as a fraction that a file can hold, 23.976 as 24000/1001 and the like."""
    exact = Fraction(fps).limit_denominator(1001) if fps > 0 else Fraction(0)
    broadcast = Fraction(round(fps) * 1000, 1001)
    if exact.denominator > 1 and abs(broadcast - exact) < Fraction(1, 1000):
        exact = broadcast
    if not 0 < exact <= 1000:
        raise AssembleError(f"{fps} frames a second is not a rate of a film", mend="Ask for a rate of 1 to 1000.")
    return exact


def read_frames(path: str | Path, fps: Rate | None = None) -> Iterator[Frame]:
    """The frames of a video, upright and with square pixels, one at a time: (height, width, 3) uint8 RGB.

    Without `fps`, each frame of the file comes once. With it they come on a steady clock of so many a second, frame k
    being what a screen shows in the middle of tick k: uneven recordings repeat or drop frames and keep their speed.

    Raises AssembleError when the file is missing, is no video or is broken; at the first frame, or where it breaks.
    """
    path = Path(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise AssembleError("there is no picture in this file", where=str(path), mend="Give a video file.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            aspect = stream.sample_aspect_ratio or Fraction(1)
            frames = _decoded(container, stream)
            if fps is not None:
                frames = _on_clock(frames, rate(fps), stream.average_rate or rate(fps))
            for frame in frames:
                yield _rgb(frame, aspect)
    except FileNotFoundError:
        raise AssembleError("there is no such file", where=str(path), mend="Check the path.") from None
    except (av.FFmpegError, OSError) as error:
        broken = isinstance(error, av.error.InvalidDataError)
        what = "the file is broken or not a video" if broken else str(error.strerror or error)
        raise AssembleError(what, where=str(path), mend="Play it in a player; if it stops, export it anew.") from error


@contextmanager
def writer(path: str | Path, *, fps: Rate, size: tuple[int, int], crf: int) -> Iterator[Callable[[Frame, bool], None]]:
    """An MP4 in the making: `write(frame, cut)` adds one frame, as a key frame where `cut` is true.

    The file appears under its name when the block ends, whole and on the disk. If the block fails, nothing of it is
    left, and a file that had the name before is untouched.

    fps: the constant rate. size: even (width, height). crf: x264's quality, 0 (lossless) to 51; 17 is hard to tell from
    the original. Raises AssembleError for a wrong request, WriteError when the disk fails.
    """
    path, every = Path(path), rate(fps)
    _check(path, size)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _telling(path):
        # The index goes to the front, so that a browser can play the file while it loads.
        container = av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"})
    try:
        stream = container.add_stream("libx264", rate=every)
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium", "forced-idr": "1"}
        codec = stream.codec_context
        codec.time_base = 1 / every
        codec.colorspace, codec.color_range = _BT709, ColorRange.MPEG
        codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        count = 0

        def write(frame: Frame, cut: bool) -> None:
            nonlocal count
            picture = _yuv(frame, size)
            picture.pts, picture.time_base = count, 1 / every
            picture.pict_type = PictureType.I if cut else PictureType.NONE
            with _telling(path):
                container.mux(stream.encode(picture))
            count += 1

        yield write
        with _telling(path):
            container.mux(stream.encode(None))
            container.close()
            _sync(part)
            os.replace(part, path)
            _sync(path.parent)
    except BaseException:
        with suppress(Exception):  # The first error is the one to tell; closing only frees the file.
            container.close()
        part.unlink(missing_ok=True)
        raise


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in container.demux(stream):
        if packet.is_corrupt:  # The decoder would paint over the gap, and the clip would be short without a word.
            raise av.error.InvalidDataError(errno.EIO, "a packet is cut off")
        yield from packet.decode()


def _on_clock(frames: Iterable[VideoFrame], fps: Fraction, usual: Fraction) -> Iterator[VideoFrame]:
    """The frames as a screen of `fps` shows them. The last one stays 1/`usual` seconds where the file does not say."""
    start = end = Fraction(0)
    shown: VideoFrame | None = None
    tick = 0
    for frame in frames:
        base = frame.time_base or 1 / usual
        at = end if frame.pts is None else frame.pts * base
        if shown is None:
            start = at
        while shown is not None and (tick + Fraction(1, 2)) / fps < at - start:
            yield shown
            tick += 1
        shown, end = frame, at + (frame.duration * base if frame.duration else 1 / usual)
    while shown is not None and (tick == 0 or (tick + Fraction(1, 2)) / fps < end - start):
        yield shown
        tick += 1


def _rgb(frame: VideoFrame, aspect: Fraction) -> Frame:
    matrix = None if frame.format.is_rgb else frame.colorspace
    if matrix == _UNSAID:
        # As players do: unlabelled video of the size of a television picture is BT.601, larger is BT.709.
        matrix = Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601
    rgb = frame.to_ndarray(
        format="rgb24",
        width=round(frame.width * aspect),
        src_colorspace=matrix,
        dst_colorspace=Colorspace.ITU709,
        interpolation=_EXACT,
    )
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90)))


def _yuv(frame: Frame, size: tuple[int, int]) -> VideoFrame:
    if frame.dtype != np.uint8 or frame.shape != (size[1], size[0], 3):
        raise AssembleError(
            f"a frame is {frame.dtype} of shape {frame.shape}, where this file takes uint8 of {(size[1], size[0], 3)}",
            mend="Bring frames to the size of the file with assemble.fit.",
        )
    return VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, interpolation=_EXACT
    )


def _check(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width < 16 or height < 16 or width % 2 or height % 2:
        better = " x ".join(str(max(16, side + side % 2)) for side in size)
        raise AssembleError(
            f"H.264 cannot hold a picture of {width} x {height}: both sides must be even, and at least 16",
            where=str(path),
            mend=f"Ask for {better}.",
        )
    if path.suffix.lower() != ".mp4":
        raise AssembleError("the film is an MP4 file", where=str(path), mend=f"Name it {path.stem}.mp4.")
    if path.is_dir():
        raise AssembleError("this is a folder", where=str(path), mend="Name a file in it.")
    if not path.parent.is_dir():
        raise AssembleError("there is no such folder", where=str(path.parent), mend=f"mkdir -p {path.parent}")


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turns what the disk and the muxer say into words."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        number = error.errno or 0
        if number in (errno.ENOSPC, errno.EDQUOT):
            what, mend = "the disk is full", f"Free some space on the disk of {path.parent.absolute()}, then try again."
        else:
            what, mend = f"the file could not be written: {error.strerror or error}", "Check the folder and its disk."
        raise WriteError(what, where=str(path), mend=mend) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
