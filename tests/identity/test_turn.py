"""How far a head is turned, on a head made of five points in space."""

from __future__ import annotations

import numpy as np
import pytest

from identity.turn import NOSE_DOWN, NOSE_OUT, head_turn

# Eyes, nose, mouth corners in distances between the eyes; x to the picture's right, y down, z towards the camera.
HEAD = np.array(
    [[-0.5, 0, 0], [0.5, 0, 0], [0, NOSE_DOWN * 1.15, NOSE_OUT], [-0.4, 1.15, 0], [0.4, 1.15, 0]], np.float64
)


def seen(yaw: float, pitch: float = 0, roll: float = 0, scale: float = 60) -> np.ndarray:
    """The points of the head turned by degrees: yaw to the right, pitch down, roll clockwise."""
    a, b, c = np.deg2rad([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (HEAD @ (about_z @ about_x @ about_y).T)[:, :2] * scale + 300


@pytest.mark.parametrize("degrees", [-80, -45, -20, 0, 20, 45, 80])
def test_a_head_turned_aside(degrees: int) -> None:
    yaw, pitch = head_turn(seen(degrees))
    # The mouth is narrower than the eyes, so only those set the width: exact but for that.
    assert yaw * 90 == pytest.approx(degrees, abs=2)
    assert abs(pitch) < 0.02


@pytest.mark.parametrize("degrees", [-40, -20, 0, 20, 40])
def test_a_head_that_nods(degrees: int) -> None:
    yaw, pitch = head_turn(seen(0, degrees))
    assert pitch * 90 == pytest.approx(degrees, abs=6)
    assert abs(yaw) < 0.02


@pytest.mark.parametrize("roll", [-60, -15, 15, 60])
@pytest.mark.parametrize("scale", [8, 200])
def test_leaning_and_distance_do_not_count(roll: int, scale: int) -> None:
    assert head_turn(seen(30, 0, roll, scale)) == pytest.approx(head_turn(seen(30)), abs=1e-6)


def test_points_that_make_no_head_give_numbers_all_the_same() -> None:
    for points in (np.zeros((5, 2)), np.full((5, 2), 7.0), np.eye(5, 2), np.array([[9, 0], [0, 0], [4, 2], [9, 5], [0, 5]])):
        assert all(np.isfinite(part) and -1 <= part <= 1 for part in head_turn(points.astype(np.float32)))
