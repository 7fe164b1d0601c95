"""Stitching: clips to one film, frame by frame, with the cuts, dissolves and fades that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

from av.video.frame import VideoFrame

from assemble.conform import Conformer
from assemble.delivery import Codec, Delivery
from assemble.edit import Join, edited
from assemble.errors import AssembleError
from assemble.media import Clip, read_mixes
from assemble.picture import Frame
from assemble.rates import Mix, Pace, Rate, rate
from assemble.repeatable import zeroed_memory
from assemble.writing import writer

TAKE_CRF = 8
"""The x264 quality of a take, which loses no more than 4:2:0 does."""


@dataclass(frozen=True)
class Film:
    """A finished video file. `cuts` are the frames with which its clips begin, so `cuts[0]` is 0; `overlaps` says over how
    many frames from there on each dissolves from the clip before, 0 for a cut."""

    path: Path
    frames: int
    fps: Fraction
    size: tuple[int, int]
    cuts: tuple[int, ...]
    overlaps: tuple[int, ...] = ()

    @property
    def seconds(self) -> float:
        return float(self.frames / self.fps)


def stitch(
    clips: Iterable[Iterable[Frame] | Clip],
    path: str | Path,
    *,
    fps: Rate,
    size: tuple[int, int],
    on_frame: Callable[[int], None] | None = None,
    joins: Sequence[Join] = (),
    delivery: Delivery | None = None,
    mark: Callable[[VideoFrame], VideoFrame] | None = None,
) -> Film:
    """One film of all clips, exact to the frame: H.264 in MP4 where `delivery` says nothing else, BT.709, ready to stream.

    clips: each an iterable of (height, width, 3) uint8 RGB frames of any size, taken one frame at a time, or a `Clip` of a
    file, which keeps its own rate, depth and speed.
    fps: the constant rate of the frames, and of the film. size: its even (width, height); pictures are brought there as `fit`
    says. A delivery with a rate or a size of its own goes before them; `Pace` says how frames come to another rate.
    on_frame: called with the number of frames done so far.
    mark: what is done to every frame last, in the film's own size and format; it gives a frame of the same.
    joins: how each clip enters and leaves; cuts where there is none. A dissolve makes the film shorter by its length.

    Raises AssembleError for a wrong request and WriteError when the disk fails. Either way, and whatever a clip itself
    raises, no half film is left, and an older file of the name stays as it was.
    """
    delivery = delivery or Delivery()
    codec = delivery.of(Path(path))
    every = delivery.fps or rate(fps)
    return _record(clips, Path(path), rate(fps), every, delivery.size or size, joins, codec, codec.quality, on_frame, mark)


def write_clip(frames: Iterable[Frame], path: str | Path, fps: Rate) -> Film:
    """One take as a file that plays everywhere, at the frames' own size and hardly compressed."""
    flow = iter(frames)
    first = next(flow, None)
    if first is None:
        raise AssembleError("a clip without frames cannot be written", where=str(path))
    size, every = (first.shape[1], first.shape[0]), rate(fps)
    return _record(
        [chain([first], flow)], Path(path), every, every, size, (), Delivery().of(Path(path)), TAKE_CRF, None
    )


def _record(
    clips: Iterable[Iterable[Frame] | Clip],
    path: Path,
    have: Fraction,
    want: Fraction,
    size: tuple[int, int],
    joins: Sequence[Join],
    codec: Codec,
    quality: int | None,
    on_frame: Callable[[int], None] | None,
    mark: Callable[[VideoFrame], VideoFrame] | None = None,
) -> Film:
    cuts: list[int] = []
    overlaps: list[int] = []
    done = 0
    conformed = Conformer(size, codec.pixels)
    with zeroed_memory(), writer(path, fps=want, size=size, codec=codec, quality=quality) as write:
        for step in edited(_paced(clips, have, want), joins, want):
            if step.clip is not None:
                cuts.append(done)
                overlaps.append(step.overlap)
            frame = conformed(step.mix)
            write(mark(frame) if mark else frame, step.clip is not None)
            done += 1
            if on_frame:
                on_frame(done)
        if not cuts:
            raise AssembleError("a film needs at least one clip", where=str(path))
    return Film(path, done, want, size, tuple(cuts), tuple(overlaps))


def _paced(clips: Iterable[Iterable[Frame] | Clip], have: Fraction, want: Fraction) -> Iterator[Iterator[Mix]]:
    """Every clip on the clock of the film."""
    pace = Pace(want)
    for clip in clips:
        yield read_mixes(clip, pace) if isinstance(clip, Clip) else pace(clip, have)
