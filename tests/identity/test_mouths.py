"""The opening of mouths, read off drawn people whose mouths are known."""

from __future__ import annotations

import numpy as np
import pytest

from generation.toon.world.character import sample
from generation.toon.world.scene import render, sample_scene
from identity.mouths import openings


def followed(seed: int) -> float:
    """How well the openings that are read correlate with those that a person was drawn with."""
    scene = sample_scene(np.random.default_rng(seed), [sample(seed)], size="close-up", action="talks", move="static")
    clip = render(scene, 21, 192, 112)
    boxes = {index: tuple(drawn[0].face) for index, drawn in enumerate(clip.drawn)}
    return float(np.corrcoef(openings(clip.frames, boxes), clip.levels[0])[0, 1])


def test_openings_follow_the_mouths_that_were_drawn() -> None:
    found = [followed(seed) for seed in range(4)]
    assert np.mean(found) > 0.7 and min(found) > 0.4


@pytest.mark.parametrize("seed", [15, 23, 25, 26])
def test_a_mouth_is_read_in_dark_skin_and_in_a_black_beard(seed: int) -> None:
    who = sample(seed)
    assert max(who.skin) < 130 or (who.beard == "full beard" and max(who.beard_colour) < 60)
    assert followed(seed) > 0.7


def test_a_frame_without_a_face_says_nothing() -> None:
    frames = np.full((4, 40, 60, 3), 100, np.uint8)
    out = openings(frames, {0: (10, 5, 40, 35), 1: (10, 5, 14, 9), 2: (70, 50, 99, 90)})
    assert out.shape == (4,) and out[0] == 0 and np.isnan(out[1:]).all()
    assert openings([], {}).shape == (0,)
