"""How well one character keeps to its pack over a clip: its likeness in figures, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.changes import Change, changes
from identity.curation import centre
from identity.likeness import Thresholds
from identity.sightings import Glimpse, Sightings, Table

PRESENT = 0.6
"""Share of a clip's frames in which a character must be found to pass: one who is swapped half-way does not."""
SINKING = -0.4
"""Change of likeness over a clip below which a character turns into somebody else. Drawn clips stay within 0.05."""
REDRESSED = 2.0
"""Standard deviations of the same person's pictures by which the whole figure, and not the face, must fall short of the
pack for the clothes to be others: drawn people in their own clothes stay about 0, in other ones they come to 3 to 6."""

_COSINES = ("face", "figure", "face_exemplar", "figure_exemplar")


@dataclass(frozen=True)
class Seen:
    """One character in one frame: its box (x0, y0, x1, y1) and face box in pixels, shot size, likeness to its pack (0
    a stranger, 1 as its own references), and plain cosines: of face and figure to the pack's centres, and to whichever of
    its exemplars is nearest (None where there is nothing to compare)."""

    frame: int
    name: str
    box: tuple[float, ...]
    face_box: tuple[float, ...] | None
    size: str
    likeness: float
    face: float | None
    figure: float
    face_exemplar: float | None
    figure_exemplar: float


@dataclass(frozen=True)
class CharacterScore:
    """One character over a clip. Shares are 0..1; likeness is 0 for a stranger and 1 for the pack's own frames.

    `present` share of frames in which it was found, of those (half of all at least) in which more than a part of a face at the
    frame's edge tells who it is; `no_face` share of those in which its face was not; `mean` and
    `worst` likeness, with the frame index of the worst (None when it was never found); `drift` change of likeness
    from the first frame to the last, by a straight line; `face` and `figure` mean cosines to the pack's centres,
    `face_exemplar` and `figure_exemplar` to the nearest exemplar; `clothes` how far its whole figure
    falls short of the pack while its face does not, in standard deviations of the same person's pictures (None without a
    face); `looks` the mean of its figure embeddings, to compare shots with; `nearest` the mean likeness of whichever figure
    came nearest in each frame, even if it was taken for nobody (None without figures), to rank failed takes by;
    `changes` the stretches in which somebody else stands in its place; `faults` what is wrong with it where it was found, in
    words that count frames from 1: a `mean` under the gate, a `drift` below SINKING, other clothes, changes; `passes` whether
    there is nothing of that and `present` reaches PRESENT.
    """

    name: str
    present: float
    no_face: float
    mean: float | None
    worst: float | None
    worst_frame: int | None
    drift: float | None
    face: float | None
    figure: float | None
    face_exemplar: float | None
    figure_exemplar: float | None
    clothes: float | None
    looks: tuple[float, ...]
    nearest: float | None
    changes: tuple[Change, ...]
    faults: tuple[str, ...]
    passes: bool


def portrayal(
    name: str, rows: Mapping[int, int], column: int, found: Sightings, thresholds: Thresholds
) -> tuple[CharacterScore, list[Seen]]:
    """What to say of the character in `column` of the packs, whose figure in each frame (frame: row) is given."""
    frames, gate = len(found.figures), thresholds.gate
    near = [np.nan_to_num(table["likeness"][:, column]).max() for table in found.tables if len(table["likeness"])]
    nearest = _mean(near)
    if not rows:
        nothing: dict[str, Any] = dict.fromkeys(("mean", "worst", "worst_frame", "drift", *_COSINES, "clothes"))
        return CharacterScore(
            name=name, present=0.0, no_face=0.0, **nothing, looks=(), nearest=nearest, changes=(), faults=(), passes=False
        ), []
    seen = [
        _seen(place, found.figures[place][row], name, found.tables[place], (row, column)) for place, row in rows.items()
    ]
    likeness = np.array([one.likeness for one in seen])
    slope = float(np.polyfit([one.frame for one in seen], likeness, 1)[0]) if len(seen) > 2 else 0.0
    values, unsure = _in_place(rows, column, found, gate)
    told = frames - sum(place not in rows for place in np.flatnonzero(unsure))
    present, drift, mean = len(seen) / max(told, frames / 2), slope * (frames - 1), float(likeness.mean())
    turned = changes(values, unsure, gate)
    clothes = _clothes(seen, thresholds)
    faults = [f"likeness {mean:.2f} is under the gate of {gate:.2f}"] if mean < gate else []
    faults += [change.told(frames) for change in turned]
    if drift <= SINKING and not turned:
        faults.append("turns into somebody else little by little")
    if clothes is not None and clothes > REDRESSED:
        faults.append("wears other clothes")
    looks = [found.looks[place][row] for place, row in rows.items() if place in found.looks]
    return CharacterScore(
        name=name,
        present=round(present, 4),
        no_face=round(1 - sum(one.face_box is not None for one in seen) / len(seen), 4),
        mean=round(mean, 4),
        worst=round(float(likeness.min()), 4),
        worst_frame=seen[int(likeness.argmin())].frame,
        drift=round(drift, 4),
        **{key: _mean([getattr(one, key) for one in seen]) for key in _COSINES},
        clothes=clothes,
        looks=tuple(round(float(value), 5) for value in centre(np.stack(looks))) if looks else (),
        nearest=nearest,
        changes=turned,
        faults=tuple(faults),
        passes=not faults and present >= PRESENT,
    ), seen


def _seen(frame: int, glimpse: Glimpse, name: str, table: Table, at: tuple[int, int]) -> Seen:
    values = {key: round(float(table[key][at]), 4) for key in ("likeness", "face", "figure", "face_exemplar", "figure_exemplar")}
    plain = {key: None if np.isnan(value) else value for key, value in values.items()}
    return Seen(frame=frame, name=name, box=glimpse.box, face_box=glimpse.face_box, size=glimpse.size, **plain)  # type: ignore[arg-type]


def _in_place(
    rows: Mapping[int, int], column: int, found: Sightings, gate: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Likeness (T,) of the character where it was found, given as its figure by frame, else of the figure that stands where
    it was or will be found; NaN where nobody does. And whether that is open, since the face is not seen whole and the rest is
    no stranger's."""
    own = {found.places[place][row] for place, row in rows.items()}
    values, unsure = np.full(len(found.figures), np.nan), np.zeros(len(found.figures), bool)
    for place, (numbers, glimpses) in enumerate(zip(found.places, found.figures, strict=True)):
        likeness = found.tables[place]["likeness"][:, column]
        there = [rows[place]] if place in rows else [row for row, number in enumerate(numbers) if number in own]
        known = [row for row in there if not np.isnan(likeness[row])]
        if known:
            best = max(known, key=lambda row: likeness[row])
            values[place] = likeness[best]
            unsure[place] = not glimpses[best].whole and likeness[best] > gate / 2
    return values, unsure


def _clothes(seen: Sequence[Seen], thresholds: Thresholds) -> float | None:
    """How far the figure falls short in the best fifth of the frames, since clothes stay while a pose goes; 0 where the face
    falls short too: then it is not the clothes that are wrong."""
    faced = [one for one in seen if one.face is not None]
    if not faced:
        return None
    face, figure = (
        [float(thresholds.spreads[cue][one.size].shortfall(getattr(one, cue))) for one in faced] for cue in ("face", "figure")
    )
    return round(float(np.quantile(figure, 0.2)), 4) if np.quantile(face, 0.2) <= REDRESSED else 0.0


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of what is there; None when nothing is."""
    known = np.array([value for value in values if value is not None], np.float64)
    return round(float(np.nanmean(known)), 4) if (~np.isnan(known)).any() else None
