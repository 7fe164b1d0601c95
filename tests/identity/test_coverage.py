"""The rule that chooses frames for spread, against every possible choice."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.coverage import appeal, cover, coverage

seeds = st.integers(0, 10_000)


def case(seed: int, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return appeal(rng.normal(0, 1.5, (count, 3)), rng.uniform(0.5, 1, count))


def best(served: np.ndarray, weights: np.ndarray, limit: int) -> float:
    return max(coverage(served, weights, some) for some in combinations(range(len(served)), limit))


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 4))
def test_the_choice_keeps_the_promise(seed: int, limit: int) -> None:
    served, weights = case(seed)
    chosen = cover(served, weights, limit)
    assert len(set(chosen)) == limit and chosen == sorted(chosen)
    most = best(served, weights, limit)
    assert coverage(served, weights, chosen) >= (1 - (1 - 1 / limit) ** limit) * most - 1e-9


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 20))
def test_the_lazy_rule_chooses_what_the_plain_one_does(seed: int, limit: int) -> None:
    served, weights = case(seed, 25)
    plain: list[int] = []
    for _ in range(limit):
        gains = [coverage(served, weights, [*plain, row]) if row not in plain else -1 for row in range(25)]
        plain.append(int(np.argmax(gains)))
    reached = coverage(served, weights, cover(served, weights, limit))
    assert np.isclose(reached, coverage(served, weights, plain), atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(seeds, st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True), st.integers(0, 9))
def test_coverage_grows_with_the_choice_and_less_and_less(seed: int, some: list[int], more: int) -> None:
    served, weights = case(seed)
    first = some[:1]
    early = coverage(served, weights, [*first, more]) - coverage(served, weights, first)
    late = coverage(served, weights, [*some, more]) - coverage(served, weights, some)
    assert -1e-12 <= late <= early + 1e-12
    assert 0 <= coverage(served, weights, some) <= 1 + 1e-9


def test_a_pose_held_for_long_counts_no_more_than_one_seen_once() -> None:
    rows = np.concatenate([np.random.default_rng(0).normal(0, 0.05, (40, 2)), [[5.0, 0.0], [0.0, 5.0]]])
    served, weights = appeal(rows, np.ones(42))
    chosen = cover(served, weights, 3)
    assert {40, 41} < set(chosen)
    assert coverage(served, weights, chosen) > 0.99


def test_of_two_alike_the_better_one_is_taken() -> None:
    served, weights = appeal(np.array([[0.0], [0.01], [4.0]]), np.array([0.6, 0.9, 0.8]))
    assert cover(served, weights, 2) == [1, 2]


def test_below_the_limit_all_are_kept() -> None:
    served, weights = case(3, 5)
    assert cover(served, weights, 5) == cover(served, weights, 9) == [0, 1, 2, 3, 4]
    assert coverage(served, weights, []) == 0
