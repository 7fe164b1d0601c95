"""What somebody wears, as the colours below the face: other clothes on the right face are found by them.

Embeddings are made to know a person in any light and from any side, and a known face outweighs a strange coat. So colours
are compared themselves, after the face's own colour has taken the light out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from identity.encoders import Encoders, Figure
from identity.pack import IdentityPack

FRAMES = 12
"""Pictures of a pack that its clothes are learnt from, at most."""
FEWEST = 4
"""Pictures without which nothing is said of clothes."""
SAME = 12.0
"""Distance in Lab, lightness counted half, up to which two colours are one."""
RARE = 0.01
"""Share of the area below which a colour counts as absent."""
USUAL = 0.35
"""Difference that drawn people in their own clothes stay under; a pack whose own frames differ more allows that much."""
_GRID = (9, 12)

_known: WeakKeyDictionary[IdentityPack, Wardrobe | None] = WeakKeyDictionary()


@dataclass(frozen=True)
class Palette:
    """The mean colour (3,) of a face and colours (n, 3) of what is below it, RGB 0..255."""

    face: NDArray[np.float64]
    below: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """The clothes of a pack: the mean colour of its faces, Lab colours (frames, n, 3) below them, how typical each is of the
    pack (whether most other frames have it), and the difference that counts as 1."""

    face: NDArray[np.float64]
    colours: NDArray[np.float64]
    typical: NDArray[np.bool_]
    usual: float

    @classmethod
    def of(cls, pack: IdentityPack, encoders: Encoders) -> Wardrobe | None:
        """The clothes that a pack's pictures show; None when too few show any. Looked at once for each pack in memory."""
        if pack not in _known:
            chosen = np.unique(np.linspace(0, len(pack) - 1, FRAMES).round().astype(int)).tolist()
            pictures = [pack.picture(frame) for frame in chosen]
            found = zip(pictures, encoders.observe_many(pictures, alone=True), strict=True)
            palettes = [palette(picture, figures[0]) for picture, figures in found if figures]
            _known[pack] = cls.learnt([each for each in palettes if each is not None])
        return _known[pack]

    @classmethod
    def learnt(cls, shown: Sequence[Palette]) -> Wardrobe | None:
        """The clothes of these palettes, all of one person; None for fewer than FEWEST."""
        if len(shown) < FEWEST:
            return None
        face = np.mean([each.face for each in shown], axis=0)
        colours = np.stack([_lab(each, face) for each in shown])
        near = np.stack([_shares(one, colours) for one in colours])  # (frame, colour of it, other frame)
        count = len(shown)
        typical = ((near > 3 * RARE).sum(axis=2) - 1) > 0.6 * (count - 1)
        whole = cls(face, colours, typical, USUAL)
        own = [whole._without(frame)._difference(colours[frame]) for frame in range(count)]
        return cls(face, colours, typical, max(USUAL, *own))

    def strange(self, worn: Palette) -> float:
        """How far clothes are from the pack's: 0 the same, 1 as far as may be, more for other ones."""
        return self._difference(_lab(worn, self.face)) / self.usual

    def _difference(self, colours: NDArray[np.float64]) -> float:
        """The share of colours that the pack never shows, and the share of the pack's typical ones that are missing."""
        new = (_shares(colours, self.colours).mean(axis=1) < RARE).mean()
        flat = self.colours.reshape(-1, 3)
        absent = (_shares(flat, colours[None])[:, 0] < RARE).reshape(self.typical.shape)
        gone = (absent & self.typical).mean(axis=1)[self.typical.any(axis=1)]
        return float(new + (np.median(gone) if len(gone) else 0))

    def _without(self, frame: int) -> Wardrobe:
        kept = np.arange(len(self.colours)) != frame
        return Wardrobe(self.face, self.colours[kept], self.typical[kept], self.usual)


def palette(frame: NDArray[np.uint8], figure: Figure) -> Palette | None:
    """The colours of a figure in its frame (H, W, 3) uint8 RGB; None without a face or with too little below it."""
    import cv2

    if figure.face is None:
        return None
    x0, y0, x1, y1 = (float(value) for value in figure.face.box)
    head, wide, middle = y1 - y0, x1 - x0, (x0 + x1) / 2
    left, right = max(float(figure.box[0]), middle - wide / 2), min(float(figure.box[2]), middle + wide / 2)
    top, bottom = y1 + head * 0.1, min(y1 + head * 1.9, float(figure.box[3]))
    face, below = frame[_span(y0, y1), _span(x0, x1)], frame[_span(top, bottom), _span(left, right)]
    if bottom - top < head / 4 or not face.size or min(below.shape[:2]) < 4:
        return None
    grid = cv2.resize(below, _GRID, interpolation=cv2.INTER_NEAREST)
    return Palette(face.reshape(-1, 3).mean(axis=0), grid.reshape(-1, 3).astype(np.float64))


def _span(first: float, last: float) -> slice:
    return slice(max(0, int(first)), max(0, int(last)))


def _lab(worn: Palette, face: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours as they would be in the light in which the face has this colour (von Kries), Lab with half the lightness."""
    import cv2

    gain = np.clip((face + 8) / (worn.face + 8), 0.4, 2.5)
    colours = (np.clip(worn.below * gain, 0, 255) / 255).astype(np.float32)
    return np.asarray(cv2.cvtColor(colours[None], cv2.COLOR_RGB2LAB)[0], np.float64) * (0.5, 1, 1)


def _shares(colours: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """What share (n, frames) of each of the others (frames, m, 3) is of the colour of each of these (n, 3)."""
    apart = np.square(colours[:, None, None] - others[None]).sum(axis=3)
    return (apart < SAME**2).mean(axis=2)
