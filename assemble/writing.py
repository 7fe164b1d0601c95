"""Video files in the making: frames of one size into H.264, H.265 or ProRes, in MP4 or QuickTime.

The files hold BT.709 in limited range, and say so both in the stream and in the container.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from av.video.stream import VideoStream

from assemble.delivery import Codec
from assemble.errors import AssembleError, WriteError

_BT709 = 1  # a matrix by its ISO/IEC 23091-2 code


@contextmanager
def writer(
    path: Path, *, fps: Fraction, size: tuple[int, int], codec: Codec, quality: int | None
) -> Iterator[Callable[[VideoFrame, bool], None]]:
    """A film in the making: `write(frame, cut)` adds one frame, as a key frame where `cut` is true.

    The file appears under its name when the block ends, whole and on the disk. If the block fails, nothing of it is
    left, and a file that had the name before is untouched.

    fps: the constant rate. size: even (width, height), which the frames have, in the codec's pixel format. quality: the
    encoder's crf, 0 (lossless) to 51. Raises AssembleError for a wrong request, WriteError when the disk fails.
    """
    _check(path, size)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _telling(path):
        kind = "mov" if path.suffix.lower() == ".mov" else "mp4"
        # The index goes to the front, so that a browser can play the file while it loads.
        container = av.open(str(part), "w", format=kind, options={"movflags": "+faststart"})
    try:
        stream = cast(VideoStream, container.add_stream(codec.encoder, rate=fps))
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], codec.pixels
        stream.options = {**codec.options, **({} if quality is None else {"crf": str(quality)})}
        context = stream.codec_context
        context.time_base = 1 / fps
        context.colorspace, context.color_range = _BT709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        if quality == codec.quality:  # films encode whole frames side by side; takes are short, and split theirs
            context.thread_type = "AUTO"
        if codec.tag:
            context.codec_tag = codec.tag
        count = 0

        def write(frame: VideoFrame, cut: bool) -> None:
            nonlocal count
            frame.pts, frame.time_base = count, 1 / fps
            frame.pict_type = PictureType.I if cut else PictureType.NONE
            with _telling(path):
                container.mux(stream.encode(frame))
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


def _check(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width < 16 or height < 16 or width % 2 or height % 2:
        better = " x ".join(str(max(16, side + side % 2)) for side in size)
        raise AssembleError(
            f"a film cannot hold a picture of {width} x {height}: both sides must be even, and at least 16",
            where=str(path),
            mend=f"Ask for {better}.",
        )
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
        raise WriteError.of(error, "the file", path) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
