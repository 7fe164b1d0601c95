"""A figure cut out of its picture and laid on white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]

MARGIN = 0.1
"""A kept picture is the figure's box grown by this share of its longer side, as far as the frame went."""
_WORKED = 320  # longer side at which the cut is made, pixels: its edge is smooth, its time short
_ROUNDS = 5
_LEAST, _MOST = 0.25, 0.97  # of the box: what a figure fills
_TALL, _WIDE = 0.85, 0.7  # of the box's height and width: what it reaches over at least, since boxes are tight
_RIM = 4  # pixels of white around it


def figure_in(shape: tuple[int, ...], box: Box) -> Box:
    """Where a figure whose box in its frame was `box` lies in its kept picture of this shape (H, W, ...), in pixels.

    How far the frame went to the right and down is not known, so the scale is taken from the side that shows more.
    """
    height, width = shape[:2]
    x0, y0, x1, y1 = box
    margin = MARGIN * max(x1 - x0, y1 - y0)
    left, top = max(0.0, x0 - margin), max(0.0, y0 - margin)
    scale = min(1.0, max(width / max(1.0, x1 + margin - left), height / max(1.0, y1 + margin - top)))
    x0, x1 = ((x - left) * scale for x in (x0, x1))
    y0, y1 = ((y - top) * scale for y in (y0, y1))
    return max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)


def on_white(picture: Picture, box: Box) -> Picture:
    """The figure of a picture (H, W, 3) uint8 RGB alone on white, cropped to what is left of it; `box` is where it is.

    GrabCut (Rother et al. 2004) from the box, then the biggest piece. Where that cannot tell the figure from what is
    behind it (nothing but the figure in the picture, or a cut that leaves less than a figure), the box's whole rectangle is
    given on white instead, with the background in it. Same picture, same result.
    """
    x0, y0, x1, y1 = (round(value) for value in box)
    height, width = picture.shape[:2]
    if x1 - x0 < 8 or y1 - y0 < 8:
        x0, y0, x1, y1 = 0, 0, width, height
    mask = _cut(picture, (x0, y0, x1, y1))
    if mask is None:
        return _rimmed(picture[y0:y1, x0:x1])
    laid = picture * mask[..., None] + 255.0 * (1 - mask[..., None])
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.02), np.flatnonzero(mask.max(axis=0) > 0.02)
    return _rimmed(laid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].round().clip(0, 255).astype(np.uint8))


def _rimmed(picture: Picture) -> Picture:
    return np.pad(picture, ((_RIM, _RIM), (_RIM, _RIM), (0, 0)), constant_values=255)


def _cut(picture: Picture, box: tuple[int, int, int, int]) -> NDArray[np.float32] | None:
    """How much of each pixel (H, W) is the figure's, 0..1, or None where no figure was told from its background."""
    import cv2

    height, width = picture.shape[:2]
    share = min(1.0, _WORKED / max(height, width))
    size = max(8, round(width * share)), max(8, round(height * share))
    small = cv2.resize(np.ascontiguousarray(picture[..., ::-1]), size, interpolation=cv2.INTER_AREA)
    x0, y0, x1, y1 = (int(value * part / whole) for value, part, whole in zip(box, size * 2, (width, height) * 2, strict=True))
    inside = np.zeros(small.shape[:2], bool)
    inside[y0:y1, x0:x1] = True
    if not inside.any() or (~inside).sum() < 0.02 * inside.size:
        return None
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    # Head and trunk are there, whatever arms and legs do.
    core, axes = ((x0 + x1) // 2, round(y0 + 0.45 * (y1 - y0))), (round(0.16 * (x1 - x0)), round(0.34 * (y1 - y0)))
    cv2.ellipse(labels, core, axes, 0, 0, 360, cv2.GC_FGD, cv2.FILLED)
    cv2.setRNGSeed(0)  # its colour clusters start at random
    try:
        cv2.grabCut(small, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    except cv2.error:  # one colour only: there is nothing to tell apart
        return None
    figure = _biggest(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)))
    if not _is_figure(figure, (x0, y0, x1, y1)):
        return None
    soft = cv2.GaussianBlur(figure.astype(np.float32), (0, 0), 0.8)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32).clip(0, 1)


def _biggest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The biggest piece of a mask, without the small holes in it."""
    import cv2

    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return mask
    piece = pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    count, holes, stats, _ = cv2.connectedComponentsWithStats((~piece).astype(np.uint8), connectivity=4)
    for hole in range(1, count):
        if stats[hole, cv2.CC_STAT_AREA] < 0.01 * piece.sum():
            piece[holes == hole] = True
    return np.asarray(piece, bool)


def _is_figure(mask: NDArray[np.bool_], box: tuple[int, int, int, int]) -> bool:
    x0, y0, x1, y1 = box
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return False
    filled, box_area = float(mask.sum()), (x1 - x0) * (y1 - y0)
    tall, wide = (np.ptp(rows) + 1) / (y1 - y0), (np.ptp(columns) + 1) / (x1 - x0)
    return bool(_LEAST * box_area <= filled <= _MOST * box_area and tall >= _TALL and wide >= _WIDE)
