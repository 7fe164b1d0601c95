"""Who is who among the figures of many frames: each person's figures, the most often seen person first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identity.candidates import Candidate
from identity.curation import centre, people
from identity.encoders import Encoders, Figure
from identity.errors import IdentityError
from identity.frames import read_picture
from identity.likeness import CUES, PAIR, Thresholds, shot_size
from identity.scores import assign
from identity.tracks import follow

FAR = 1e6
"""Distance of two figures of one frame: no average that holds it comes near, so they are never put together."""
FEWEST = 3
"""Figures that a person has at least to draw others to itself, or as many as the one seen most often, if that has fewer."""
_ROWS = 512  # rows of likeness worked out at once, so that memory holds one whole table and no more


@dataclass(frozen=True)
class Person:
    """One person: which candidates it is (their numbers, rising), and robust centres of its embeddings by cue."""

    members: tuple[int, ...]
    centres: dict[str, NDArray[np.float32]]


def tracks_of(candidates: Sequence[Candidate], thresholds: Thresholds) -> NDArray[np.int64]:
    """A track number for each candidate (n,): figures followed within each shot; a figure of a picture has its own."""
    numbers = np.full(len(candidates), -1, np.int64)
    count = 0
    for (_, shot), run in groupby(range(len(candidates)), key=lambda i: (candidates[i].frame.source, candidates[i].frame.shot)):
        frames = [list(frame) for _, frame in groupby(run, key=lambda i: candidates[i].place)]
        if shot is None:
            found = [[k] for k in range(sum(map(len, frames)))]
            frames = [[i] for frame in frames for i in frame]
        else:
            found = follow([[candidates[i].figure for i in frame] for frame in frames], thresholds)
        for frame, row in zip(frames, found, strict=True):
            numbers[frame] = np.array(row) + count
        count = int(numbers.max()) + 1
    return numbers


def persons(
    candidates: Sequence[Candidate], good: Sequence[int], tracks: NDArray[np.int64], thresholds: Thresholds
) -> list[Person]:
    """The people among the good candidates (their numbers), by how many frames they are seen in.

    Figures are put together by average likeness, as long as it stays on the same-person side of what the encoder set was
    measured to be (`boundary`). Figures of one frame are different people, and those of one track are one person: these two
    hold whatever the likeness says. Then each person's robust centre is compared with every figure: a figure, by the mean
    evidence of its track, goes to the person it is likeliest to be, or to nobody; a frame shows each person once.
    """
    good = list(good)
    group = [candidates[i] for i in good]
    distance = 1 - np.clip(pair_likeness([c.figure for c in group], thresholds), -0.5, 0.999)
    track, frame = tracks[good], _numbers([c.place for c in group])
    distance[track[:, None] == track[None]] = 0
    distance[frame[:, None] == frame[None]] = FAR
    np.fill_diagonal(distance, 0)
    labels = people(distance, 1 - boundary(thresholds))
    counts = np.bincount(labels)
    known = [label for label, count in enumerate(counts) if count >= min(FEWEST, counts[0])]
    found = [_person(candidates, [good[k] for k in np.flatnonzero(labels == label)]) for label in known]
    evidence = np.stack([evidence_of(c.figure, c.size, found, thresholds) for c in group])
    for number in np.unique(track):
        evidence[track == number] = evidence[track == number].mean(axis=0)
    members: list[list[int]] = [[] for _ in found]
    for number in np.unique(frame):
        rows = np.flatnonzero(frame == number)
        for row, column in assign(evidence[rows]):
            members[column].append(good[rows[row]])
    again = [_person(candidates, sorted(some)) for some in members if some]
    return sorted(again, key=lambda person: (-len(person.members), person.members[0]))


def likest(likes: Mapping[str, Path], found: Sequence[Person], encoders: Encoders) -> list[int]:
    """The number of the person on each of these pictures, by name: all at once, so that two names are two people.

    Raises IdentityError for a picture that shows nobody or several people, or someone who is none of those found.
    """
    from scipy.optimize import linear_sum_assignment

    rows, alone = [], []
    for name, path in likes.items():
        frame = read_picture(Path(path))
        figures = encoders.observe(frame.pixels, alone=True)
        if len(figures) > 1:
            raise IdentityError(
                f"the picture shows {len(figures)} people", where=str(path), mend=f"Cut out the one who is {name}."
            )
        if not figures:
            raise IdentityError("the picture shows nobody", where=str(path), mend=f"Give a clear picture of {name}.")
        size = shot_size(figures[0].box, frame.pixels.shape[:2])
        rows.append(evidence_of(figures[0], size, found, encoders.thresholds))
        # Someone in other clothes is still known by the face.
        alone.append(evidence_of(figures[0], size, found, encoders.thresholds, cues=("face",)))
    if len(rows) > len(found):
        raise IdentityError(f"only {len(found)} people are seen", mend="Give fewer names, or sources that show them all.")
    pairs = list(zip(*linear_sum_assignment(np.stack(rows), maximize=True), strict=True))
    for row, column in pairs:
        if max(rows[row][column], alone[row][column]) <= 0:
            name, path = list(likes.items())[row]
            raise IdentityError(
                f"nobody in the sources looks like {name}", where=str(path), mend="Give another picture, or other sources."
            )
    return [int(column) for _, column in sorted(pairs)]


def boundary(thresholds: Thresholds) -> float:
    """The likeness of two pictures from which they are likelier one person than two, over the cues as they are weighed."""
    total, weight = 0.0, 0.0
    for cue in CUES:
        spread = thresholds.spreads[cue][PAIR]
        if spread.slope > 0:
            total += spread.strength * min(1.0, max(0.0, -spread.offset / spread.slope))
            weight += spread.strength
    return total / weight if weight else 0.5


def evidence_of(
    figure: Figure, size: str, found: Sequence[Person], thresholds: Thresholds, cues: Sequence[str] = CUES
) -> NDArray[np.float64]:
    """Log-odds (people,) that a figure, seen at a shot size, is each of these people; 0 where nothing can be compared."""
    rows = _rows(figure)
    cosines = {
        cue: np.array([_cosine(rows[cue], person.centres[cue]) for person in found], np.float64) for cue in cues
    }
    return np.nan_to_num(np.asarray(thresholds.weigh(cosines, size)[1], np.float64))


def pair_likeness(figures: Sequence[Figure], thresholds: Thresholds) -> NDArray[np.float64]:
    """How alike every two of n figures are, (n, n): 0 as strangers, 1 as pictures of one person; 0 where nothing can be
    compared."""
    rows = {cue: _table([_rows(figure)[cue] for figure in figures]) for cue in CUES}
    result = np.zeros((len(figures), len(figures)))
    for start in range(0, len(figures), _ROWS):
        some = slice(start, start + _ROWS)
        cosines = {cue: table[some] @ table.T for cue, table in rows.items()}
        result[some] = np.nan_to_num(thresholds.weigh(cosines, PAIR)[0])
    return result


def _person(candidates: Sequence[Candidate], members: Sequence[int]) -> Person:
    worth = np.array([candidates[i].worth for i in members], np.float32)
    rows = [_rows(candidates[i].figure) for i in members]
    centres = {cue: centre(np.nan_to_num(_table([row[cue] for row in rows])).astype(np.float32), worth) for cue in CUES}
    return Person(tuple(members), centres)


def _rows(figure: Figure) -> dict[str, NDArray[np.float32] | None]:
    return {"face": None if figure.face is None else figure.face.embedding, "figure": figure.embedding, "body": figure.body}


def _table(rows: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float64]:
    """Rows (n, d), NaN where there is none."""
    width = next((len(row) for row in rows if row is not None), 1)
    table = np.full((len(rows), width), np.nan)
    for place, row in enumerate(rows):
        if row is not None and row.any():
            table[place] = row
    return table


def _cosine(row: NDArray[np.float32] | None, middle: NDArray[np.float32]) -> float:
    return float("nan") if row is None or not row.any() or not middle.any() else float(row @ middle)


def _numbers(places: Sequence[object]) -> NDArray[np.int64]:
    known: dict[object, int] = {}
    return np.array([known.setdefault(place, len(known)) for place in places], np.int64)
