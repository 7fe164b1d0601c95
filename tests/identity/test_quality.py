"""Blur, exposure, size, occlusion and blocks of figures."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from identity.candidates import hidden_shares
from identity.quality import BLURRED, Quality, blockiness, blur, measure


@pytest.fixture
def crop(painter: Callable[..., np.ndarray], person: Callable[[int], object]) -> np.ndarray:
    return painter([(person(3), 0)])[15:175, 20:90]


@pytest.mark.parametrize("size", [(50, 90), (70, 160), (140, 320), (350, 800)])
def test_blur_is_seen_at_every_size(crop: np.ndarray, size: tuple[int, int]) -> None:
    sharp = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if size[0] < 70 else cv2.INTER_NEAREST)
    soft = cv2.GaussianBlur(sharp, (0, 0), size[1] / 40)
    assert measure(sharp).blur < BLURRED < measure(soft).blur
    assert not measure(sharp).fault
    assert "blurred" in measure(soft).fault
    assert measure(sharp).score > measure(soft).score


@pytest.mark.parametrize("turned", [False, True])
def test_motion_smears_one_direction_only_and_is_seen(crop: np.ndarray, turned: bool) -> None:
    large = cv2.resize(crop, (280, 640), interpolation=cv2.INTER_NEAREST)
    kernel = np.zeros((41, 41), np.float32)
    kernel[20] = 1 / 41
    assert measure(cv2.filter2D(large, -1, kernel.T if turned else kernel)).blur > BLURRED


def test_blur_does_not_ask_how_many_edges_there_are() -> None:
    one = np.full((200, 200), 60, np.uint8)
    one[:, 100:] = 200
    many = np.tile(np.repeat(np.array([60, 200], np.uint8), 20), (200, 5))
    assert blur(one, 256) < 0.1 and blur(many, 256) < 0.1
    assert blur(np.full((50, 50), 90, np.uint8), 256) == 1  # nothing to see


def test_the_face_is_what_must_be_sharp(crop: np.ndarray) -> None:
    soft = cv2.GaussianBlur(crop, (0, 0), 8)
    assert "blurred" in measure(crop, soft[15:60]).fault
    assert not measure(soft, crop[15:60]).fault
    assert measure(crop, crop[15:60]).face_size == 70


def test_burnt_and_small(crop: np.ndarray) -> None:
    burnt = np.clip(crop.astype(int) * 2 + 240, 0, 255).astype(np.uint8)
    assert "exposed" in measure(burnt).fault
    on_white = np.where(crop == 128, 255, crop).astype(np.uint8)
    assert not measure(on_white).fault
    assert "small" in measure(cv2.resize(crop, (8, 20))).fault
    assert measure(np.zeros((40, 30, 3), np.uint8)).fault


def test_exposure_is_judged_beside_the_same_person() -> None:
    coat = Quality(size=200, blur=0.1, burnt=0.4, light=0.7, clipped=0.6)
    assert not coat.fault
    assert not coat.fault_beside(usual=0.35, brighter=0.5)  # wears white
    assert "badly exposed" in coat.fault_beside(usual=0.0, brighter=0.5)  # a pale face cannot become much brighter
    assert not coat.fault_beside(usual=0.0, brighter=-0.5)
    dark = Quality(size=200, blur=0.1, burnt=0.0, light=0.5, clipped=0.1)
    assert "badly exposed" in dark.fault_beside(usual=0.0, brighter=2.0)  # a dark one does not become white
    assert not dark.fault_beside(usual=0.0, brighter=1.0)
    assert not Quality(size=200, blur=0.1, burnt=0.0, light=0.7).fault_beside(usual=0.0, brighter=4.0)  # nothing is lost


def test_blocks_show_and_edges_do_not_pass_for_them(crop: np.ndarray) -> None:
    y, x = np.mgrid[:240, :320]
    smooth = np.stack([128 + 60 * np.sin(x / 37 + k) + 50 * np.cos(y / 29 - k) for k in range(3)], -1).clip(0, 255).astype(np.uint8)
    shown = []
    for quality in (95, 25, 4):
        packed = BytesIO()
        Image.fromarray(smooth).save(packed, "JPEG", quality=quality)
        shown.append(blockiness(np.asarray(Image.open(packed))))
    assert shown == sorted(shown) and shown[0] < 0.2 < shown[-1] - 0.2
    assert blockiness(smooth) < 0.05
    striped = np.where((x // 40 % 2 == 0)[..., None], 40, 210).repeat(3, axis=2).astype(np.uint8)
    assert blockiness(striped) < 0.05  # edges at every fifth multiple of 8
    assert blockiness(crop[:20, :20]) == 0  # too small to tell


def test_who_may_hide_whom() -> None:
    behind, before, aside = [10, 0, 50, 100], [20, 20, 60, 140], [200, 0, 240, 100]
    shares = hidden_shares(np.array([behind, before, aside], np.float32))
    assert shares[0] == pytest.approx(0.5 * 0.8)  # the middle half of the nearer one, over four fifths of the height
    assert shares[1] == shares[2] == 0
    level = hidden_shares(np.array([[0, 0, 40, 100], [20, 0, 60, 100]], np.float32))
    assert level[0] == level[1] > 0  # both end at the frame's edge: either may stand before
    assert "hidden" in Quality(size=200, blur=0.1, burnt=0, light=0.5, occluded=0.7).fault
