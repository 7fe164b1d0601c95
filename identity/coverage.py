"""Choosing a few frames that stand for all: the facility-location rule.

Every frame asks to be stood for by one that is like it, and good. A choice C of rows is worth

    F(C) = sum_i w_i max_{j in C} s_ij q_j

where s_ij = exp(-|x_i - x_j|^2 / 2) says how alike two views are (0..1), q_j how good a frame is (0..1), and w_i, adding up to
1, is one over how many views are like i: a pose held for long counts no more than one seen once. F is the share of all looks
that the choice shows. It is monotone and submodular, so that taking the frame with the greatest gain, again and again, reaches
at least 1 - 1/e = 63 % of what any choice of that size could (Nemhauser, Wolsey and Fisher 1978); in practice far more
(`python -m benchmarks.packs` measures it). Gains only shrink, so most need no second look (the lazy rule of Minoux 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def appeal(rows: Array, quality: Array) -> tuple[Array, Array]:
    """What the rule works on: s_ij q_j as a matrix (n, n) and the weights w (n,), of view rows (n, d) and quality (n,)."""
    squares = (rows**2).sum(axis=1)
    likeness = np.exp(-np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0) / 2)
    weights = 1 / likeness.sum(axis=1)
    return likeness * quality[None], weights / weights.sum()


def coverage(served: Array, weights: Array, chosen: Sequence[int]) -> float:
    """F of a choice, 0..1. `served` and `weights` are those of `appeal`."""
    return float(weights @ served[:, list(chosen)].max(axis=1)) if len(chosen) else 0.0


def cover(served: Array, weights: Array, limit: int) -> list[int]:
    """At most `limit` rows of nearly the greatest coverage, in order of their number. Ties go to the earlier row."""
    count = len(served)
    if count <= limit:
        return list(range(count))
    best = np.zeros(count)
    waiting = [(-float(gain), row) for row, gain in enumerate(weights @ served)]
    heapq.heapify(waiting)
    chosen: list[int] = []
    while len(chosen) < limit:
        _, row = heapq.heappop(waiting)
        gain = float(weights @ np.maximum(served[:, row] - best, 0))
        if waiting and (-gain, row) > waiting[0]:
            heapq.heappush(waiting, (-gain, row))
            continue
        chosen.append(row)
        best = np.maximum(best, served[:, row])
    return sorted(chosen)
