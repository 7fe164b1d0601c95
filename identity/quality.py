"""How good a reference frame is: sharpness, light, size; and a fingerprint for near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST_FIGURE = 24
"""Pixels of a figure's longer side below which its embeddings say little."""
BLURRED = 0.72
"""Blur above which a figure is out of focus or smeared (0 sharp .. 1 flat)."""
BURNT = 0.75
"""Share of the pixels in a crop's middle that are black or white to the limit, above which a figure's light is lost."""
_MEASURED = 160  # blur is measured at one size, so that it does not depend on the camera's
_ALIKE = 5  # bits of 64


@dataclass(frozen=True)
class Quality:
    """Measures of one figure's crop: `size` in pixels (longer side), `blur` 0..1, `burnt` 0..1, `light` 0..1 (mean)."""

    size: float
    blur: float
    burnt: float
    light: float
    print: int

    @property
    def fault(self) -> str:
        """Why the frame should be left out, or nothing."""
        if self.size < SMALLEST_FIGURE:
            return f"too small ({self.size:.0f} pixels)"
        if self.burnt > BURNT:
            return f"badly exposed ({self.burnt:.0%} of it black or white)"
        if self.blur > BLURRED:
            return f"blurred ({self.blur:.2f} of 1)"
        return ""

    @property
    def score(self) -> float:
        """One number 0..1 to rank by: sharp, large and well lit is near 1."""
        sharp = np.clip((BLURRED + 0.15 - self.blur) / 0.5, 0.05, 1)
        large = np.clip(self.size / 128, 0.05, 1) ** 0.5
        lit = np.clip(1.2 - self.burnt, 0.05, 1)
        return float(sharp * large * lit)


def measure(crop: NDArray[np.uint8]) -> Quality:
    """The quality of a figure's crop (H, W, 3) uint8 RGB."""
    import cv2

    grey: NDArray[np.uint8] = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    size = max(grey.shape)
    # Only the middle: a cut-out on white is not burnt.
    y, x = grey.shape[0] // 6, grey.shape[1] // 4
    middle = grey[y : grey.shape[0] - y, x : grey.shape[1] - x]
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return Quality(
        float(size),
        _blur(grey),
        float(np.mean((middle < 6) | (middle > 249))),
        float(grey.mean()) / 255,
        int("".join("1" if bit else "0" for bit in bits), 2),
    )


def alike(first: Quality, second: Quality) -> bool:
    """Whether two crops are the same picture: nearly the same gradient hash (dHash), seen from as near, in the same
    light."""
    near = max(first.size, second.size) < 1.1 * min(first.size, second.size)
    return near and abs(first.light - second.light) < 0.03 and (first.print ^ second.print).bit_count() <= _ALIKE


def _blur(grey: NDArray[np.uint8]) -> float:
    """The no-reference blur measure of Crete et al. (2007): how little a picture changes when it is blurred again."""
    import cv2

    share = _MEASURED / max(grey.shape)
    size = max(4, round(grey.shape[1] * share)), max(4, round(grey.shape[0] * share))
    picture = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR).astype(np.float32)
    worst = 0.0
    for axis, kernel in ((0, (1, 9)), (1, (9, 1))):
        sharp = np.abs(np.diff(picture, axis=axis))
        soft = np.abs(np.diff(cv2.blur(picture, kernel), axis=axis))
        total = float(sharp.sum())
        worst = max(worst, 1.0 if total < 1 else 1 - float(np.maximum(sharp - soft, 0).sum()) / total)
    return worst
