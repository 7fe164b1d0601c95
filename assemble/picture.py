"""Single pictures: one brought to another size, many laid out on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from assemble.errors import AssembleError

Frame = npt.NDArray[np.uint8]
"""(height, width, 3) uint8 RGB."""

CROP_LIMIT = 1.10
"""Aspects nearer than this are made equal by cropping the edges; farther ones get bars. A tenth of a picture is about
what a composition can lose at its edges: 832x480 to 16:9 loses 2.5 %."""


def fit(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame at `size` (width, height), with Lanczos filtering. Its proportions never change: the edges are cropped
    evenly where the aspects differ by under 10 %, and black bars fill the rest where they differ by more."""
    height, width = frame.shape[:2]
    if (width, height) == size:
        return frame
    aspect = (width * size[1]) / (height * size[0])
    if max(aspect, 1 / aspect) < CROP_LIMIT:
        inner = size
    else:
        scale = min(size[0] / width, size[1] / height)
        inner = _even(width * scale), _even(height * scale)
    # What `inner` shows of the frame: all but the sliver that would change the proportions.
    pixel = min(width / inner[0], height / inner[1])
    left, top = (width - inner[0] * pixel) / 2, (height - inner[1] * pixel) / 2
    box = (max(left, 0.0), max(top, 0.0), min(width - left, float(width)), min(height - top, float(height)))
    picture = np.asarray(Image.fromarray(frame).resize(inner, Image.Resampling.LANCZOS, box=box))
    if inner == size:
        return picture
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    x, y = (size[0] - inner[0]) // 4 * 2, (size[1] - inner[1]) // 4 * 2
    canvas[y : y + inner[1], x : x + inner[0]] = picture
    return canvas


def framed(width: int, height: int, size: tuple[int, int]) -> tuple[int, int]:
    """The even (width, height) that a picture is scaled to before its edges are cropped, or bars are put around it, so that
    it fills `size` as `fit` says."""
    aspect = (width * size[1]) / (height * size[0])
    scales = size[0] / width, size[1] / height
    scale = max(scales) if max(aspect, 1 / aspect) < CROP_LIMIT else min(scales)
    return _even(width * scale), _even(height * scale)


def sheet(frames: Sequence[Frame], columns: int, *, width: int = 208, gap: int = 4) -> Frame:
    """A contact sheet: the frames in reading order, `columns` in a row, each `width` pixels wide and as high as the
    first one's aspect asks, on dark grey with `gap` pixels between and around."""
    if not frames or columns < 1:
        raise AssembleError("a contact sheet needs at least one frame and one column")
    high, wide = frames[0].shape[:2]
    cell = width, max(1, round(width * high / wide))
    rows = -(-len(frames) // columns)
    canvas = np.full((rows * (cell[1] + gap) + gap, columns * (cell[0] + gap) + gap, 3), 32, np.uint8)
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        y, x = gap + row * (cell[1] + gap), gap + column * (cell[0] + gap)
        canvas[y : y + cell[1], x : x + cell[0]] = fit(frame, cell)
    return canvas


def _even(length: float) -> int:
    """The nearest even length: chroma covers two pixels, so a bar's edge between them would tint the picture."""
    return max(2, 2 * round(length / 2))
