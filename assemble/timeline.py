"""The film as an edit: which frames of which file play when.

Any rate will do here; an EDL and Final Cut count in television's rates only: see `conformed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from assemble.errors import AssembleError

NTSC = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 60))
EDL_RATES = (*map(Fraction, (24, 25, 30, 48, 50, 60)), *NTSC)
FINAL_CUT_RATES = tuple(rate for rate in EDL_RATES if rate != 48)


@dataclass(frozen=True)
class Marker:
    """A note at a frame, counted from the first frame that the film shows of the clip."""

    frame: int
    text: str
    colour: Literal["RED", "YELLOW", "GREEN"] = "RED"


@dataclass(frozen=True)
class TimelineClip:
    """A stretch of a file, in frames at the rate of the film; `source` is None for a shot that is not there yet.

    start: the first frame of the file that plays. available: how many frames the file has, None when that is not known.
    dissolve: over how many of its first frames the clip before it, running on behind its own end, gives way to this one.
    """

    name: str
    frames: int
    source: Path | None = None
    start: int = 0
    available: int | None = None
    dissolve: int = 0
    markers: tuple[Marker, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """Clips one after another at one rate, and `sounds`, files that lie under them from the first frame to the last.

    Raises AssembleError for an edit that cannot be played.
    """

    name: str
    fps: Fraction
    size: tuple[int, int]  # width, height in pixels
    clips: tuple[TimelineClip, ...]
    sounds: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.clips or self.fps <= 0:
            raise AssembleError("an edit needs at least one clip, and a rate", where=self.name)
        befores, afters = (None, *self.clips[:-1]), (*self.clips[1:], None)
        for before, clip, after in zip(befores, self.clips, afters, strict=True):
            if clip.frames < 1 or clip.start < 0 or clip.dissolve < 0:
                what = f"{clip.frames} frames from {clip.start} on is no stretch of a file"
                raise AssembleError(what, where=clip.name)
            if clip.dissolve > (min(clip.frames, before.frames) if before else 0):
                raise AssembleError("its dissolve is longer than the clips that it joins", where=clip.name)
            used = clip.start + clip.frames + (after.dissolve if after else 0)
            if clip.source and clip.available is not None and used > clip.available:
                raise AssembleError(f"{used} frames are asked for, the file has {clip.available}", where=clip.name)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The first frame of each clip in the film, and last the film's length."""
        at = [0]
        for clip in self.clips:
            at.append(at[-1] + clip.frames)
        return tuple(at)


def conformed(timeline: Timeline, rates: tuple[Fraction, ...]) -> tuple[Timeline, bool]:
    """The same edit at a rate that is allowed, and whether every cut is where it was.

    A rate that is not allowed becomes the lowest one that it divides, so that cuts stay exact: 12 becomes 24, 16 becomes 48.
    Where there is none, cuts go to the nearest frame of 24, never more than half a frame away, and do not add up.
    """
    fps = timeline.fps
    rate = fps if fps in rates else next((r for r in rates if (r / fps).denominator == 1), Fraction(24))
    factor = rate / fps

    def at(frame: int) -> int:
        return int(frame * factor + Fraction(1, 2))

    cuts = [at(cut) for cut in timeline.cuts]
    if any(start == end for start, end in pairwise(cuts)):
        raise AssembleError(f"at {float(rate):g} frames a second a clip has no frame left", where=timeline.name)
    lengths = [end - start for start, end in pairwise(cuts)]
    # No rounding makes a dissolve longer than what it joins, or asks a file for more frames than it has.
    dissolves = [min(at(clip.dissolve), *lengths[max(0, n - 1) : n + 1]) for n, clip in enumerate(timeline.clips)]
    clips = []
    for clip, frames, dissolve, after in zip(timeline.clips, lengths, dissolves, [*dissolves[1:], 0], strict=True):
        start = at(clip.start)
        available = None if clip.available is None else max(at(clip.available), start + frames + after)
        markers = tuple(replace(marker, frame=at(marker.frame)) for marker in clip.markers)
        clips.append(TimelineClip(clip.name, frames, clip.source, start, available, dissolve, markers, clip.facts))
    return replace(timeline, fps=rate, clips=tuple(clips)), factor.denominator == 1
