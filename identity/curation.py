"""Choosing among embeddings: one person, no near-duplicates, a robust centre, a few exemplars.

Every function is deterministic; rows are unit vectors (n, d) unless said otherwise, and a zero row is an absent one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
TRIM = 0.2
"""Share of the rows, the farthest from the mean, that a robust centre leaves out."""


def centre(rows: Array, weights: Array | None = None) -> Array:
    """A robust direction (d,): the weighted mean, then the mean again without the farthest TRIM of the rows; length 1.

    Zero rows do not count; all zero gives zero.
    """
    there = np.linalg.norm(rows, axis=1) > 0.5
    if not there.any():
        return np.zeros(rows.shape[1], np.float32)
    kept = rows[there].astype(np.float64)
    weight = np.ones(len(kept)) if weights is None else np.maximum(weights[there].astype(np.float64), 1e-3)
    inside = np.ones(len(kept))
    for _ in range(3):
        middle = _unit((weight * inside) @ kept)
        nearest = np.argsort(-(kept @ middle), kind="stable")[: int(np.ceil(len(kept) * (1 - TRIM)))]
        inside = np.zeros(len(kept))
        inside[nearest] = 1
    return _unit((weight * inside) @ kept).astype(np.float32)


def people(distance: NDArray[np.float64], limit: float) -> NDArray[np.int64]:
    """Cluster labels (n,) from a distance matrix (n, n): average linkage, merged up to `limit`; 0 is the biggest
    cluster.

    Ties go to the cluster that holds the earliest row.
    """
    if len(distance) == 1:
        return np.zeros(1, np.int64)
    from sklearn.cluster import AgglomerativeClustering

    labels = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=limit
    ).fit_predict(distance)
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    rank = {name: place for place, name in enumerate(names[np.lexsort((first, -counts))])}
    return np.array([rank[label] for label in labels], np.int64)


def thinned(alike: NDArray[np.bool_], quality: Array) -> tuple[list[int], dict[int, int]]:
    """Rows to keep so that no two are `alike` (n, n), best quality first; and, for each row left out, the one it
    repeats."""
    kept: list[int] = []
    repeats: dict[int, int] = {}
    for row in np.argsort(-quality, kind="stable"):
        twins = np.flatnonzero(alike[row, kept])
        if len(twins):
            repeats[int(row)] = kept[twins[0]]
        else:
            kept.append(int(row))
    return sorted(kept), repeats


def medoids(rows: Array, count: int) -> list[int]:
    """At most `count` rows that stand for the whole: k-medoids on cosine distance, started by k-centre from the
    medoid."""
    distance = 1 - rows.astype(np.float64) @ rows.T.astype(np.float64)
    chosen = [int(np.argmin(distance.sum(axis=1)))]
    while len(chosen) < min(count, len(rows)):
        nearest = distance[:, chosen].min(axis=1)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
    for _ in range(20):
        owner = np.argmin(distance[:, chosen], axis=1)
        better = []
        for place, old in enumerate(chosen):
            members = np.flatnonzero(owner == place)
            inner = distance[np.ix_(members, members)].sum(axis=1) if len(members) else np.zeros(0)
            better.append(int(members[np.argmin(inner)]) if len(members) else old)
        if better == chosen:
            break
        chosen = better
    return sorted(set(chosen))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
