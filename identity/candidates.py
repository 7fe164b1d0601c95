"""Candidates for a pack: every figure of every source frame, with what is needed to judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from identity.boxes import area, grown, overlap
from identity.cutout import MARGIN
from identity.encoders import BATCH, Encoders, Figure, figure_crop
from identity.errors import IdentityError
from identity.frames import Frame, read_frames
from identity.likeness import PAIR, Thresholds, shot_size
from identity.quality import Quality, blockiness, measure
from identity.records import Record
from identity.twins import fingerprint
from identity.views import View, view

_PICTURE = 640  # longer side of a kept picture, pixels


class Album:
    """Pictures of candidates, waiting on disk for the choice, so that memory does not grow with the sources.

    The file has no name and is gone when the album is closed, or with the process.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 closed with the album

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def add(self, picture: bytes) -> tuple[int, int]:
        """Keeps a picture; returns where it lies."""
        place = self._file.seek(0, 2)
        self._file.write(picture)
        return place, len(picture)

    def picture(self, place: tuple[int, int]) -> bytes:
        """The picture that lies there."""
        self._file.seek(place[0])
        return self._file.read(place[1])


@dataclass(frozen=True)
class Candidate:
    """One figure of one frame, judged. The frame has lost its pixels; `kept_at` is where the album has its picture, `print`
    the fingerprint of its crop (64,)."""

    frame: Frame
    figure: Figure
    size: str
    quality: Quality
    view: View
    print: NDArray[np.bool_]
    kept_at: tuple[int, int]

    @property
    def worth(self) -> float:
        """Quality 0..1 to rank by; a clear face counts."""
        return self.quality.score * (0.7 if self.figure.face is None else 0.8 + 0.2 * self.figure.face.score)

    @property
    def place(self) -> tuple[str, int | None]:
        """Which frame it is from: source, and number in a video."""
        return self.frame.source, self.frame.index

    @property
    def record(self) -> Record:
        """What the pack says of it."""
        face, quality = self.figure.face, self.quality
        x0, y0, x1, y1 = (round(float(value), 1) for value in self.figure.box)
        return Record(
            source=self.frame.source,
            index=self.frame.index,
            seconds=self.frame.seconds,
            box=(x0, y0, x1, y1),
            size=self.size,
            face_score=0.0 if face is None else round(face.score, 3),
            blur=round(quality.blur, 3),
            light=round(quality.light, 3),
            quality=round(self.worth, 3),
            note="" if face is not None else "no face seen",
            face_size=round(quality.face_size, 1),
            yaw=round(self.view.yaw, 3),
            pitch=round(self.view.pitch, 3),
            face_blur=round(quality.face_blur, 3),
            occluded=round(quality.occluded, 3),
            compressed=round(quality.compressed, 3),
        )


@dataclass(frozen=True)
class Gathered:
    """What the sources gave: candidates, frames without a figure, and what somebody should know of the sources."""

    candidates: list[Candidate]
    empty: list[Frame]
    notes: list[str]


def gather(sources: Sequence[Path], encoders: Encoders, album: Album) -> Gathered:
    """All figures of all sources, and the frames without one.

    Raises IdentityError for a folder or video, or all pictures together, in which nobody is found.
    """
    found = Gathered([], [], [])
    candidates, empty = found.candidates, found.empty
    for source in sources:
        before, frames = len(candidates), read_frames(source, found.notes)
        while group := list(islice(frames, BATCH)):
            for frame, figures in zip(group, encoders.observe_many([f.pixels for f in group]), strict=True):
                candidates.extend(_judged(frame, found_once(figures, encoders.thresholds), album))
                if not figures:
                    empty.append(_bare(frame))
        if len(candidates) == before and (source.is_dir() or empty[-1].index is not None):
            raise _nobody(str(source))
    if not candidates:
        raise _nobody(empty[0].source if len(empty) == 1 else f"{empty[0].source} and {len(empty) - 1} more")
    return found


def hidden_shares(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much of each figure (n,) others may hide, 0..1, from boxes (n, 4) of one frame.

    Who reaches lower in the picture stands nearer; of two that end alike, as at the frame's edge, either may. Only the
    middle half of a box is taken to be solid: arms and skirts hide little.
    """
    solid = boxes.copy()
    quarter = (boxes[:, 2] - boxes[:, 0]) / 4
    solid[:, 0] += quarter
    solid[:, 2] -= quarter
    near = boxes[None, :, 3] >= boxes[:, None, 3] - 0.02 * (boxes[:, 3] - boxes[:, 1])[:, None]
    np.fill_diagonal(near, False)
    covered = (overlap(boxes, solid) * near).sum(axis=1) / np.maximum(area(boxes), 1e-6)
    return np.minimum(covered, 1).astype(np.float64)


def found_once(figures: Sequence[Figure], thresholds: Thresholds) -> list[Figure]:
    """The figures of a frame without those that were found twice: of two that look like one person, one in the other's box,
    the likelier box."""
    looks = thresholds.spreads["figure"][PAIR]
    kept: list[Figure] = []
    for figure in sorted(figures, key=lambda one: -one.score):
        for other in kept:
            shared = float(overlap(figure.box[None], other.box[None])[0, 0])
            inside = shared / max(1e-6, min(float(area(figure.box)), float(area(other.box))))
            if inside > 0.8 and looks.evidence(np.array(figure.embedding @ other.embedding)) > 0:
                break
        else:
            kept.append(figure)
    return kept


def _nobody(where: str) -> IdentityError:
    return IdentityError(
        "no face and no figure was found", where=where, mend="Give pictures in which the character is large and clear."
    )


def _bare(frame: Frame) -> Frame:
    return replace(frame, pixels=np.zeros((0, 0, 3), np.uint8))


def _judged(frame: Frame, figures: Sequence[Figure], album: Album) -> list[Candidate]:
    if not figures:
        return []
    blocks = blockiness(frame.pixels)
    shares = hidden_shares(np.stack([figure.box for figure in figures]).astype(np.float32))
    return [_candidate(frame, figure, float(share), blocks, album) for figure, share in zip(figures, shares, strict=True)]


def _candidate(frame: Frame, figure: Figure, hidden: float, blocks: float, album: Album) -> Candidate:
    from PIL import Image

    pixels, shape = frame.pixels, frame.pixels.shape[:2]
    crop = figure_crop(pixels, figure.box)
    face = None if figure.face is None else figure_crop(pixels, figure.face.box)
    x0, y0, x1, y1 = grown(figure.box, MARGIN, shape).round().astype(int)
    picture = Image.fromarray(pixels[y0:y1, x0:x1])
    picture.thumbnail((_PICTURE, _PICTURE))
    packed = BytesIO()
    picture.save(packed, "WEBP", quality=92, method=1)
    return Candidate(
        frame=_bare(frame),
        figure=figure,
        size=shot_size(figure.box, shape),
        quality=measure(crop, face, occluded=hidden, compressed=blocks),
        view=view(pixels, figure),
        print=fingerprint(crop),
        kept_at=album.add(packed.getvalue()),
    )
