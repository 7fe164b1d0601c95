"""What training looks closely at is where the drawing has it, in every frame."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from generation.toon import closeness
from generation.toon.world import character, scene

FRAMES, WIDTH, HEIGHT = 17, 256, 144


def _drawn(move: str) -> tuple[SimpleNamespace, scene.Clip]:
    """A clip of somebody who stands, with the arrays that a drawn set of it would hold."""
    rng = np.random.default_rng(4)
    who = character.sample(character.seeds(3, hold_out=False)[1])
    what = scene.sample_scene(rng, [who], size="medium", move=move, action="stands")
    clip = scene.render(replace(what, parts=(replace(what.parts[0], speaks=True),)), FRAMES, WIDTH, HEIGHT)
    first = clip.drawn[0][0]

    def three(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([rows[None], np.zeros((2, *rows.shape), rows.dtype)])[None]

    joints = np.stack([three(found[0].joints)[0] for found in clip.drawn])[None]
    some = {"boxes": three(first.box), "faces": three(first.face), "points": three(first.points), "joints": joints}
    acted = np.zeros((1, HEIGHT // 16, WIDTH // 16))
    return SimpleNamespace(**some, acted=acted, recipe=SimpleNamespace(frames=FRAMES)), clip


@pytest.mark.parametrize("move", ["static", "pan left", "pan right"])
def test_mouths_are_followed_through_a_clip(move: str) -> None:
    drawings, clip = _drawn(move)
    x0, y0, x1, y1 = closeness.mouths(drawings)[0, 0]
    ways = closeness.ways(drawings)[0, :, 0]
    assert (abs(ways[-1, 0]) > 30) == (move != "static")
    for frame, found in enumerate(clip.drawn):
        corners = found[0].points[3:] - ways[frame]
        assert np.all(corners > (x0 - 3, y0 - 3)) and np.all(corners < (x1 + 3, y1 + 3))


def test_weights_go_along_and_are_finer_for_the_last_expert() -> None:
    drawings, clip = _drawn("pan left")
    plain, fine = (closeness.closeness(drawings, fine=fine) for fine in (False, True))
    assert plain.shape == fine.shape == (1, 5, 9, 16)
    assert set(np.unique(plain)) == {1, 2, 4} and set(np.unique(fine)) == {1, 2, 10, 40}
    for k, frame in enumerate((0, 3, 7, 11, 15)):
        x, y = clip.drawn[frame][0].points[3:].mean(0) / 16
        assert fine[0, k, int(y), int(x)] == 40 and plain[0, k, int(y), int(x)] == 4


def test_what_has_left_the_frame_is_nowhere() -> None:
    grid = np.ones((9, 16))
    assert not grid[closeness.within(np.array([-40.0, 20, -8, 60]), 16)].size
    assert grid[closeness.within(np.array([-40.0, 20, 8, 60]), 16)].shape == (3, 1)
