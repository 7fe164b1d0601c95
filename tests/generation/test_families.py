"""What the families of models say they can make."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.family import Family

EACH = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@EACH
def test_the_facts_hang_together(family: Family) -> None:
    assert FAMILIES[family.name] is family
    assert family.max_frames % 4 == 1 and 0 < family.boundary < 1
    assert all(width % 16 == 0 and height % 16 == 0 for width, height in family.sizes)
    assert family.slot_word.format(2) != family.slot_word.format(1)


@EACH
def test_a_size_of_its_own_is_kept(family: Family) -> None:
    for width, height in family.sizes:
        assert family.size_for(width, height) == (width, height)
        family.check(width, height, family.max_frames)


@example(family=FAMILIES["Wan2.2-T2V-A14B"], width=534, height=1081)  # near one shape, and nearly as near another
@given(family=st.sampled_from(list(FAMILIES.values())), width=st.integers(-9, 9000), height=st.integers(-9, 9000))
def test_any_size_gives_a_near_shape_or_an_error(family: Family, width: int, height: int) -> None:
    try:
        size = family.size_for(width, height)
    except GenerationError:
        return
    assert size in family.sizes
    ratio = (size[0] / size[1]) / (width / height)
    assert 1 / 1.151 < ratio < 1.151


def test_sizes_people_ask_for() -> None:
    toon, wan = FAMILIES["toon"], FAMILIES["Wan2.2-T2V-A14B"]
    assert toon.size_for(832, 480)[0] > toon.size_for(832, 480)[1]
    assert toon.size_for(1080, 1920)[0] < toon.size_for(1080, 1920)[1]
    assert wan.size_for(1920, 1080) == (1280, 720) and wan.size_for(640, 360) == (832, 480)
    with pytest.raises(GenerationError, match="cannot make 2100x900") as caught:
        wan.size_for(2100, 900)
    assert "832x480" in caught.value.mend


@given(family=st.sampled_from(list(FAMILIES.values())), seconds=st.floats(0.01, 20))
def test_frames_cover_the_time(family: Family, seconds: float) -> None:
    if seconds > family.max_frames / family.fps:
        with pytest.raises(GenerationError, match="cannot make a shot"):
            family.frames_for(seconds)
        return
    frames = family.frames_for(seconds)
    assert frames % 4 == 1 and frames <= family.max_frames
    assert round(seconds * family.fps) <= frames < seconds * family.fps + 4.6


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 99])
def test_times_that_no_shot_has(seconds: float) -> None:
    with pytest.raises(GenerationError, match="cannot make a shot"):
        FAMILIES["toon"].frames_for(seconds)
