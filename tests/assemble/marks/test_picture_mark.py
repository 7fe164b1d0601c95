"""The mark in the picture: unseen, alike everywhere, read back from copies, and not read from what has none."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assemble import read_frames, stitch
from assemble.marks import PictureMark
from assemble.marks.pattern import pattern
from assemble.marks.payload import BITS, codeword, decode, match
from assemble.marks.reading import read
from assemble.picture import Frame

spec = importlib.util.spec_from_file_location("marked_pictures", Path(__file__).with_name("conftest.py"))
assert spec and spec.loader
painted = importlib.util.module_from_spec(spec)
import sys  # noqa: E402

sys.modules[spec.name] = painted
spec.loader.exec_module(painted)
IDENT, SIZE = painted.IDENT, painted.SIZE
OTHER = "fedcba9876543210"


@pytest.fixture(scope="module")
def marked() -> list[Frame]:
    return list(PictureMark(IDENT, SIZE).frames(painted.pictures()))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=8, max_size=8), st.sets(st.integers(0, 15), max_size=4), st.integers(1, 255))
def test_an_id_survives_any_four_wrong_bytes(ident: bytes, wrong: set[int], how: int) -> None:
    bits = (codeword(ident.hex()) > 0).astype(np.uint8)
    word = np.packbits(bits)
    for place in wrong:
        word[place] ^= how
    soft = 2.0 * np.unpackbits(word) - 1
    found = decode(soft)
    assert found and found[0] == ident.hex()
    assert found[1] == pytest.approx(match(soft, ident.hex()))


def test_the_pattern_is_the_same_for_ever() -> None:
    """Films out there carry it: whoever changes this makes a new key, and keeps reading the old one."""
    made = pattern()
    facts = made.bit.astype("<i4").tobytes() + made.sign.astype("<f4").tobytes()
    assert hashlib.sha256(facts).hexdigest()[:16] == "534a8f47a0c7f50d"
    assert hashlib.sha256(codeword(IDENT).tobytes()).hexdigest()[:16] == "d89c21a374001d94"
    assert int(codeword(IDENT).size) == BITS


def test_a_mark_is_faint_and_leaves_its_source_alone() -> None:
    frames = painted.pictures(4)
    before = [frame.copy() for frame in frames]
    mark = PictureMark(IDENT, SIZE)
    for frame, original in zip(mark.frames(frames), before, strict=True):
        assert 10 * np.log10(255**2 / np.mean((frame.astype(float) - original) ** 2)) > 42
    assert all((frame == original).all() for frame, original in zip(frames, before, strict=True))


def test_a_flat_picture_changes_by_a_level_or_two() -> None:
    flat = np.full((SIZE[1], SIZE[0], 3), (90, 160, 200), np.uint8)
    change = np.abs(PictureMark(IDENT, SIZE).frame(flat).astype(int) - flat)
    assert 0 < change.max() <= 2
    assert np.mean(change**2) < 1


def test_beside_an_edge_a_flat_side_gets_no_more_than_elsewhere() -> None:
    flat = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    flat[:, SIZE[0] // 2 :] = 220
    change = np.abs(PictureMark(IDENT, SIZE).frame(flat).astype(int) - flat)
    assert change.max() <= 3


COPIES: dict[str, Callable[[Frame], Frame]] = {
    "same": lambda frame: frame,
    "mirrored": lambda frame: np.ascontiguousarray(frame[:, ::-1]),
    "half": lambda frame: cv2.resize(frame, (208, 120), interpolation=cv2.INTER_AREA),
    "larger": lambda frame: cv2.resize(frame, (624, 360), interpolation=cv2.INTER_CUBIC),
    "cropped": lambda frame: np.ascontiguousarray(frame[24:-24, 42:-42]),
    "bordered": lambda frame: cv2.copyMakeBorder(frame, 24, 24, 42, 42, cv2.BORDER_CONSTANT),
    "brighter": lambda frame: np.clip(frame * 1.15 + 8, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("copy", COPIES)
def test_it_is_read_from_a_copy(marked: list[Frame], copy: str) -> None:
    sight = read((COPIES[copy](frame) for frame in marked), [OTHER, IDENT])
    assert sight.ident == IDENT
    assert sight.verdict == "blind" or copy == "bordered"  # which makes the chips smaller than any other
    assert sight.flipped == (copy == "mirrored")


def test_it_is_read_from_a_compressed_film_and_from_its_second_half(marked: list[Frame], tmp_path: Path) -> None:
    film = stitch([marked], tmp_path / "film.mp4", fps=12, size=SIZE)
    sight = read(list(read_frames(film.path))[8:])
    assert (sight.verdict, sight.ident) == ("blind", IDENT)


def test_a_worn_mark_is_matched_to_the_ledger_or_not_at_all() -> None:
    rng = np.random.default_rng(0)
    frames = [
        np.clip(frame + rng.normal(0, 40, frame.shape), 0, 255).astype(np.uint8)
        for frame in PictureMark(IDENT, SIZE).frames(painted.pictures(2))
    ]
    assert read(frames).verdict == ""
    sight = read(frames, [OTHER, IDENT])
    assert (sight.verdict, sight.ident) == ("matched", IDENT)
    assert read(frames, [OTHER]).ident is None


@pytest.mark.parametrize("seed", [1, 2])
def test_a_picture_without_a_mark_has_none(seed: int) -> None:
    sight = read(painted.pictures(3, seed=seed), [IDENT, OTHER])
    assert (sight.verdict, sight.ident) == ("", None)


def test_black_and_nothing_have_none() -> None:
    assert read([np.zeros((64, 64, 3), np.uint8)], [IDENT]).verdict == ""
    assert read([], [IDENT]).verdict == ""
