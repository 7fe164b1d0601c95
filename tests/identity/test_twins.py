"""Near-duplicates among frames of one person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from identity.twins import NEAR, PRINT, STEP, alike, fingerprint

COUNT = 4


def rows(**changed: Any) -> dict[str, Any]:
    """Four frames of four tracks that are the same in every way but those changed."""
    plain: dict[str, Any] = {
        "prints": np.zeros((COUNT, 64), bool),
        "looks": np.tile(np.eye(8, dtype=np.float32)[0], (COUNT, 1)),
        "views": np.zeros((COUNT, 3)),
        "moments": np.arange(COUNT) * 10.0,
        "tracks": np.arange(COUNT),
        "usual": 0.8,
    }
    return plain | changed


def off(angle_cosine: float) -> np.ndarray:
    """The first row of the looks turned away to this cosine from the others."""
    looks = rows()["looks"].copy()
    looks[0, :2] = angle_cosine, np.sqrt(1 - angle_cosine**2)
    return looks


def bits(count: int) -> np.ndarray:
    prints = np.zeros((COUNT, 64), bool)
    prints[0, :count] = True
    return prints


def moved(step: float) -> np.ndarray:
    views = np.zeros((COUNT, 3))
    views[0, 1] = step
    return views


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ({"prints": bits(PRINT)}, {"prints": bits(PRINT + 1)}),
        ({"looks": off(1 - 0.2 * NEAR * 0.9)}, {"looks": off(1 - 0.2 * NEAR * 1.1)}),
        ({"views": moved(STEP * 0.9)}, {"views": moved(STEP * 1.1)}),
    ],
    ids=["fingerprint", "embedding", "view"],
)
def test_all_three_must_be_near(within: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert alike(**rows()).all()
    assert alike(**rows(**within)).all()
    told = alike(**rows(**beyond))
    assert not told[0, 1:].any() and not told[1:, 0].any() and told[1:, 1:].all() and told[0, 0]
    # Within a moment of one track the same difference is no news; a moment later, or in another shot, it is.
    soon = {"moments": np.zeros(COUNT), "tracks": np.zeros(COUNT, int)}
    assert alike(**rows(**beyond, **soon)).all()
    assert not alike(**rows(**beyond, tracks=np.zeros(COUNT, int)))[0, 1]
    assert not alike(**rows(**beyond, moments=np.zeros(COUNT)))[0, 1]


def test_the_same_picture_is_one_whatever_was_made_of_its_face() -> None:
    """Of two frames of a talking face one was found at half again its size: that is no other view of it."""
    views = np.zeros((COUNT, 3))
    views[0] = 3 * STEP
    soon = {"moments": np.zeros(COUNT), "tracks": np.zeros(COUNT, int)}
    assert alike(**rows(views=views, prints=bits(PRINT // 2), **soon)).all()
    assert not alike(**rows(views=views, prints=bits(PRINT), **soon))[0, 1]
    assert not alike(**rows(views=views, looks=off(1 - 1.5 * NEAR * 0.2), **soon))[0, 1]
    assert not alike(**rows(views=views, moments=np.zeros(COUNT)))[0, 1]


def test_the_measure_is_what_is_usual_for_the_encoders() -> None:
    looks = off(0.98)
    assert alike(**rows(looks=looks, usual=0.8)).all()
    assert not alike(**rows(looks=looks, usual=0.95))[0, 1]


def test_fingerprints(painter: Callable[..., np.ndarray], person: Callable[[int], object]) -> None:
    crop = painter([(person(3), 0)])[15:175, 20:90]
    noisy = np.clip(crop + np.random.default_rng(0).normal(0, 3, crop.shape), 0, 255).astype(np.uint8)
    first = fingerprint(crop)
    assert first.shape == (64,)
    assert (first != fingerprint(noisy)).sum() <= PRINT
    assert (first != fingerprint(crop[::-1].copy())).sum() > 2 * PRINT
