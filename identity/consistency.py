"""Whether a character looks the same from shot to shot, and is the right one at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from identity.scores import Score


@dataclass(frozen=True)
class Consistency:
    """One character over the shots in which it was found.

    `shots` are their numbers; `matrix` their likeness to one another, cosines of the mean
    figure embeddings; `faithful` whether each is like the references at all, which comes first: `value`, the mean over all
    pairs of shots, counts a pair for nothing unless both are, so that a stable but wrong figure earns nothing. It is None
    with fewer than two shots.
    """

    name: str
    shots: tuple[int, ...]
    matrix: tuple[tuple[float, ...], ...]
    faithful: tuple[bool, ...]
    value: float | None


def cross_shot(scores: Sequence[Score], name: str) -> NDArray[np.float64]:
    """How alike a character looks from shot to shot: cosines (shots, shots) of its mean figure embeddings, NaN where
    absent."""
    looks = [score.characters[name].looks if name in score.characters else () for score in scores]
    result = np.full((len(looks), len(looks)), np.nan)
    for i, first in enumerate(looks):
        for j, second in enumerate(looks):
            if first and second:
                result[i, j] = float(np.dot(first, second))
    return result


def consistent(scores: Mapping[int, Score], name: str) -> Consistency:
    """The cross-shot consistency of a character over the shots of a film, given by number."""
    numbers, rows = list(scores), list(scores.values())
    table = cross_shot(rows, name)
    there = np.flatnonzero(~np.isnan(np.diag(table)))
    table = table[np.ix_(there, there)]
    faithful = np.array([(rows[place].characters[name].mean or 0) >= rows[place].gate for place in there], bool)
    earned = np.where(faithful[:, None] & faithful[None], table, 0)[np.triu_indices(len(there), 1)]
    return Consistency(
        name,
        tuple(numbers[place] for place in there),
        tuple(tuple(round(float(value), 4) for value in row) for row in table),
        tuple(faithful.tolist()),
        round(float(earned.mean()), 4) if len(earned) else None,
    )
