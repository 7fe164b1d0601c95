"""Frames of one rate on the clock of another."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assemble.rates import Pace, blends


def paced(count: int, have: int, want: int) -> list[dict[int, Fraction]]:
    return [dict(mix) for mix in Pace(Fraction(want))(range(count), Fraction(have))]


def test_a_whole_multiple_repeats_exactly() -> None:
    assert paced(3, 12, 24) == [{0: 1}, {0: 1}, {1: 1}, {1: 1}, {2: 1}, {2: 1}]
    assert paced(3, 12, 12) == [{0: 1}, {1: 1}, {2: 1}]


def test_16_to_24_shows_what_an_open_shutter_saw() -> None:
    half = Fraction(1, 2)
    assert paced(4, 16, 24) == [{0: 1}, {0: half, 1: half}, {1: 1}, {2: 1}, {2: half, 3: half}, {3: 1}]


def test_close_and_slower_rates_show_the_frame_of_the_middle() -> None:
    assert paced(5, 30, 24) == [{0: 1}, {1: 1}, {3: 1}, {4: 1}]
    assert not blends(Fraction(24), Fraction(25))
    assert not blends(Fraction(24000, 1001), Fraction(24))
    assert all(set(mix.values()) == {1} for mix in paced(24, 24, 25))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.sampled_from([8, 12, 15, 16, 24, 25, 30, 60]),
    st.sampled_from([12, 24, 25, 30]),
)
def test_no_error_adds_up_over_clips(counts: list[int], have: int, want: int) -> None:
    pace, frames, seconds = Pace(Fraction(want)), 0, Fraction(0)
    for number, count in enumerate(counts):
        mixes = list(pace(((number, k) for k in range(count)), Fraction(have)))
        seconds += Fraction(count, have)
        frames += len(mixes)
        assert abs(frames - seconds * want) <= Fraction(3, 2) + number  # a clip under half a tick still shows one frame
        assert all(sum(weight for _, weight in mix) == 1 for mix in mixes)
        first = [mix[0][0] for mix in mixes]
        assert first == sorted(first) and all(clip == number for clip, _ in first)
    if min(counts) * want >= have:
        assert abs(frames - seconds * want) <= Fraction(1, 2)


@pytest.mark.parametrize(("longest", "want"), [(Fraction(1, 2), 12), (Fraction(1, 24), 1), (Fraction(9), 24)])
def test_a_longest_length_is_kept_to_the_frame(longest: Fraction, want: int) -> None:
    assert len(list(Pace(Fraction(24))(range(16), Fraction(16), longest))) == want
