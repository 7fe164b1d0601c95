"""Where somebody else takes a character's place: swaps at their frame, slow changes early, and no false alarms."""

from __future__ import annotations

import numpy as np
import pytest

from identity.changes import Change, changes

GATE = 0.55


def found(values: np.ndarray, gate: float, unsure: slice | None = None) -> tuple[Change, ...]:
    marked = np.zeros(len(values), bool)
    if unsure:
        marked[unsure] = True
    return changes(values, marked, gate)


def noisy(values: list[float], seed: int = 0) -> np.ndarray:
    return np.array(values) + np.random.default_rng(seed).normal(0, 0.04, len(values))


@pytest.mark.parametrize("seed", range(5))
def test_a_swap_is_named_by_its_frame(seed: int) -> None:
    (change,) = found(noisy([0.95] * 60 + [0.1] * 36, seed), GATE)
    assert (change.first, change.end, change.sudden) == (60, 96, True)
    assert change.told(96) == "somebody else from frame 61 on"


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_change_begins_long_before_the_gate(seed: int) -> None:
    (change,) = found(noisy(list(np.linspace(1, 0.05, 80)), seed), GATE)
    assert not change.sudden
    assert change.first < 16
    assert "turns into somebody else" in change.told(80)


@pytest.mark.parametrize("seed", range(5))
def test_slow_changes_begin_at_the_knee(seed: int) -> None:
    fall = list(np.linspace(0.95, 0.05, 30))
    first, second = found(noisy([*[0.95] * 20, *fall, *[0.95] * 20, *fall], seed), GATE)
    assert abs(first.first - 20) <= 5 and abs(second.first - 70) <= 5
    assert not first.sudden and not second.sudden
    assert abs(first.end - 50) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_a_right_clip_has_no_change(seed: int) -> None:
    values = [*[0.95] * 40, 0.5, 0.5, *[0.9] * 20, *np.linspace(0.9, 0.65, 20), *np.linspace(0.65, 0.95, 20)]
    assert found(noisy(values, seed), GATE) == ()


def test_a_stretch_has_an_end_and_a_start() -> None:
    first, last = found(np.array([0.0] * 5 + [1.0] * 20 + [0.1] * 6 + [1.0] * 20), GATE)
    assert (first.first, first.end, last.first, last.end) == (0, 5, 25, 31)
    assert first.told(51) == "somebody else until frame 5"
    assert last.told(51) == "somebody else from frame 26 to 31"


def test_single_odd_frames_are_no_change() -> None:
    assert found(np.array([0.1, *[0.95, 0.95, 0.95, 0.1] * 8]), GATE) == ()
    (change,) = found(np.array([0.95, 0.95, 0.2, 0.95] * 6 + [0.1] * 12), GATE)
    assert change.sudden
    assert abs(change.first - 24) <= 1  # an odd frame just before hides one


def test_nobody_there_is_no_change() -> None:
    values = np.array([1.0] * 10 + [np.nan] * 10)
    assert found(values, GATE) == ()
    assert found(np.full(9, np.nan), GATE) == () == found(np.zeros(30), GATE)
    (change,) = found(np.array([1.0] * 10 + [np.nan] * 5 + [0.0] * 5), GATE)
    assert (change.first, change.end) == (15, 20)


def test_half_a_face_is_no_change_unless_it_goes_on() -> None:
    bent = np.array([1.0] * 8 + [0.4] * 10 + [1.0] * 8)
    assert len(found(bent, GATE)) == 1
    assert found(bent, GATE, slice(8, 18)) == ()
    turned = np.array([1.0] * 8 + [0.4] * 10 + [0.0] * 8)
    (change,) = found(turned, GATE, slice(8, 18))
    assert change.first == 8


def test_a_swap_after_a_dip_is_named_by_its_own_frame() -> None:
    (change,) = found(np.array([1.0] * 6 + [0.8] * 6 + [-0.05] * 12), GATE)
    assert (change.first, change.sudden) == (12, True)
