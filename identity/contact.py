"""A contact sheet: all pictures of a pack on one page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

_CELL = 120
_GAP = 6
_MARK = (214, 96, 40)


def contact_sheet(pictures: Sequence[NDArray[np.uint8]], marked: Collection[int] = ()) -> bytes:
    """A PNG of the pictures (H, W, 3) uint8 in a grid on grey; the marked ones (exemplars) have an orange frame."""
    from PIL import Image

    columns = max(1, min(12, round((len(pictures) * 1.6) ** 0.5)))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (_CELL + _GAP) + _GAP, rows * (_CELL + _GAP) + _GAP), (70, 70, 74))
    for number, pixels in enumerate(pictures):
        x = _GAP + number % columns * (_CELL + _GAP)
        y = _GAP + number // columns * (_CELL + _GAP)
        if number in marked:
            sheet.paste(_MARK, (x - 4, y - 4, x + _CELL + 4, y + _CELL + 4))
        sheet.paste((46, 46, 50), (x, y, x + _CELL, y + _CELL))
        picture = Image.fromarray(pixels)
        picture.thumbnail((_CELL, _CELL))
        sheet.paste(picture, (x + (_CELL - picture.width) // 2, y + (_CELL - picture.height) // 2))
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
