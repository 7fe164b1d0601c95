"""Measuring what an encoder set's similarities mean, on labelled pictures of people it was not trained on."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.curation import centre
from identity.encoders import Encoders, Figure
from identity.encoderset import open_set
from identity.errors import IdentityError
from identity.likeness import CUES, PAIR, SCHEMA, SIZES, Spread, Thresholds, shot_size
from identity.sightings import passing

PICTURES = 4
"""Pictures in which a person's figure is found that it takes at least: two for each half."""
FEWEST = 30
"""Same-person similarities that a column needs for numbers of its own; below it takes those of all sizes together."""

Sample = tuple[int, int, str, Figure]  # person, half, shot size, figure
Column = tuple[NDArray[np.float64], NDArray[np.bool_]]  # similarities, and whether each is of the same person


def calibrate(folder: Path, people: Mapping[str, Iterable[NDArray[np.uint8]]]) -> dict[str, Any]:
    """Measure same/other similarities of an encoder set and write its `thresholds.json`; returns the document.

    `people` gives for each name pictures (H, W, 3) uint8 RGB of that person alone: at least two people and PICTURES of each,
    over all shot sizes; they are gone through once. Each picture is compared with robust centres made from the other half
    of the pictures, so never with itself. Raises IdentityError when too little is found to measure.
    """
    source = open_set(folder)
    encoders = Encoders(source, None)
    samples, missed = _observe(encoders, people)
    found = Counter(person for person, *_ in samples)
    if len(found) < 2:
        raise IdentityError(
            "figures of fewer than two people were found", where=str(folder), mend="Give pictures of more people."
        )
    for person, name in enumerate(sorted(people)):
        if found[person] < PICTURES:
            raise IdentityError(
                f"a figure was found in {found[person]} pictures of {name}, and {PICTURES} are the fewest to measure on",
                where=str(folder),
                mend=f"Give more pictures of {name}, large and clear, or leave this person out.",
            )
    cues = {cue: _columns(samples, cue) for cue in CUES}
    spreads = {cue: {size: _spread(column) for size, column in columns.items()} for cue, columns in cues.items()}
    gate, auc = _gate(samples, Thresholds(spreads, 0.5))
    document = {
        "schema": SCHEMA,
        "encoders": source.hashes,
        "people": len(people),
        "pictures": len(samples) + missed,
        "figures_missed": missed,
        "gate": round(gate, 4),
        "auc": {size: round(value, 4) for size, value in auc.items()},
        "cues": {cue: {size: _rounded(spread) for size, spread in sizes.items()} for cue, sizes in spreads.items()},
    }
    fresh = source.thresholds.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, source.thresholds)
    return document


def _observe(encoders: Encoders, people: Mapping[str, Iterable[NDArray[np.uint8]]]) -> tuple[list[Sample], int]:
    samples: list[Sample] = []
    missed = 0
    for person, name in enumerate(sorted(people)):
        shapes = deque[tuple[int, ...]]()
        found = 0
        for figures in encoders.observe_many(passing(people[name], shapes)):
            shape = shapes.popleft()
            if figures:  # halves of those found: both have some of everyone
                samples.append((person, found % 2, shot_size(figures[0].box, shape), figures[0]))
                found += 1
            missed += not figures
    return samples, missed


def _rows(samples: Sequence[Sample], cue: str) -> NDArray[np.float32]:
    if cue == "face":
        return np.stack([np.zeros(512, np.float32) if f.face is None else f.face.embedding for *_, f in samples])
    return np.stack([f.embedding if cue == "figure" else f.body for *_, f in samples])


def _compared(samples: Sequence[Sample], cue: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cosines (samples, people) to the centres made from the other half, NaN where either is absent; and who is the
    same."""
    rows, who = _rows(samples, cue), np.array([person for person, *_ in samples])
    half = np.array([half for _, half, *_ in samples])
    names = np.unique(who)
    result = np.full((len(rows), len(names)), np.nan)
    for part in (0, 1):
        centres = np.stack([centre(rows[(who == name) & (half == part)]) for name in names])
        here = half != part
        result[here] = rows[here] @ centres.T
        result[np.ix_(here, np.linalg.norm(centres, axis=1) < 0.5)] = np.nan
    result[np.linalg.norm(rows, axis=1) < 0.5] = np.nan
    return result, who[:, None] == names[None]


def _columns(samples: Sequence[Sample], cue: str) -> dict[str, Column]:
    similarity, same = _compared(samples, cue)
    known = ~np.isnan(similarity)
    sizes = np.array([size for _, _, size, _ in samples])
    columns: dict[str, Column] = {}
    for size in SIZES:
        here = known & (sizes == size)[:, None]
        here = here if (here & same).sum() >= FEWEST else known
        columns[size] = similarity[here], same[here]
    rows, who = _rows(samples, cue), np.array([person for person, *_ in samples])
    there = np.linalg.norm(rows, axis=1) > 0.5
    first, second = np.triu_indices(int(there.sum()), 1)
    pairs = (rows[there] @ rows[there].T)[first, second].astype(np.float64)
    columns[PAIR] = pairs, who[there][first] == who[there][second]
    return columns


def _spread(column: Column) -> Spread:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    similarity, same = column
    yes, no = similarity[same], similarity[~same]
    if len(yes) < 4 or len(no) < 4:
        return Spread(0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.5, len(yes))  # a cue never seen says nothing: no strength
    scale = Spread(float(yes.mean()), float(yes.std()), float(no.mean()), float(no.std()), 0.0, 0.0, 0.5, len(yes))
    # On the likeness scale, and mildly regularised: separable samples must not turn the line into a step.
    line = LogisticRegression(class_weight="balanced", max_iter=1000).fit(scale.likeness(similarity)[:, None], same)
    return replace(
        scale,
        slope=max(0.0, float(line.coef_[0, 0])),
        offset=float(line.intercept_[0]),
        auc=float(roc_auc_score(same, similarity)),
    )


def _gate(samples: Sequence[Sample], thresholds: Thresholds) -> tuple[float, dict[str, float]]:
    """The likeness at which as many strangers pass as true ones fail; and the AUC of all cues together, by size."""
    from sklearn.metrics import roc_auc_score, roc_curve

    compared = {cue: _compared(samples, cue) for cue in CUES}
    same = compared["figure"][1]
    sizes = np.array([size for _, _, size, _ in samples])
    likeness, auc = np.full(same.shape, np.nan), {}
    for size in SIZES:
        here = sizes == size
        if here.any():
            likeness[here], evidence = thresholds.weigh(
                {cue: values[here] for cue, (values, _) in compared.items()}, size
            )
            known = ~np.isnan(evidence)
            if same[here][known].any():
                auc[size] = float(roc_auc_score(same[here][known], evidence[known]))
    known = ~np.isnan(likeness)
    false, true, levels = roc_curve(same[known], likeness[known])
    return float(levels[int(np.argmin(np.abs(false - (1 - true))))]), auc


def _rounded(spread: Spread) -> dict[str, float]:
    return {key: round(value, 5) for key, value in asdict(spread).items()}
