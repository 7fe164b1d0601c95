"""The choosing rules, on random unit vectors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.curation import centre, medoids, people, thinned

seeds = st.integers(0, 10_000)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def cloud(seed: int, count: int, around: np.ndarray, noise: float = 0.05) -> np.ndarray:
    return unit(around + np.random.default_rng(seed).normal(0, noise, (count, len(around))))


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_centre_is_not_moved_by_a_few_strangers(seed: int) -> None:
    north, east = np.eye(16)[0], np.eye(16)[1]
    rows = np.concatenate([cloud(seed, 18, north), cloud(seed + 1, 3, east), np.zeros((4, 16), np.float32)])
    middle = centre(rows)
    assert np.isclose(np.linalg.norm(middle), 1, atol=1e-5)
    assert middle @ north > 0.99
    assert middle @ north > unit(rows[:21].mean(axis=0, keepdims=True))[0] @ north


def test_centre_of_nothing_is_nothing() -> None:
    assert not centre(np.zeros((3, 8), np.float32)).any()


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_people_separates_and_numbers_by_size(seed: int) -> None:
    rows = np.concatenate([cloud(seed + k, count, np.eye(8)[k]) for k, count in enumerate((4, 9, 6))])
    labels = people(1 - rows.astype(float) @ rows.T, 0.5)
    assert labels.tolist() == [2] * 4 + [0] * 9 + [1] * 6
    assert people(np.zeros((1, 1)), 0.5).tolist() == [0]


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(2, 30))
def test_thinned_keeps_no_two_alike_and_loses_nothing(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    alike = rng.random((count, count)) < 0.2
    alike |= alike.T
    quality = rng.random(count).astype(np.float32)
    kept, repeats = thinned(alike, quality)
    assert not any(alike[a, b] for a, b in combinations(kept, 2))
    assert sorted([*kept, *repeats]) == list(range(count))
    assert all(alike[row, twin] and quality[row] <= quality[twin] and twin in kept for row, twin in repeats.items())


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_medoids_stand_for_the_groups(seed: int) -> None:
    rows = np.concatenate([cloud(seed + k, 5, np.eye(8)[k]) for k in range(4)])
    assert sorted(m // 5 for m in medoids(rows, 4)) == [0, 1, 2, 3]
    assert medoids(rows[:2], 4) in ([0, 1], [0], [1])
