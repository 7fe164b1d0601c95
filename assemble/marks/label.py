"""The visible label: the letters AI, top right, white on near black (a contrast of 16 to 1, where WCAG 2.2 AAA asks for 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from assemble.picture import Frame, fit

TEXT = "AI GENERATED"
SHARE, LEAST = 0.05, 12
"""Height of the label as a share of the frame's shorter side, and its least in pixels."""
SECONDS = 5.0
"""How long it stands at the start."""


class Label:
    """A label for frames of `size` (width, height) pixels; `frames` is how many of a film carry it, None for all of them."""

    def __init__(self, size: tuple[int, int], frames: int | None = None) -> None:
        self.size, self.left = size, frames

    def frames(self, clip: Iterable[Frame]) -> Iterator[Frame]:
        """The frames at the size of the film, labelled as far as the label stands. A frame is never changed in place."""
        for frame in clip:
            if self.left == 0:
                yield frame
                continue
            labelled = np.array(fit(frame, self.size))
            picture = self.picture
            height, width = picture.shape[:2]
            gap = height // 2
            labelled[gap : gap + height, self.size[0] - gap - width : self.size[0] - gap] = picture
            self.left = None if self.left is None else self.left - 1
            yield labelled

    @cached_property
    def picture(self) -> Frame:
        """The label itself."""
        height = max(LEAST, round(min(self.size) * SHARE))
        font = ImageFont.load_default(height * 0.68)
        left, top, right, bottom = font.getbbox(TEXT)
        width = min(round(right - left + height * 0.8), self.size[0] - height)
        made = Image.new("RGB", (width, height), (20, 20, 20))
        at = (width - (right - left)) / 2 - left, (height - (bottom - top)) / 2 - top
        ImageDraw.Draw(made).text(at, TEXT, (255, 255, 255), font)
        return np.asarray(made)
