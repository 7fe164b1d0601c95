"""What is seen in a clip: every figure of every frame, compared with packs, without its pixels and embeddings."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from identity.encoders import Encoders, Figure
from identity.errors import IdentityError
from identity.likeness import CUES, Thresholds, shot_size
from identity.pack import IdentityPack
from identity.tracks import Tracks, smoothed

MEASURES = (*CUES, "face_exemplar", "figure_exemplar", "likeness", "evidence")
LOOKS = 256
"""Frames of a clip whose embeddings are kept, evenly spread: memory must not grow with a clip's length."""

Table = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Glimpse:
    """One figure in one frame: its box (x0, y0, x1, y1) and its face's in pixels (None: not seen), the shot size, and whether
    the whole face is inside the frame."""

    box: tuple[float, ...]
    face_box: tuple[float, ...] | None
    size: str
    whole: bool


@dataclass
class Sightings:
    """The figures of a clip, frame by frame.

    `tables` hold for each frame arrays (figures, packs) by MEASURES: cosines to a pack's centres, face and figure to the
    nearest of its exemplars, likeness, and evidence, averaged along each figure's track. `places` number figures by where
    they stand, whoever it is. `looks` are the embeddings (figures, F) of some frames.
    """

    figures: list[list[Glimpse]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    places: list[list[int]] = field(default_factory=list)
    looks: dict[int, NDArray[np.float32]] = field(default_factory=dict)


def sightings(
    frames: Iterable[NDArray[np.uint8]], packs: Mapping[str, IdentityPack], encoders: Encoders
) -> Sightings:
    """Look at a clip, frames (T, H, W, 3) uint8 RGB or any iterable of frames, one batch at a time.

    Raises IdentityError for packs of other encoders and for no frames.
    """
    for name, pack in packs.items():
        if pack.encoders != encoders.hashes:
            raise IdentityError(
                "the pack was made by other encoders than those in use", where=name, mend="Make it again."
            )
    thresholds, shapes = encoders.thresholds, deque[tuple[int, ...]]()
    tracks, places = Tracks(thresholds), Tracks(None)
    found, numbers, step = Sightings(), [], 1
    for place, figures in enumerate(encoders.observe_many(passing(frames, shapes))):
        shape = shapes.popleft()
        found.tables.append(_compare(figures, shape, list(packs.values()), thresholds))
        found.figures.append([_glimpse(figure, shape) for figure in figures])
        numbers.append(tracks.show(figures))
        found.places.append(places.show(figures))
        if place % step == 0 and figures:
            found.looks[place] = np.stack([figure.embedding for figure in figures])
            if len(found.looks) > LOOKS:
                step *= 2
                found.looks = {kept: rows for kept, rows in found.looks.items() if kept % step == 0}
    if not found.figures:
        raise IdentityError("the clip has no frames", mend="Give a clip with frames.")
    for table, evidence in zip(
        found.tables, smoothed([table["evidence"] for table in found.tables], numbers), strict=True
    ):
        table["evidence"] = evidence
    return found


def passing(frames: Iterable[NDArray[np.uint8]], shapes: deque[tuple[int, ...]]) -> Iterator[NDArray[np.uint8]]:
    """The same frames; the shape of each waits in `shapes` until its figures have come."""
    for frame in frames:
        shapes.append(frame.shape)
        yield frame


def _compare(
    figures: Sequence[Figure], shape: tuple[int, ...], packs: Sequence[IdentityPack], thresholds: Thresholds
) -> Table:
    table = {key: np.full((len(figures), len(packs)), np.nan) for key in MEASURES}
    for row, figure in enumerate(figures):
        for column, pack in enumerate(packs):
            exemplars = list(pack.exemplars)
            table["figure"][row, column] = figure.embedding @ pack.centre_figure
            table["body"][row, column] = figure.body @ pack.centre_body
            table["figure_exemplar"][row, column] = (pack.figures[exemplars] @ figure.embedding).max(initial=-1)
            if figure.face is not None and pack.centre_face.any():
                table["face"][row, column] = figure.face.embedding @ pack.centre_face
                table["face_exemplar"][row, column] = (pack.faces[exemplars] @ figure.face.embedding).max(initial=-1)
        cues = {cue: table[cue][row] for cue in CUES}
        table["likeness"][row], table["evidence"][row] = thresholds.weigh(cues, shot_size(figure.box, shape))
    return table


def _glimpse(figure: Figure, shape: tuple[int, ...]) -> Glimpse:
    face = None if figure.face is None else _rounded(figure.face.box)
    whole = face is not None and min(face[:2]) >= 1 and face[2] <= shape[1] - 1 and face[3] <= shape[0] - 1
    return Glimpse(_rounded(figure.box), face, shot_size(figure.box, shape), whole)


def _rounded(box: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(round(float(value), 1) for value in box)
