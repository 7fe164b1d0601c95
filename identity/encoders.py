"""The encoders of a set together: a frame goes in, figures with embeddings come out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity import runtime
from identity.bodies import WIDTH as BODY_WIDTH
from identity.bodies import Bodies
from identity.boxes import area, figure_around, grown, match, overlap
from identity.encoderset import EncoderSet, open_set
from identity.errors import IdentityError
from identity.faces import Faces
from identity.likeness import Thresholds, calibration_command, read_thresholds
from identity.looks import Looks

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

BATCH = 16
"""Frames whose crops are embedded together. Only the crops wait for that; a frame is let go once it is looked at."""
SMALLEST = 16
"""Pixels: a frame with a shorter side holds nobody."""
MARGIN = 0.04
"""A figure's crop is its box grown by this share of its longer side."""
ENOUGH = 2
"""Frames are scaled down for the detectors to this multiple of the size at which they look: their own coarser scaling
skips pixels."""


@dataclass(frozen=True)
class Face:
    """A face: box (4,) and five key points (5, 2) in pixels, score 0..1, embedding (512,) of length 1. A set whose
    embeddings are narrower (SFace: 128) leaves the rest zero."""

    box: Array
    kps: Array
    score: float
    embedding: Array


@dataclass(frozen=True)
class Figure:
    """One person in a frame: box (x0, y0, x1, y1) in pixels, score 0..1, the face if one was seen, and two embeddings
    of length 1: `embedding` (F,) of the whole appearance (open_clip) and `body` (256,) (re-identification; zero where
    the set has no model of it)."""

    box: Array
    score: float
    face: Face | None
    embedding: Array
    body: Array


@dataclass(frozen=True)
class _Cut:
    """What is kept of a figure until it is embedded: its row (5,), its face's row (15,), and the crops of each cue as
    the networks take them."""

    row: Array
    face_row: Array | None
    face: Picture | None
    look: Any
    body: NDArray[Any] | None


