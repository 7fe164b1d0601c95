"""How good a reference frame is: sharp, well lit, large, whole, not crushed by a codec."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

SMALLEST_FIGURE = 24
"""Pixels of a figure's longer side below which its embeddings say little."""
BLURRED = 0.62
"""Blur above which a face is out of focus or smeared (0 every edge is a step .. 1 none is). Of 24 drawn faces, 30 to 450 pixels
large, all lay below 0.40 when sharp and below 0.61 at half their resolution; blurred by a hundredth of the frame's height,
above 0.65."""
BURNT = 0.75
"""Share of pixels with a colour at its limit above which the light is lost."""
OVERBURNT = 0.25
"""The same, as far as it lies above what is usual for this person, who may wear white."""
HIDDEN = 0.5
"""Share of a figure that others cover above which the picture shows them rather than it."""
CRUSHED = 0.6
"""Blockiness above which a codec has left little of the picture. 24 drawn frames lay below 0.17 as they were and below 0.59 as
JPEG of quality 10; only at quality 5 and less did some lie above 0.6."""
_FACE, _FIGURE = 128, 256  # blur is measured at these sizes at most, so that it does not depend on the camera's
_REACH = 6  # pixels on either side in which an edge must rise
_STEP, _GRAIN = 12, 0.5  # grey levels: what a codec's blocks differ by at most, and what is no difference


@dataclass(frozen=True)
class Quality:
    """Measures of one figure: `size` and `face_size` in pixels (longer sides, 0 for no face); `blur` of the figure and
    `face_blur` of its face, `burnt`, `occluded` and `compressed` all 0 (good) .. 1; `light`, the mean brightness, 0..1."""

    size: float
    blur: float
    burnt: float
    light: float
    face_size: float = 0.0
    face_blur: float = 0.0
    occluded: float = 0.0
    compressed: float = 0.0

    @property
    def softness(self) -> float:
        """Blur of what matters: of the face where there is one, for a hand may move."""
        return self.face_blur if self.face_size else self.blur

    @property
    def fault(self) -> str:
        """Why the frame should be left out, or nothing."""
        if self.size < SMALLEST_FIGURE:
            return f"too small ({self.size:.0f} pixels)"
        if self.occluded > HIDDEN:
            return f"hidden by others ({self.occluded:.0%} of it)"
        if self.burnt > BURNT:
            return f"badly exposed ({self.burnt:.0%} of it has lost its colour)"
        if self.softness > BLURRED:
            return f"blurred ({self.softness:.2f} of 1)"
        if self.compressed > CRUSHED:
            return f"crushed by compression ({self.compressed:.2f} of 1)"
        return ""

    def fault_beside(self, usual: float) -> str:
        """Why it should be left out when `usual` is how burnt this person's frames usually are, or nothing."""
        if self.burnt > usual + OVERBURNT:
            return f"badly exposed ({self.burnt:.0%} of it has lost its colour; {usual:.0%} is usual here)"
        return ""

    @property
    def score(self) -> float:
        """One number 0..1 to rank by: sharp, large, well lit and whole is near 1."""
        sharp = np.clip((BLURRED + 0.2 - self.softness) / 0.5, 0.05, 1)
        large = np.clip(self.size / 128, 0.05, 1) ** 0.5
        lit = np.clip(1.2 - self.burnt, 0.05, 1)
        return float(sharp * large * lit * (1 - 0.5 * self.occluded) * (1 - 0.3 * self.compressed))


def measure(
    crop: Picture, face: Picture | None = None, *, occluded: float = 0.0, compressed: float = 0.0
) -> Quality:
    """The quality of a figure from its crop (H, W, 3) uint8 RGB and that of its face, where there is one."""
    grey = _grey(crop)
    return Quality(
        size=float(max(grey.shape)),
        blur=blur(grey, _FIGURE),
        burnt=max(burnt_share(crop), 0.0 if face is None else burnt_share(face)),
        light=float(grey.mean()) / 255,
        face_size=0.0 if face is None else float(max(face.shape[:2])),
        face_blur=0.0 if face is None else blur(_grey(face), _FACE),
        occluded=occluded,
        compressed=compressed,
    )


def burnt_share(crop: Picture) -> float:
    """Share of pixels (H, W, 3) in the crop's middle with a channel at white's limit or all at black's: their colour is lost.

    Only the middle counts: a cut-out on white is not burnt.
    """
    y, x = crop.shape[0] // 6, crop.shape[1] // 4
    most = crop[y : crop.shape[0] - y, x : crop.shape[1] - x].max(axis=2)
    return float(np.mean((most > 249) | (most < 6)))


def blur(grey: Picture, longest: int) -> float:
    """How soft the strong edges of a picture (H, W) are at `longest` pixels: 0 they rise from one pixel to the next .. 1.

    Where brightness changes much within _REACH pixels along a row or a column, the largest step between two neighbours is
    compared with the whole change; the sharpest quarter counts, and of rows and columns the worse, for motion smears only
    one. That is the width of edges (Marziliano et al. 2002) without following them, and it does not ask how many there are.
    A picture without edges is all blur.
    """
    import cv2

    share = min(1.0, longest / max(grey.shape))
    size = max(4, round(grey.shape[1] * share)), max(4, round(grey.shape[0] * share))
    picture = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    worst = []
    for axis in (0, 1):
        window = np.ones((2 * _REACH + 1, 1) if axis == 0 else (1, 2 * _REACH + 1), np.uint8)
        low, high = cv2.erode(picture, window), cv2.dilate(picture, window)
        after, before = (picture[1:], picture[:-1]) if axis == 0 else (picture[:, 1:], picture[:, :-1])
        steps = cv2.dilate(cv2.absdiff(after, before), window).astype(np.float32)
        change = (high - low)[1:] if axis == 0 else (high - low)[:, 1:]
        strong = change > max(24.0, 0.5 * float(np.percentile(change, 95)))
        if strong.mean() > 0.02:
            worst.append(1 - float(np.percentile(steps[strong] / change[strong], 75)))
    return max(worst, default=1.0)


def blockiness(frame: Picture) -> float:
    """How far the blocks of 8 pixels of JPEG and older codecs show in a frame (H, W, 3): 0 not at all .. 1.

    Of the lines between neighbouring pixels every eighth stands out where blocks meet (the idea of Wang, Bovik and Evans
    2000): the median of the steps across those is set against that of the others, with steps no higher than _STEP, for
    higher ones are edges of the picture. A frame that was scaled after it was compressed shows no blocks.
    """
    import cv2

    grey = _grey(frame)
    shares = []
    for axis, pairs in ((0, (grey[1:, ::4], grey[:-1, ::4])), (1, (grey[::4, 1:], grey[::4, :-1]))):
        steps = np.minimum(cv2.absdiff(*(np.ascontiguousarray(part) for part in pairs)), _STEP)
        lines = cv2.reduce(steps, 1 - axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
        if len(lines) < 32:
            return 0.0
        rows = np.array([np.median(lines[start::8]) for start in range(8)])
        shares.append(float((rows.max() - np.median(rows)) / (rows.max() + _GRAIN)))
    return min(shares)


def _grey(picture: Picture) -> Picture:
    import cv2

    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
