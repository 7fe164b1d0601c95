"""The mark in the picture: written into every frame, alike in all of them, weak where the eye would see it.

    mark = PictureMark(ident, (1920, 1080))
    film = stitch((mark.frames(clip) for clip in clips), ...)

Spread-spectrum in the luma with a gain for every bit that knows the frame (improved spread spectrum: Malvar and Florencio, IEEE
Transactions on Signal Processing 51(4), 2003): where a frame happens to speak for a bit already, little is added, and where it
speaks against it, more. So a still picture does not drown its own mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

from assemble.marks.pattern import KEY, LINES, TILE, Plane, fold, grid, pattern, residual
from assemble.marks.payload import codeword, fill
from assemble.picture import Frame, fit

FLAT, TEXTURE = 0.7, 0.45
"""Levels (of 255) of the mark on a flat area, and what is added for each level that the picture is busy all around."""
CEILING = 3.0
PSNR = 42.3
"""dB that a marked frame keeps to its original at the least."""
LOUDEST, STRONGEST = 1.4, 4.0
"""Of the gains: the greatest root mean square, and the greatest that one bit may have."""
SYNC_GAIN = 1.2
"""The gain of the sync, of the root mean square of all: without the sync no bit is read."""


class PictureMark:
    """The mark of one film: `ident` is its id, `size` the (width, height) of its frames in pixels."""

    def __init__(self, ident: str, size: tuple[int, int], key: str = KEY) -> None:
        self.size, self.grid = size, grid(size)
        self.pattern = pattern(key)
        self.wanted = np.append(codeword(ident), 1).astype(np.float64)
        self.most = 255 * 10 ** (-PSNR / 20)  # the root mean square of the change

    def frames(self, clip: Iterable[Frame]) -> Iterator[Frame]:
        """The frames at the size of the film (see `fit`), marked. A frame is never changed in place."""
        for frame in clip:
            yield self.frame(fit(frame, self.size))

    def frame(self, frame: Frame) -> Frame:
        """One (height, width, 3) uint8 RGB frame of the film's size, marked."""
        change = cv2.resize(self.change(frame), self.size, interpolation=cv2.INTER_LINEAR)
        up = cv2.convertScaleAbs(np.maximum(change, 0))
        down = cv2.convertScaleAbs(np.minimum(change, 0))
        marked = cv2.subtract(cv2.add(frame, cv2.merge((up, up, up))), cv2.merge((down, down, down)))
        return np.asarray(marked)

    def change(self, frame: Frame) -> Plane:
        """The mark for a frame, in levels on the grid."""
        step = max(
            1, min(self.size) // (2 * LINES)
        )  # twice as fine as the grid is fine enough to look at, and far faster
        small = cv2.resize(frame[::step, ::step], self.grid, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        found, weight = residual(luma)
        room = _room(luma)
        loud = float(np.sqrt(np.mean(room * room)))
        values = self.wanted * self._gains(found, room * weight, min(LOUDEST, self.most / loud))
        tile = self.pattern.tile(values)
        lines, columns = room.shape
        repeats = -(-lines // TILE), -(-columns // TILE)
        mark = room * np.tile(tile, repeats)[:lines, :columns]
        loud = float(np.sqrt(np.mean(mark * mark)))
        return mark * np.float32(min(1.0, self.most / (loud + 1e-9)))

    def _gains(self, found: Plane, heard: Plane, loudest: float) -> npt.NDArray[np.float64]:
        """(BITS + 1,): the strength of each bit and the sync, by what the frame says of them already."""
        readings, sync = self.pattern.read(fold(found))
        alone = np.maximum(self.pattern.spread(fold(heard)), 1e-9)  # what the mark alone would bring to a reading
        return fill(self.wanted * np.append(readings, sync) / alone, self.pattern.counts, loudest, STRONGEST, SYNC_GAIN)


def _room(luma: Plane) -> Plane:
    """Levels that the mark may take at each place of the grid: few where it is flat, and beside an edge too, where a mark on the
    flat side shows. Busy is what is busy on all sides (the least of the activity around)."""
    detail = np.abs(luma - cv2.blur(luma, (5, 5)))
    inside = cv2.blur(cv2.erode(cv2.blur(detail, (5, 5)), np.ones((11, 11), np.uint8)), (5, 5))
    return np.minimum(FLAT + TEXTURE * inside, CEILING).astype(np.float32)