class Encoders:
    """An encoder set in memory. `hashes` names its weights, `licence` says what they may be used for, `remarks` what
    whoever chose the set should read once; `thresholds` says what its similarities mean."""

    def __init__(self, source: EncoderSet, thresholds: Thresholds | None) -> None:
        self.name = source.name
        self.folder = source.folder
        self.hashes = source.hashes
        self.licence = source.licence
        self.remarks = source.remarks
        self._thresholds = thresholds
        try:
            self._faces = Faces(source)
            self._bodies = Bodies(source) if source.sees_figures else None
            self._looks = Looks(source.figure)
        except IdentityError:
            raise
        except Exception as error:  # insightface, onnxruntime, OpenCV and open_clip each raise their own kinds
            raise IdentityError(
                f"the encoder set cannot be loaded ({error})",
                where=str(source.folder),
                mend="Copy the whole set again.",
            ) from error

    @classmethod
    def load(cls, folder: Path | None = None) -> Encoders:
        """Load a set from a folder; None is the shipped toon set. Raises IdentityError for a broken one and for one that
        has not been calibrated."""
        source = open_set(folder)
        return cls(source, read_thresholds(source.thresholds, source.hashes))

    @property
    def thresholds(self) -> Thresholds:
        """The measured same/other distributions of this set."""
        if self._thresholds is None:
            raise IdentityError(
                "the encoder set is not calibrated", where=str(self.folder), mend=calibration_command(self.folder)
            )
        return self._thresholds

    def observe(self, frame: Picture, *, alone: bool = False) -> list[Figure]:
        """The figures of one frame (H, W, 3) uint8 RGB, best score first. See `observe_many`."""
        return next(self.observe_many([frame], alone=alone))

    def observe_many(self, frames: Iterable[Picture], *, alone: bool = False) -> Iterator[list[Figure]]:
        """The figures of each frame, in order: a few frames are looked at at the same time, and their crops embedded in
        batches across frames. However many frames come, only a few are in memory.

        A figure's box is the person detector's, else it is drawn around a face. With `alone` the caller says that the
        frame shows one figure, which then is the whole frame when nothing else was found.
        """
        with ThreadPoolExecutor(runtime.workers()) as pool:
            looked = _ahead(pool, partial(self._look, alone=alone), frames)
            while group := list(islice(looked, BATCH)):
                figures = self._embedded([cut for cuts in group for cut in cuts])
                for cuts in group:
                    yield list(islice(figures, len(cuts)))

    def _look(self, frame: Picture, alone: bool) -> list[_Cut]:
        """Find the figures of a frame and cut out of it all that the embedders need."""
        frame = _checked(frame)
        return [
            _Cut(
                box,
                face,
                None if face is None else self._faces.crop(frame, face),
                self._looks.prepared(figure_crop(frame, box[:4])),
                None if self._bodies is None else self._bodies.prepared(_exact_crop(frame, box[:4])),
            )
            for box, face in self._find(frame, alone)
        ]

    def _embedded(self, cuts: list[_Cut]) -> Iterator[Figure]:
        faces = iter(self._faces.embed([cut.face for cut in cuts if cut.face is not None]))
        looks = self._looks.embed([cut.look for cut in cuts])
        if self._bodies is None:
            bodies = np.zeros((len(cuts), BODY_WIDTH), np.float32)
        else:
            bodies = self._bodies.embed([cut.body for cut in cuts if cut.body is not None])
        for cut, look, body in zip(cuts, looks, bodies, strict=True):
            row = cut.face_row
            face = None if row is None else Face(row[:4], row[5:].reshape(5, 2), float(row[4]), next(faces))
            yield Figure(cut.row[:4], float(cut.row[4]), face, look, body)

    def _find(self, frame: Picture, alone: bool) -> list[tuple[Array, Array | None]]:
        """Pairs of a figure's (x0, y0, x1, y1, score) and its face's row of 15 (box, score, key points) or None."""
        height, width = frame.shape[:2]
        if min(height, width) < SMALLEST:
            return []
        boxes, faces = self._detect(frame)
        owner = match(boxes, faces)
        pairs: list[tuple[Array, Array | None]] = [
            (box, None if owner[i] < 0 else faces[owner[i]]) for i, box in enumerate(boxes)
        ]
        for j in sorted(set(range(len(faces))) - set(owner)):
            pairs.append(
                (np.append(figure_around(faces[j, :4], (height, width)), faces[j, 4]).astype(np.float32), faces[j])
            )
        pairs = _without_parts(pairs)
        if not pairs and alone:
            pairs.append((np.array([0, 0, width, height, 0], np.float32), None))
        return sorted(pairs, key=lambda pair: -float(pair[0][4]))

    def _detect(self, frame: Picture) -> tuple[Array, Array]:
        """Rows of figures (n, 5) and of faces (m, 15) in the frame's pixels."""
        import cv2

        size = np.array(frame.shape[1::-1])
        share = ENOUGH * max(self._faces.window(*frame.shape[:2])) / max(size)
        small = np.maximum(np.round(size * share), 1).astype(int) if share < 1 else size
        seen = cv2.resize(frame, small.tolist(), interpolation=cv2.INTER_AREA) if share < 1 else frame
        bgr = np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2BGR), np.uint8)
        faces = self._faces.detect(bgr)
        boxes = np.zeros((0, 5), np.float32) if self._bodies is None else self._bodies.detect(bgr)
        if share < 1:
            back = (size / small).astype(np.float32)
            boxes[:, :4] *= np.tile(back, 2)
            faces[:, :4] *= np.tile(back, 2)
            faces[:, 5:] *= np.tile(back, 5)
        return boxes, faces


def _ahead(pool: Executor, work: Callable[[Picture], list[_Cut]], frames: Iterable[Picture]) -> Iterator[list[_Cut]]:
    """The work done on each frame, in order, a few frames ahead of whoever asks."""
    waiting: deque[Future[list[_Cut]]] = deque()
    for frame in frames:
        waiting.append(pool.submit(work, frame))
        if len(waiting) > runtime.workers() + 1:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _without_parts(pairs: list[tuple[Array, Array | None]]) -> list[tuple[Array, Array | None]]:
    """Leaves out faceless boxes that lie in the box of a figure with a face: they are a part of it, found twice."""
    faced = [box for box, face in pairs if face is not None]
    if not faced:
        return pairs
    return [
        (box, face)
        for box, face in pairs
        if face is not None or float(overlap(box[None], np.stack(faced)).max()) < 0.8 * float(area(box))
    ]


def figure_crop(frame: Picture, box: Array) -> Picture:
    """The part of a frame that open_clip sees of a figure: its box grown by MARGIN, inside the frame."""
    return _exact_crop(frame, grown(box, MARGIN, frame.shape[:2]))


def _exact_crop(frame: Picture, box: Array) -> Picture:
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:4]).astype(int)
    return np.ascontiguousarray(frame[max(0, y0) : y1, max(0, x0) : x1])


def _checked(frame: Picture) -> Picture:
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise IdentityError("a frame must be an array (height, width, 3) of uint8 RGB")
    return frame
