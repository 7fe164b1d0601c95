"""Candidates for a pack: every figure of every source frame, with what is needed to judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identity.boxes import grown
from identity.encoders import BATCH, Encoders, Figure, figure_crop
from identity.errors import IdentityError
from identity.frames import Frame, read_frames
from identity.likeness import shot_size
from identity.quality import Quality, measure
from identity.records import Record

_PICTURE = 640  # longer side of a kept picture, pixels


@dataclass(frozen=True)
class Candidate:
    """One figure of one frame, judged, with its picture packed away so that memory does not grow with video."""

    frame: Frame
    figure: Figure
    size: str
    quality: Quality
    picture: bytes

    @property
    def worth(self) -> float:
        """Quality 0..1 to rank by; a clear face counts."""
        return self.quality.score * (0.7 if self.figure.face is None else 0.8 + 0.2 * self.figure.face.score)

    @property
    def place(self) -> tuple[str, int | None]:
        """Which frame it is from: source, and number in a video."""
        return self.frame.source, self.frame.index

    @property
    def features(self) -> NDArray[np.float64]:
        """What a pack is spread over: appearance, face, distance from the camera, turn of the head, light."""
        face = np.zeros(512) if self.figure.face is None else self.figure.face.embedding.astype(np.float64)
        turn = 0.0 if self.figure.face is None else _turn(self.figure.face.kps)
        plain = [0.25 * np.log2(max(1.0, self.quality.size) / 128), 0.5 * turn, self.quality.light]
        return np.concatenate([self.figure.embedding.astype(np.float64), 0.5 * face, plain])

    @property
    def record(self) -> Record:
        """What the pack says of it."""
        face = self.figure.face
        x0, y0, x1, y1 = (round(float(value), 1) for value in self.figure.box)
        return Record(
            source=self.frame.source,
            index=self.frame.index,
            seconds=self.frame.seconds,
            box=(x0, y0, x1, y1),
            size=self.size,
            face_score=0.0 if face is None else round(face.score, 3),
            blur=round(self.quality.blur, 3),
            light=round(self.quality.light, 3),
            quality=round(self.worth, 3),
            note="" if face is not None else "no face seen",
        )


def gather(sources: Sequence[Path], encoders: Encoders) -> tuple[list[Candidate], list[Frame]]:
    """All figures of all sources, and the frames without one (stripped of their pixels).

    Raises IdentityError for a folder or video, or all pictures together, in which nobody is found.
    """
    candidates: list[Candidate] = []
    empty: list[Frame] = []
    for source in sources:
        before, frames = len(candidates), read_frames(source)
        while group := list(islice(frames, BATCH)):
            for frame, figures in zip(group, encoders.observe_many([f.pixels for f in group]), strict=True):
                candidates.extend(_candidate(frame, figure) for figure in figures)
                if not figures:
                    empty.append(_bare(frame))
        if len(candidates) == before and (source.is_dir() or empty[-1].index is not None):
            raise _nobody(str(source))
    if not candidates:
        raise _nobody(empty[0].source if len(empty) == 1 else f"{empty[0].source} and {len(empty) - 1} more")
    return candidates, empty


def _nobody(where: str) -> IdentityError:
    return IdentityError(
        "no face and no figure was found", where=where, mend="Give pictures in which the character is large and clear."
    )


def _bare(frame: Frame) -> Frame:
    return Frame(frame.source, np.zeros((0, 0, 3), np.uint8), frame.index, frame.seconds)


def _candidate(frame: Frame, figure: Figure) -> Candidate:
    from PIL import Image

    crop = figure_crop(frame.pixels, figure.box)
    x0, y0, x1, y1 = grown(figure.box, 0.1, frame.pixels.shape[:2]).round().astype(int)
    picture = Image.fromarray(frame.pixels[y0:y1, x0:x1])
    picture.thumbnail((_PICTURE, _PICTURE))
    packed = BytesIO()
    picture.save(packed, "WEBP", quality=92, method=2)
    size = shot_size(figure.box, frame.pixels.shape[:2])
    return Candidate(_bare(frame), figure, size, measure(crop), packed.getvalue())


def _turn(kps: NDArray[np.float32]) -> float:
    """How far a head is turned, -1 (to the picture's left) .. 1, from where the nose lies between the eyes."""
    eyes = (kps[0] + kps[1]) / 2
    apart = max(1.0, float(np.linalg.norm(kps[1] - kps[0])))
    return float(np.clip((kps[2, 0] - eyes[0]) / apart, -1, 1))
