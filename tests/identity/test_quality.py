"""Blur, exposure, size and fingerprints of figure crops."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from identity.quality import BLURRED, alike, measure


@pytest.fixture
def crop(painter: Callable[..., np.ndarray], person: Callable[[int], object]) -> np.ndarray:
    return painter([(person(3), 0)])[15:175, 20:90]


@pytest.mark.parametrize("size", [(50, 90), (70, 160), (140, 320), (350, 800)])
def test_blur_is_seen_at_every_size(crop: np.ndarray, size: tuple[int, int]) -> None:
    sharp = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if size[0] < 70 else cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(sharp, (0, 0), size[1] / 20)
    assert measure(sharp).blur < BLURRED < measure(soft).blur
    assert not measure(sharp).fault
    assert "blurred" in measure(soft).fault
    assert measure(sharp).score > measure(soft).score


def test_burnt_and_small(crop: np.ndarray) -> None:
    burnt = np.clip(crop.astype(int) * 2 + 240, 0, 255).astype(np.uint8)
    assert "exposed" in measure(burnt).fault
    on_white = np.where(crop == 128, 255, crop).astype(np.uint8)
    assert not measure(on_white).fault
    assert "small" in measure(cv2.resize(crop, (8, 20))).fault
    assert measure(np.zeros((40, 30, 3), np.uint8)).fault


def test_fingerprints(crop: np.ndarray) -> None:
    noisy = np.clip(crop + np.random.default_rng(0).normal(0, 3, crop.shape), 0, 255).astype(np.uint8)
    assert alike(measure(crop), measure(noisy))
    assert not alike(measure(crop), measure(crop[::-1].copy()))
    assert not alike(measure(crop), measure(cv2.resize(crop, None, fx=0.8, fy=0.8)))
    assert not alike(measure(crop), measure((crop * 0.8).astype(np.uint8)))
