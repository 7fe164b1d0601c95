"""Stitching: clips of frames to one film, cut to cut, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

from assemble.errors import AssembleError
from assemble.media import Rate, rate, writer
from assemble.picture import Frame, fit

FILM_CRF = 17
TAKE_CRF = 8
"""x264 qualities: a film hard to tell from its frames; a take that loses no more than 4:2:0 does."""


@dataclass(frozen=True)
class Film:
    """A finished video file. `cuts` are the first frames of its clips, so `cuts[0]` is 0."""

    path: Path
    frames: int
    fps: Fraction
    size: tuple[int, int]
    cuts: tuple[int, ...]

    @property
    def seconds(self) -> float:
        return float(self.frames / self.fps)


def stitch(
    clips: Iterable[Iterable[Frame]],
    path: str | Path,
    *,
    fps: Rate,
    size: tuple[int, int],
    on_frame: Callable[[int], None] | None = None,
) -> Film:
    """One film of all clips, with hard cuts on exactly the frames given: H.264 in MP4, BT.709, ready to stream.

    clips: each an iterable of (height, width, 3) uint8 RGB frames of any size, taken one frame at a time.
    fps: the constant rate of the film. size: its even (width, height); frames are brought there by `fit`.
    on_frame: called with the number of frames done so far.

    Raises AssembleError for a wrong request and WriteError when the disk fails. Either way, and whatever a clip itself
    raises, no half film is left, and an older file of the name stays as it was.
    """
    return _record(clips, path, fps, size, FILM_CRF, on_frame)


def write_clip(frames: Iterable[Frame], path: str | Path, fps: Rate) -> Film:
    """One take as a file that plays everywhere, at the frames' own size and hardly compressed."""
    flow = iter(frames)
    first = next(flow, None)
    if first is None:
        raise AssembleError("a clip without frames cannot be written", where=str(path))
    size = first.shape[1], first.shape[0]
    return _record([chain([first], flow)], path, fps, size, TAKE_CRF, None)


def _record(
    clips: Iterable[Iterable[Frame]],
    path: str | Path,
    fps: Rate,
    size: tuple[int, int],
    crf: int,
    on_frame: Callable[[int], None] | None,
) -> Film:
    cuts: list[int] = []
    done = 0
    with writer(path, fps=fps, size=size, crf=crf) as write:
        for clip in clips:
            cuts.append(done)
            for frame in clip:
                write(fit(frame, size), done == cuts[-1])
                done += 1
                if on_frame:
                    on_frame(done)
            if done == cuts[-1]:
                raise AssembleError("it has no frames", where=f"clip {len(cuts)}", mend="Leave it out, or render it.")
        if not cuts:
            raise AssembleError("a film needs at least one clip", where=str(path))
    return Film(Path(path), done, rate(fps), size, tuple(cuts))
