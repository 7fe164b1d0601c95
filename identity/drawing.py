"""What the contact sheet and the spread plot are drawn with: type, thumbnails, colours."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Colour = tuple[int, int, int]
PAPER: Colour = (38, 39, 43)
CELL: Colour = (28, 29, 32)
INK: Colour = (236, 236, 238)
SOFT: Colour = (160, 163, 170)
EXEMPLAR: Colour = (255, 150, 50)
FAR: Colour = (255, 84, 96)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own typeface, the same on every machine."""
    from PIL import ImageFont

    face = ImageFont.load_default(size)
    assert isinstance(face, ImageFont.FreeTypeFont)  # every wheel of Pillow has FreeType
    return face


def fitted(text: str, width: int, size: int) -> str:
    """A text shortened to a width in pixels, on one line."""
    text = "".join(char if char.isprintable() else "?" for char in text[:400])
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


def thumbnail(pixels: NDArray[np.uint8], side: int) -> Image.Image:
    """A picture (H, W, 3) whose longer side is `side` pixels; small ones are scaled up, so that faces can be compared."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    share = side / max(picture.size)
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return picture.resize(size, Image.Resampling.LANCZOS)


def png(picture: Image.Image) -> bytes:
    """The bytes of a PNG."""
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
