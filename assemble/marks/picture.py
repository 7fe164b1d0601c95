"""The mark in the picture: written into every frame, alike in all of them, weak where the eye would see it.

    mark = PictureMark(ident, (1920, 1080))
    film = stitch(clips, "film.mp4", fps=24, size=(1920, 1080), mark=mark)

Spread-spectrum in the luma with a gain for every bit that knows the frame (improved spread spectrum: Malvar and Florencio, IEEE
Transactions on Signal Processing 51(4), 2003): where a frame happens to speak for a bit already, little is added, and where it
speaks against it, more. So a still picture does not drown its own mark.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from assemble.conform import depth, planes
from assemble.errors import AssembleError
from assemble.marks.pattern import KEY, LINES, TILE, Plane, fold, grid, pattern, residual
from assemble.marks.payload import codeword, fill

FLAT, TEXTURE = 0.5, 0.45
"""Levels (of 255) of the mark on a flat area, and what is added for each level that the picture is busy all around."""
CEILING = 3.0
PSNR = 42.3
"""dB that a marked frame keeps to its original at the least."""
LOUDEST, STRONGEST = 1.4, 4.0
"""Of the gains: the greatest root mean square, and the greatest that one bit may have."""
HOLD = 12
"""Frames for which a mark stays as it is, unless the picture is cut: the encoder need not send it anew, and to lay it on again is
quick. What moved meanwhile has a mark made for what stood there before, for half a second at most."""
CUT = 12.0
"""Levels by which the mean pixel of a new shot differs from that before."""
MOVING, MOVED = 0.5, 6.0
"""The share of its room that the mark takes where the picture moves, and the levels of change in HOLD frames from which it does:
there the picture speaks less for or against a bit, frame after frame, and a mark that stands still costs an encoder most."""
STILL = 0.25
"""The share of the picture that may have moved before the gains of the bits are found anew: they change the mark everywhere, and
an encoder sends nothing where picture and mark stay."""
SYNC_GAIN = 1.2
"""The gain of the sync, of the root mean square of all: without the sync no bit is read."""
BLACK, WHITE = 16, 235
"""Luma of black and white, in 8 bits."""
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 15 / 32
"""What is added before rounding (Bayer 1973), so that half a level is a level in every other pixel, and not all or nothing."""

Luma = npt.NDArray[Any]
"""(height, width) uint8 or uint16: the luma of a film, limited range."""


class PictureMark:
    """The mark of one film: `ident` is its id, `size` the (width, height) of its frames in pixels."""

    def __init__(self, ident: str, size: tuple[int, int], key: str = KEY) -> None:
        self.size, self.grid = size, grid(size)
        self.pattern = pattern(key)
        self.wanted = np.append(codeword(ident), 1).astype(np.float64)
        self.most = 255 * 10 ** (-PSNR / 20)  # the root mean square of the change
        self._dither: Plane = np.tile(BAYER, (-(-size[1] // 4), -(-size[0] // 4)))[: size[1], : size[0]].astype(np.float32)
        self._done: tuple[VideoFrame, VideoFrame] | None = None  # a film shows many frames twice
        self._held: tuple[Luma, Luma] = (np.empty(0), np.empty(0))  # what is added, and what is taken away
        self._age = HOLD
        self._seen: Plane = np.empty((0, 0), np.float32)
        self._before: Plane | None = None  # the grid when the mark was last made
        self._founded: Plane | None = None  # the grid when the gains were found

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """A frame as encoders take it (luma first, limited range) with the mark; its colours, and `frame` itself, stay."""
        if self._done is None or self._done[0] is not frame:
            marked = VideoFrame(frame.width, frame.height, frame.format.name)
            source, target = planes(frame), planes(marked)
            target[0][:] = self.luma(source[0], depth(frame))
            for plane, copy in zip(source[1:], target[1:], strict=True):
                copy[:] = plane
            self._done = frame, marked
        return self._done[1]

    def luma(self, plane: Luma, bits: int = 8) -> Luma:
        """A plane of the film's size with the mark. Raises AssembleError for one of another size."""
        if plane.shape[::-1] != self.size:
            sizes = f"{self.size[0]} x {self.size[1]} does not fit a picture of {plane.shape[1]} x {plane.shape[0]}"
            raise AssembleError(f"a mark for {sizes}", mend="Make it for the size of the film.")
        one = 1 << (bits - 8)
        some = plane[::16, ::16].astype(np.float32)
        cut = len(self._seen) > 0 and np.abs(some - self._seen).mean() > CUT * one
        if self._age >= HOLD or cut:
            if cut:
                self._before = self._founded = None
            self._held, self._age = self._parts(plane, bits), 0
        self._age, self._seen = self._age + 1, some
        more, less = self._held
        marked = cv2.subtract(cv2.add(plane, more), less)
        # What is darker than black or lighter than white already stays so; the mark adds none.
        floor, ceiling = cv2.min(plane, BLACK * one), cv2.max(plane, WHITE * one)  # type: ignore[call-overload]
        return np.asarray(cv2.max(cv2.min(marked, ceiling), floor))

    def _parts(self, plane: Luma, bits: int) -> tuple[Luma, Luma]:
        """What the mark for a plane adds to it, and what it takes away, in whole levels of its depth."""
        one = 1 << (bits - 8)
        change = self.change(plane, one) * np.float32(one * (WHITE - BLACK) / 255)
        change = np.asarray(cv2.resize(change, self.size, interpolation=cv2.INTER_LINEAR))
        if bits == 8:
            cv2.add(change, self._dither, dst=change)
        kind = cv2.CV_8U if bits == 8 else cv2.CV_16U
        nothing = np.zeros(1)
        return np.asarray(cv2.add(change, nothing, dtype=kind)), np.asarray(cv2.subtract(nothing, change, dtype=kind))

    def change(self, plane: Luma, one: int = 1) -> Plane:
        """The mark for a plane whose levels are `one` apart, in levels of 255 on the grid."""
        half = self.size[0] // 2, self.size[1] // 2
        if min(half) >= 2 * LINES:  # by two and then by the rest is quicker than at once
            plane = np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA))
        small = np.asarray(cv2.resize(plane, self.grid, interpolation=cv2.INTER_AREA), np.float32)
        luma = (small - np.float32(BLACK * one)) * np.float32(255 / (one * (WHITE - BLACK)))
        found, weight = residual(luma)
        room = _room(luma)
        loud = float(np.sqrt(np.mean(room * room)))
        if self._before is not None:
            room -= (room - FLAT) * np.float32(1 - MOVING) * _moved(self._before, luma)
        self._before = luma
        if self._founded is None or _moved(self._founded, luma).mean() > STILL:
            self._tile = self.pattern.tile(self.wanted * self._gains(found, room * weight, min(LOUDEST, self.most / loud)))
            self._founded = luma
        lines, columns = room.shape
        repeats = -(-lines // TILE), -(-columns // TILE)
        mark = room * np.tile(self._tile, repeats)[:lines, :columns]
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


def _moved(before: Plane, luma: Plane) -> Plane:
    """How much has moved at each place between two planes: 0 nothing, 1 much."""
    moved = cv2.blur(cv2.absdiff(before, luma), (15, 15)) / np.float32(MOVED)
    return np.asarray(cv2.min(moved, 1.0))  # type: ignore[call-overload]
