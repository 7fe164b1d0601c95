"""A contact sheet: all pictures of a pack on one page, by shot size and pose."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from identity.advice import assess
from identity.drawing import CELL, EXEMPLAR, INK, PAPER, SOFT, fitted, font, png, thumbnail
from identity.turn import HIDDEN, facing

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from identity.pack import IdentityPack

_SIDE = 136  # pixels of a picture's longer side
_LINE = 18  # under each picture
_GAP = 10
_HEAD, _GROUP = 64, 34


def contact_sheet(pack: IdentityPack) -> bytes:
    """A PNG of the pack's pictures, grouped by shot size and sorted from left to right by where the head is turned.

    Under each stand its number, pose and quality; exemplars have an orange frame.
    """
    from PIL import Image, ImageDraw

    judged = assess(pack)
    groups = {size: _sorted(pack, size) for size in judged.coverage.poses}
    columns = max(4, min(12, round((len(pack) * 1.6) ** 0.5)))
    cell = _SIDE + _LINE + _GAP
    tall = sum(_GROUP + -(-len(group) // columns) * cell for group in groups.values() if group)
    sheet = Image.new("RGB", (columns * (_SIDE + _GAP) + _GAP, _HEAD + tall), PAPER)
    draw = ImageDraw.Draw(sheet)
    wide = sheet.width - 2 * _GAP
    title = f"{pack.name}: {len(pack)} {'frames' if len(pack) > 1 else 'frame'}, grade {judged.grade}"
    draw.text((_GAP, 10), fitted(title, wide, 22), INK, font(22))
    said = "number, pose and quality (0 to 1) of each frame; orange: exemplars"
    draw.text((_GAP, 40), fitted(said, wide, 13), SOFT, font(13))
    top = _HEAD
    for size, group in groups.items():
        if not group:
            continue
        counts = Counter(facing(pack.records[frame]) for frame in group)
        said = f"{size}: {len(group)} ({', '.join(f'{count} {name}' for name, count in counts.items())})"
        draw.text((_GAP, top + 8), fitted(said, wide, 16), INK, font(16))
        top += _GROUP
        for place, frame in enumerate(group):
            spot = _GAP + place % columns * (_SIDE + _GAP), top + place // columns * cell
            _cell(pack, frame, sheet, draw, spot)
        top += -(-len(group) // columns) * cell
    return png(sheet)


def _cell(pack: IdentityPack, frame: int, sheet: Image.Image, draw: ImageDraw.ImageDraw, spot: tuple[int, int]) -> None:
    x, y = spot
    record, marked = pack.records[frame], frame in pack.exemplars
    if marked:
        draw.rectangle((x - 4, y - 4, x + _SIDE + 3, y + _SIDE + 3), EXEMPLAR)
    draw.rectangle((x, y, x + _SIDE - 1, y + _SIDE - 1), CELL)
    picture = thumbnail(pack.picture(frame), _SIDE)
    sheet.paste(picture, (x + (_SIDE - picture.width) // 2, y + (_SIDE - picture.height) // 2))
    said = f"{frame:03}  {facing(record)}  {record.quality:.2f}"
    draw.text((x, y + _SIDE + 4), fitted(said, _SIDE, 12), EXEMPLAR if marked else SOFT, font(12))


def _sorted(pack: IdentityPack, size: str) -> list[int]:
    """Frames of one shot size, heads turned to the left first, then front, then right; hidden faces last."""
    frames = [frame for frame, record in enumerate(pack.records) if record.size == size]
    key = {frame: (facing(pack.records[frame]) == HIDDEN, pack.records[frame].yaw) for frame in frames}
    return sorted(frames, key=lambda frame: (*key[frame], -pack.records[frame].quality, frame))
