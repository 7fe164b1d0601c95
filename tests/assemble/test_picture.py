"""Frames brought to another size, and contact sheets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assemble import AssembleError, fit, sheet


def plain(width: int, height: int, colour: tuple[int, int, int] = (200, 100, 50)) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def disc(width: int, height: int) -> np.ndarray:
    """A white disc on grey: its width and height in pixels show any squeeze."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x - width / 2 + 0.5, y - height / 2 + 0.5) < min(width, height) * 0.3
    return np.where(inside[..., None], 255, 90).astype(np.uint8).repeat(3, axis=2)


def test_a_frame_of_the_right_size_is_left_alone() -> None:
    frame = disc(64, 48)
    assert fit(frame, (64, 48)) is frame


@pytest.mark.parametrize("size", [(1920, 1080), (832, 480), (640, 360), (480, 832), (624, 624), (96, 160)])
def test_nothing_is_ever_squeezed(size: tuple[int, int]) -> None:
    picture = fit(disc(416, 240), size)[..., 0] > 170
    assert picture.shape == (size[1], size[0])
    wide, high = picture.any(axis=0).sum(), picture.any(axis=1).sum()
    assert abs(int(wide) - int(high)) <= 2


def test_a_near_aspect_is_cropped_at_both_sides() -> None:
    frame = plain(170, 100)
    frame[:, :2] = frame[:, -2:] = 0
    assert (fit(frame, (320, 200)) == fit(plain(170, 100), (320, 200))).all()  # the black edges are out of the picture


def test_a_far_aspect_gets_even_black_bars() -> None:
    picture = fit(plain(100, 100), (320, 180))
    lit = picture.any(axis=(0, 2))
    first, last = int(lit.argmax()), 320 - int(lit[::-1].argmax())
    assert (last - first, first, 320 - last) == (180, 70, 70)
    assert (picture[:, first:last] == (200, 100, 50)).all()


@given(width=st.integers(8, 300), height=st.integers(8, 300), wide=st.integers(8, 150), high=st.integers(8, 150))
def test_any_size_becomes_any_size(width: int, height: int, wide: int, high: int) -> None:
    size = 2 * wide, 2 * high
    picture = fit(plain(width, height), size)
    assert picture.shape == (size[1], size[0], 3)
    lit = (picture == (200, 100, 50)).all(axis=2)
    assert (lit | (picture == 0).all(axis=2)).all()
    columns, rows = np.flatnonzero(lit.any(axis=0)), np.flatnonzero(lit.any(axis=1))
    assert lit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert columns[0] % 2 == rows[0] % 2 == len(columns) % 2 == len(rows) % 2 == 0
    assert len(columns) == size[0] or len(rows) == size[1]


def test_scaling_down_does_not_alias() -> None:
    stripes = np.zeros((96, 160, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(fit(stripes, (52, 32))[:, 4:-4].astype(int)) < 16  # grey, not moire


def test_a_sheet_holds_its_frames_in_reading_order() -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    page = sheet([plain(160, 96, colour) for colour in colours], 2, width=80, gap=4)
    assert page.shape == (3 * 52 + 4, 2 * 84 + 4, 3)
    for index, colour in enumerate(colours):
        row, column = divmod(index, 2)
        assert tuple(page[4 + row * 52 + 24, 4 + column * 84 + 40]) == colour
    assert tuple(page[-26, -44]) == (32, 32, 32)  # the empty place


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(AssembleError):
        sheet([], 3)
