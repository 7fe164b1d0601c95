"""A voice's loudness by frame, and the lag of a mouth behind it."""

from __future__ import annotations

import numpy as np
import pytest

from assemble.sound.envelope import lag, levels
from assemble.sound.waves import RATE


def test_levels_follow_the_sound() -> None:
    sound = np.zeros((RATE, 2), np.float32)
    sound[: RATE // 4] = 0.3
    sound[RATE // 2 : 3 * RATE // 4] = 0.15
    found = levels(sound, 0.5, 24, 12.0)
    assert found.shape == (24,) and found.dtype == np.float32 and found.max() <= 1
    assert not found[:6].any() and not found[9:12].any() and not found[15:].any()
    assert found[6:9] == pytest.approx(0.9, abs=0.1) and 0 < found[13] < 0.5
    assert not levels(sound[:0], 0.0, 5, 12.0).any()
    assert levels(sound, -0.1, 5, 12.0).any() and not levels(sound, 9.0, 5, 12.0).any()


@pytest.mark.parametrize("shift", [-4, 0, 3])
def test_the_lag_of_a_mouth_is_found(shift: int) -> None:
    rng = np.random.default_rng(5)
    voice = np.convolve(rng.random(60), [0.25, 0.5, 0.25], "same")
    mouth = 0.3 * np.roll(voice, shift) - 2 + 0.01 * rng.standard_normal(60)
    mouth[20:23] = np.nan
    found = lag(mouth, voice, 12.0)
    assert found.seconds == pytest.approx(shift / 12, abs=0.02) and found.correlation > 0.9 and found.frames == 57
    assert found.span is not None and found.span[0] <= shift / 12 + 1e-3 and found.span[1] >= shift / 12 - 1e-3
    assert found.span[1] - found.span[0] < 0.1  # a mouth that follows closely leaves no doubt


def test_a_mouth_that_does_not_follow_has_no_lag() -> None:
    voice = np.sin(np.arange(30.0)) ** 2
    assert lag(np.ones(30), voice, 12.0).seconds is None
    assert lag(np.full(30, np.nan), voice, 12.0) == lag(np.full(30, np.nan), np.zeros(30), 12.0)
    assert lag(np.full(30, np.nan), voice, 12.0).frames == 0
    assert lag([], [], 12.0).seconds is None
