"""Video files, frame by frame: out of any. What players do, and files leave unsaid, is decided here.

Colour: frames in memory are full-range RGB. swscale converts with BT.601 where nothing is said, so here all is said.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from assemble.errors import AssembleError
from assemble.picture import Frame
from assemble.rates import Mix, Pace, Rate, blends, on_clock, rate

# Full chroma and exact rounding: without them flat colours come back two levels off instead of one.
FULL_CHROMA = Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND
EXACT = Interpolation.BICUBIC | FULL_CHROMA
_MATRICES = {
    1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020, 10: Colorspace.BT2020,
}  # fmt: skip
"""swscale's names by the ISO/IEC 23091-2 codes that files say."""
_HDR = {16: "PQ", 18: "HLG"}  # transfers by the same codes: read as BT.709 such pictures are grey and dim
_TO_SDR = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"


@dataclass(frozen=True)
class Clip:
    """A video file, or the part of it from `start` to before `end`, in seconds from its first frame."""

    path: Path
    start: Rate = 0
    end: Rate | None = None

    @property
    def bounds(self) -> tuple[Fraction, Fraction | None]:
        """The two as fractions, to the microsecond."""
        start, end = (
            None if said is None else Fraction(said).limit_denominator(10**6) for said in (self.start, self.end)
        )
        return start or Fraction(0), end


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame as a file holds it, with the shape of its pixels, width to height."""

    frame: VideoFrame
    aspect: Fraction

    @property
    def size(self) -> tuple[int, int]:
        """Width and height with square pixels, before it is turned upright."""
        return round(self.frame.width * self.aspect), self.frame.height

    @property
    def turns(self) -> int:
        """By how many quarters to the left it stands upright."""
        return round(self.frame.rotation / 90) % 4


Timed = tuple[Picture, Fraction, Fraction]
"""A picture, when it appears and how long it stays, in seconds."""


@dataclass(frozen=True)
class Footage:
    """What a video file says of itself: (width, height) upright with square pixels, frames a second, seconds if known."""

    size: tuple[int, int]
    fps: Fraction
    seconds: float | None


def probe(path: str | Path) -> Footage:
    """Look at a video file. Raises AssembleError when it is missing, is no video or is broken from the start."""
    with _opened(Clip(Path(path))) as (stream, timed):
        container = cast(InputContainer, stream.container)
        first = next(timed, None)
        if first is None:
            raise AssembleError("there is no frame in this file", where=str(path), mend="Give a whole video file.")
        width, height = first[0].size[::-1] if first[0].turns % 2 else first[0].size
        length = stream.duration and stream.time_base and float(stream.duration * stream.time_base)
        if not length and container.duration:
            length = container.duration / av.time_base
        return Footage((width, height), rate(stream.average_rate or 24), length or None)


def lasting(path: str | Path) -> float | None:
    """For how many seconds a file has pictures, None if they have no times. All of it is read and nothing decoded: a file that
    was cut off says of itself what it lasted when it was whole. Raises AssembleError as `probe` does."""
    with _opened(Clip(Path(path))) as (stream, _):
        packets = cast(InputContainer, stream.container).demux(stream)
        times = [(each.pts, each.pts + (each.duration or 0)) for each in packets if each.pts is not None]
        if not times or stream.time_base is None:
            return None
        return float((max(end for _, end in times) - min(start for start, _ in times)) * stream.time_base)


def matrix(frame: VideoFrame) -> Colorspace | None:
    """The matrix that a frame's colours are coded with; None for RGB."""
    if frame.format.is_rgb:
        return None
    # As players do: unlabelled video of the size of a television picture is BT.601, larger is BT.709.
    guess = Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601
    return _MATRICES.get(frame.colorspace, guess)


def span(frame: VideoFrame) -> ColorRange:
    """The range of a frame's levels; what says nothing is limited, as players take it."""
    full = frame.format.is_rgb or frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
    return ColorRange.JPEG if full else ColorRange.MPEG


def read_frames(
    path: str | Path, fps: Rate | None = None, *, start: Rate = 0, end: Rate | None = None
) -> Iterator[Frame]:
    """The frames of a video, upright and with square pixels, one at a time: (height, width, 3) uint8 RGB.

    Without `fps`, each frame of the file comes once. With it they come on a steady clock of so many a second, frame k
    being what a screen shows in the middle of tick k: uneven recordings repeat or drop frames and keep their speed.
    start, end: take only this part, in seconds from the first frame. Interlaced frames come whole.

    Raises AssembleError when the file is missing, is no video or is broken; at the first frame, or where it breaks.
    """
    clip = Clip(Path(path), start, end)
    with _opened(clip) as (_, timed):
        pictures = _within(timed, clip) if fps is None else on_clock(timed, rate(fps), *clip.bounds)
        for picture in pictures:
            yield _rgb(picture)


