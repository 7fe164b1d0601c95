"""The shots of a finished film: where it cuts, and where a cut is none because somebody was only swapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from identity import Encoders
    from identity.videos import Survey

STILL = 6.0
"""Levels (of 255) by which what is around the figures differs at most, on average, when the camera did not cut: a step of a
moving camera and compression stay below, another view of the same place does not."""
AROUND = 0.2
"""Share of the picture that must be free of figures to tell."""

Span = tuple[int, int]  # first frame, one past the last


def known_spans(found: Survey, lengths: Sequence[float | None]) -> list[Span] | None:
    """Shots of known seconds, if these add up to the film's length, give or take a frame each."""
    if not lengths or not all(lengths):
        return None
    total = len(found.moments)
    rate = total / found.seconds
    ends = np.cumsum([max(1, round((seconds or 0) * rate)) for seconds in lengths]).tolist()
    if abs(ends[-1] - total) > len(lengths) or total <= ([0, *ends][-2]):
        return None
    ends[-1] = total
    return list(zip([0, *ends[:-1]], ends, strict=True))


def joined_spans(film: Path, spans: Sequence[Span], encoders: Encoders) -> list[Span]:
    """The shots without cuts at which the camera stays and others stand where somebody stood: the picture jumps there too,
    but it is a swap, and nobody would find it in a shot of its own."""
    cuts = {first for first, _ in spans[1:]}
    if not cuts:
        return list(spans)
    before: Any = None
    for number, frame in enumerate(frames_of(film)):
        if number in cuts and _only_swapped(before, frame, encoders):
            cuts.remove(number)
        before = frame
    ends = [*sorted(cuts), spans[-1][1]]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def frames_of(film: Path, start: Any = 0, end: Any = None) -> Iterator[Any]:
    """The frames (H, W, 3) uint8 RGB of a film, or of its part from `start` to before `end` in seconds, no larger than the
    encoders can use."""
    import cv2

    from assemble import read_frames
    from identity.frames import LONGEST

    for frame in read_frames(film, start=start, end=end):
        share = LONGEST / max(frame.shape[:2])
        yield frame if share >= 1 else cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def _only_swapped(before: Any, after: Any, encoders: Encoders) -> bool:
    from identity.boxes import grown, iou
    from identity.tracks import OVERLAP

    if before.shape != after.shape:
        return False
    figures = [np.array([figure.box for figure in found]) for found in encoders.observe_many([before, after])]
    if not all(len(boxes) for boxes in figures) or iou(*figures).max() < OVERLAP:
        return False
    free = np.ones(before.shape[:2], bool)
    for box in np.concatenate(figures):
        x0, y0, x1, y1 = (int(value) for value in grown(box, 0.1, free.shape))
        free[y0 : y1 + 1, x0 : x1 + 1] = False
    if free.mean() < AROUND:
        return False
    return float(np.abs(before[free].astype(np.int16) - after[free]).mean()) < STILL
