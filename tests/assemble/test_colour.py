"""Colour figures against published ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assemble.colour import TO_XYZ, ciede2000, lab, linear, mired, stops, to_codes, to_linear, warming

# Sharma, Wu and Dalal (2005), table 1: pairs that faulty implementations get wrong.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, -0.001, 2.49), (50.0, 0.0011, -2.49), 4.7461),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "distance"), SHARMA)
def test_ciede2000_is_the_published_one(first: tuple[float, ...], second: tuple[float, ...], distance: float) -> None:
    assert float(ciede2000(np.array(first), np.array(second))) == pytest.approx(distance, abs=1e-4)
    assert float(ciede2000(np.array(second), np.array(first))) == pytest.approx(distance, abs=1e-4)


def test_lab_of_known_colours() -> None:
    white, red = lab(np.ones(3)), lab(linear(np.array([255, 0, 0], np.uint8)))
    assert white == pytest.approx([100, 0, 0], abs=1e-6)
    assert red == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


@pytest.mark.parametrize(
    ("xy", "kelvin"), [((0.31272, 0.32903), 6504), ((0.34567, 0.35850), 5003), ((0.44757, 0.40745), 2856)]
)
def test_mired_of_the_standard_illuminants(xy: tuple[float, float], kelvin: float) -> None:
    x, y = xy
    light = np.linalg.solve(TO_XYZ, np.array([x / y, 1, (1 - x - y) / y]))
    assert mired(light) == pytest.approx(1e6 / kelvin, rel=0.005)


def test_a_gain_in_stops_and_mired() -> None:
    assert stops(np.full(3, 0.5)) == pytest.approx(-1)
    assert warming(np.full(3, 0.5)) == pytest.approx(0)
    assert warming(np.array([1.1, 1, 0.8])) > 20 and warming(np.array([0.9, 1, 1.2])) < -20


@given(st.integers(0, 255))
def test_linear_light_and_back(code: int) -> None:
    assert float(to_codes(to_linear(np.array([code / 255])))[0]) * 255 == pytest.approx(code, abs=1e-6)