def read_mixes(clip: Clip, pace: Pace) -> Iterator[Mix]:
    """The pictures of a clip on the clock of a film, as `Pace` says; uneven recordings as `read_frames` does."""
    with _opened(clip) as (stream, timed):
        usual = stream.average_rate or pace.want
        have = usual if usual == stream.base_rate and blends(usual, pace.want) else pace.want
        start, end = clip.bounds
        # One frame more, of which the last tick may show a part; `pace` keeps to the length.
        until = end and end + 1 / have
        yield from pace(on_clock(timed, have, start, until), have, end and end - start)


@contextmanager
def _opened(clip: Clip) -> Iterator[tuple[VideoStream, Iterator[Timed]]]:
    """The picture of a file, as a stream and as frames with their times; all that goes wrong with it is told in words."""
    path, reached = clip.path, [Fraction(0)]
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise AssembleError("there is no picture in this file", where=str(path), mend="Give a video file.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield stream, _timed(container, stream, clip, reached)
            if reached[0] < clip.start:
                what = f"it is only {float(reached[0]):.2f} s long, and is to begin at {float(clip.start):.2f} s"
                raise AssembleError(what, where=str(path), mend="Name an earlier in point.")
    except FileNotFoundError:
        raise AssembleError("there is no such file", where=str(path), mend="Check the path.") from None
    except (av.FFmpegError, OSError) as error:
        what, mend = str(error.strerror or error), "Play it in a player; if it stops, export it anew."
        if isinstance(error, av.error.InvalidDataError):
            what = "the file is broken or not a video"
            if reached[0]:
                what = f"the file is broken after {float(reached[0]):.2f} s"
                mend += " Or use what is whole, with an out point before that."
        raise AssembleError(what, where=str(path), mend=mend) from error


def _timed(container: InputContainer, stream: VideoStream, clip: Clip, reached: list[Fraction]) -> Iterator[Timed]:
    """Pictures with their times and durations, in seconds from the first one. `reached` follows where the file has got to."""
    usual = 1 / (stream.average_rate or Fraction(24))
    aspect = stream.sample_aspect_ratio or Fraction(1)
    origin = None if stream.start_time is None or stream.time_base is None else stream.start_time * stream.time_base
    if clip.start > 0 and origin is not None and stream.time_base is not None:
        container.seek(
            int((origin + Fraction(clip.start)) / stream.time_base), stream=stream
        )  # to the key frame before it
    after = origin or Fraction(0)
    for frame in _whole(_decoded(container, stream)):
        if frame.color_trc in _HDR:
            what = f"its picture is HDR ({_HDR[frame.color_trc]}), and films here are BT.709"
            name, made = (shlex.quote(each) for each in (clip.path.name, f"{clip.path.stem}-sdr.mp4"))
            mend = f"Bring it there first: ffmpeg -i {name} -vf {_TO_SDR} -crf 12 {made}"
            raise AssembleError(what, where=str(clip.path), mend=mend)
        base = frame.time_base or usual
        at = after if frame.pts is None else frame.pts * base
        duration = frame.duration * base if frame.duration else usual
        after = at + duration
        if origin is None:
            origin = at
        reached[0] = after - origin
        yield Picture(frame, aspect), at - origin, duration
        if (
            clip.end is not None and at - origin >= clip.end + usual
        ):  # what comes after is not wanted, and may be broken
            return


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in container.demux(stream):
        if packet.is_corrupt:  # The decoder would paint over the gap, and the clip would be short without a word.
            raise av.error.InvalidDataError(errno.EIO, "a packet is cut off")
        yield from packet.decode()


def _whole(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Frames as they come, but from the first interlaced one on through a deinterlacer, which keeps the rate."""
    graph: Graph | None = None
    for frame in frames:
        if graph is None and not frame.interlaced_frame:
            yield frame
            continue
        if graph is None:
            graph = Graph()
            base = frame.time_base or Fraction(1, 90000)
            shape = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base={base}"
            nodes = [
                graph.add("buffer", shape),
                graph.add("bwdif", "send_frame:auto:interlaced"),
                graph.add("buffersink"),
            ]
            graph.link_nodes(*nodes).configure()
        graph.vpush(frame)
        yield from _pulled(graph)
    if graph is not None:
        graph.vpush(None)
        yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[VideoFrame]:
    with suppress(BlockingIOError, EOFError):
        while True:
            yield graph.vpull()


def _within(timed: Iterable[Timed], clip: Clip) -> Iterator[Picture]:
    start, end = clip.bounds
    for picture, at, _ in timed:
        if at >= start and (end is None or at < end):
            yield picture


def _rgb(picture: Picture) -> Frame:
    rgb = picture.frame.to_ndarray(
        format="rgb24",
        width=picture.size[0],
        src_colorspace=matrix(picture.frame),
        src_color_range=span(picture.frame),
        dst_colorspace=Colorspace.ITU709,
        interpolation=EXACT,
    )
    return np.ascontiguousarray(np.rot90(rgb, picture.turns))
