"""Reading the mark in the picture back: all frames become one picture of what they share, and the tile is sought in that.

The search goes over scale (a copy that was cropped or given a border has another one, since the grid is laid over the frame as it
is), over every shift of the tile, and over both ways round. Two verdicts are kept apart: `blind`, where the bits themselves
give an id, and `matched`, where they are too worn for that but fit an id that the ledger of this machine knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from assemble.marks.pattern import KEY, TILE, Pattern, Plane, fold, grid, pattern, residual
from assemble.marks.payload import DATA, Soft, codeword, decode, threshold
from assemble.picture import Frame

SCALES = np.exp(0.0035 * np.arange(-94, 107))
"""0.72 to 1.45: from a border of a fifth all round to a crop to two thirds. Between
two of them a frame slides by under half a chip."""
BEST = 6
"""Places where the sync is loudest that are read."""
PLACES = BEST + 2
"""All that are read in one search: first both ways round at the size as it is, then the best."""
BLIND = threshold(2.0**DATA, PLACES)
"""The score from which an id counts as read; for one of a ledger the threshold is `threshold(its ids, PLACES)`."""


@dataclass(frozen=True)
class Sight:
    """The best reading of a picture mark. `verdict` is "blind", "matched" or "" (nothing found), `ident` the id with it.

    sync: how far the tile stands out, in standard deviations of all places looked at; about 5 is what noise reaches.
    score: how well the bits fit the id, in standard deviations. scale, flipped: how the copy lies to the original.
    """

    verdict: str
    ident: str | None
    sync: float
    score: float
    scale: float
    flipped: bool


class Averaged:
    """What frames share. Frames of any sizes come in one at a time; nothing grows with their number."""

    def __init__(self) -> None:
        self.frames = 0
        self.sum: Plane | None = None

    def add(self, frame: Frame | npt.NDArray[np.uint8]) -> None:
        """Take in one uint8 frame: (height, width, 3) RGB, or (height, width) of luma. The first one sets the shape for all."""
        size = grid((frame.shape[1], frame.shape[0]))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        luma = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        found, _ = residual(luma.astype(np.float32))
        if self.sum is None:
            self.sum = found
        elif self.sum.shape == found.shape:
            self.sum += found
        self.frames += 1


def read(frames: Iterable[Frame], known: Sequence[str] = (), key: str = KEY) -> Sight:
    """The mark in frames of one film; `known` are the ids of the ledger."""
    averaged = Averaged()
    for frame in frames:
        averaged.add(frame)
    return seek(averaged, known, key)


def seek(averaged: Averaged, known: Sequence[str] = (), key: str = KEY) -> Sight:
    """The mark in what frames share."""
    if averaged.sum is None:
        return Sight("", None, 0.0, 0.0, 1.0, False)
    made = pattern(key)
    # Most copies are neither cropped nor bordered, and are read at once.
    sight = best_of(places(spectra(averaged.sum, np.ones(1)), made), made, known)
    if sight.verdict == "blind":
        return sight
    return best_of(places(spectra(averaged.sum), made), made, known)


def best_of(found: Sequence[Place], made: Pattern, known: Sequence[str] = ()) -> Sight:
    """The best reading at any of the places."""
    best = Sight("", None, found[0].sync, 0.0, 1.0, False)
    words = np.array([codeword(ident) for ident in known], np.float64)
    for place in found:
        soft, _ = made.read(place.tile)
        sight = _judged(soft, known, words, Sight("", None, place.sync, 0.0, place.scale, place.flipped))
        if (_rank(sight), sight.score, sight.sync) > (_rank(best), best.score, best.sync):
            best = sight
    return best


def _rank(sight: Sight) -> int:
    return ("", "matched", "blind").index(sight.verdict)


def _judged(soft: Soft, known: Sequence[str], words: npt.NDArray[np.float64], place: Sight) -> Sight:
    ident, score = decode(soft)
    if score >= BLIND:
        return replace(place, verdict="blind", ident=ident, score=score)
    if len(words):
        scores = words @ soft / (np.linalg.norm(soft) + 1e-12)
        first = int(scores.argmax())
        score = float(scores[first])
        if score >= threshold(len(words), PLACES):
            return replace(place, verdict="matched", ident=known[first], score=score)
    return replace(place, score=score)


Spectrum = npt.NDArray[np.complexfloating]


class Place(NamedTuple):
    """Where the sync is loud: by how much, and the (TILE, TILE) that begins there."""

    sync: float
    scale: float
    flipped: bool
    tile: Plane


class Folded(NamedTuple):
    """A plane folded to tiles, `flipped` (n,) or not, at `scales` (n,), as spectra (n, TILE, TILE / 2 + 1): no key changes it."""

    scales: npt.NDArray[np.floating]
    flipped: npt.NDArray[np.bool_]
    spectra: Spectrum


def spectra(shared: Plane, scales: npt.NDArray[np.floating] = SCALES) -> Folded:
    """A plane at all scales and both ways round."""
    made = []
    for scale in scales:
        way = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
        tile = fold(np.asarray(cv2.resize(shared, None, fx=1 / scale, fy=1 / scale, interpolation=way), np.float32))
        made += [_even(np.fft.rfft2(tile)), _even(np.fft.rfft2(tile[:, ::-1]))]
    return Folded(np.repeat(scales, 2), np.arange(len(made)) % 2 == 1, np.array(made))


def places(planes: Folded, made: Pattern) -> list[Place]:
    """The BEST places where the sync is loudest, loudest first; one for each scale and way round."""
    sync = np.conj(np.fft.rfft2(made.sync)).astype(np.complex64)
    found = []
    for number, spectrum in enumerate(planes.spectra):
        loud = np.fft.irfft2(spectrum * sync, s=(TILE, TILE))
        first = int(loud.argmax())
        found.append((float(loud.flat[first]) / (float(loud.std()) + 1e-12), number, *divmod(first, TILE)))
    found.sort(reverse=True)
    best = []
    for peak, number, y, x in found[:BEST]:
        tile = np.roll(np.fft.irfft2(planes.spectra[number], s=(TILE, TILE)), (-y, -x), (0, 1))
        place = float(planes.scales[number]), bool(planes.flipped[number])
        best.append(Place(peak, *place, np.ascontiguousarray(tile, np.float32)))
    return best


def _even(spectrum: Spectrum) -> Spectrum:
    """The spectrum with what sticks out held down: stripes and lattices are in few frequencies, the mark in all. And flattened
    by half, because pictures, and copies above all, are loudest where they are coarse."""
    size = np.abs(spectrum).astype(np.float32)
    around = np.vstack([size[-4:], size, size[:4]])  # frequencies up and down go round
    usual = np.asarray(cv2.blur(around, (9, 9)))[4:-4] + np.float32(1e-9)
    return np.asarray(spectrum * np.minimum(1.0, 1.5 * usual / (size + 1e-9)) / np.sqrt(usual), np.complex64)
