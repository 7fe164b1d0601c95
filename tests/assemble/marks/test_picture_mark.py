"""The mark in the picture: unseen, alike everywhere, read back from copies, and not read from what has none."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from assemble import AssembleError, read_frames, stitch
from assemble.conform import Conformer, depth, planes
from assemble.marks import PictureMark
from assemble.marks.pattern import pattern
from assemble.marks.payload import BITS, RATE, codeword, decode, match, threshold
from assemble.marks.picture import HOLD
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
    return shown(painted.pictures())


def conformed(frame: Frame, pixels: str = "yuv420p") -> VideoFrame:
    """A frame as the encoder would get it."""
    return Conformer(SIZE, pixels)(((frame, Fraction(1)),))


def shown(frames: list[Frame]) -> list[Frame]:
    """The frames with the mark, as a player shows a film that no codec has touched."""
    mark = PictureMark(IDENT, SIZE)
    made = []
    for frame in frames:
        marked = mark(conformed(frame))
        marked.colorspace, marked.color_range = 1, 1  # BT.709, limited: what a film's stream says
        made.append(marked.to_ndarray(format="rgb24"))
    return made


def change(frame: Frame, pixels: str = "yuv420p") -> np.ndarray:
    """What the mark does to the luma, in codes of 8 bits."""
    plain = conformed(frame, pixels)
    one = 1 << depth(plain) - 8
    return (planes(PictureMark(IDENT, SIZE)(plain))[0].astype(float) - planes(plain)[0]) / one


def test_a_mark_is_held_until_the_shot_changes() -> None:
    """The encoder need not send it anew; and a new shot begins with a mark of its own."""
    shot, other = (planes(conformed(frame))[0].copy() for frame in (painted.pictures()[0], painted.pictures()[0][::-1]))
    mark = PictureMark(IDENT, SIZE)
    nudged = cv2.add(shot, 1)
    first, second, third = (mark.luma(plane).astype(int) - plane for plane in (shot, nudged, other))
    inside = (shot > 24) & (shot < 220)
    assert np.array_equal(first[inside], second[inside])
    assert np.array_equal(third, PictureMark(IDENT, SIZE).luma(other).astype(int) - other)


def test_the_mark_stays_where_the_picture_stays() -> None:
    """An encoder sends nothing there, however long something moves elsewhere."""
    mark, changes = PictureMark(IDENT, SIZE), []
    page = painted.pictures(1)[0]
    for number in range(4 * HOLD):
        frame = page.copy()
        cv2.circle(frame, (40 + number, 60), 20, (200, 80, 60), -1)
        plane = planes(conformed(frame))[0]
        changes.append(mark.luma(plane).astype(int) - plane)
    away = np.s_[SIZE[1] // 2 :]
    assert changes[0][away].any()
    assert all(np.array_equal(changes[0][away], change[away]) for change in changes)


def test_what_moves_is_marked_less_and_what_is_flat_as_before() -> None:
    """In a texture that moves, frames speak against each other, not against the mark; an encoder pays for it in every frame."""
    grain = np.clip(np.random.default_rng(0).normal(128, 30, (SIZE[1], 2 * SIZE[0])), 16, 235).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 2.0) * 3 - 256
    for moving in (False, True):
        mark, loud = PictureMark(IDENT, SIZE), []
        for number in range(HOLD + 1):
            at = 6 * number * moving
            plane = np.clip(grain[:, at : at + SIZE[0]], 20, 230).astype(np.uint8)
            plane[: SIZE[1] // 2] = 128
            change = mark.luma(plane).astype(float) - plane
            loud.append([np.sqrt(np.mean(part * part)) for part in (change[: SIZE[1] // 4], change[3 * SIZE[1] // 4 :])])
        (flat, texture), (flat_then, texture_then) = loud[0], loud[-1]
        assert flat_then == pytest.approx(flat, rel=0.1)
        assert texture_then < 0.75 * texture if moving else texture_then == texture


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


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=8, max_size=8), st.sets(st.integers(0, BITS - 1), max_size=3))
def test_an_id_survives_any_three_wrong_bits_that_look_right(ident: bytes, wrong: set[int]) -> None:
    soft = codeword(ident.hex()).astype(float)
    soft[list(wrong)] *= -1
    found, score = decode(soft)
    assert found == ident.hex()
    assert score == pytest.approx(match(soft, ident.hex()))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1))
def test_an_id_survives_noise_that_turns_one_bit_in_fifteen(ident: bytes, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=BITS)
    noise *= np.sqrt(BITS) / np.linalg.norm(noise)
    assert decode(1.5 * codeword(ident.hex()) + noise)[0] == ident.hex()


def test_thresholds_hold_their_rate() -> None:
    """Random readings, drawn: as often as is said, an id of a ledger fits by chance."""
    rng = np.random.default_rng(0)
    score = rng.normal(size=(200_000, BITS))
    score = score[:, :64].sum(axis=1) / np.linalg.norm(score, axis=1) * np.sqrt(2)  # any direction will do
    likely = 1e-3
    ids = RATE / likely  # a ledger so small that even one place in a thousand would be too many
    assert np.mean(score >= threshold(ids, 1)) == pytest.approx(likely, rel=0.2)
    assert threshold(2.0**64, 8) > threshold(1000, 8) > threshold(1, 8) > threshold(1, 1)


def test_the_pattern_is_the_same_for_ever() -> None:
    """Films out there carry it: whoever changes this makes a new key, and keeps reading the old one."""
    made = pattern()
    facts = made.bit.astype("<i4").tobytes() + made.sign.astype("<f4").tobytes()
    assert hashlib.sha256(facts).hexdigest()[:16] == "534a8f47a0c7f50d"
    assert hashlib.sha256(codeword(IDENT).tobytes()).hexdigest()[:16] == "d89c21a374001d94"
    assert int(codeword(IDENT).size) == BITS


def test_a_mark_is_faint_and_leaves_its_source_alone() -> None:
    mark = PictureMark(IDENT, SIZE)
    for frame in painted.pictures(4):
        plain = conformed(frame)
        before = [plane.copy() for plane in planes(plain)]
        marked = mark(plain)
        assert mark(plain) is marked  # a film shows many frames twice
        error = (planes(marked)[0].astype(float) - before[0]) * 255 / 219
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 42
        assert all((plane == was).all() for plane, was in zip(planes(plain), before, strict=True))
        assert all((plane == was).all() for plane, was in zip(planes(marked)[1:], before[1:], strict=True))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le", "yuv422p10le"])
def test_a_flat_picture_changes_by_less_than_eyes_see(pixels: str) -> None:
    """A level in some pixels, and no grain of chips: smoothed over one, half a level is left of it."""
    found = change(np.full((SIZE[1], SIZE[0], 3), (90, 160, 200), np.uint8), pixels)
    assert 0 < np.abs(found).max() <= 2
    assert np.mean(found**2) < 1
    smooth = cv2.blur(found, (7, 7))
    assert 0.2 < smooth.std() < 0.55
    assert np.abs(smooth).max() < 1.5


def test_beside_an_edge_a_flat_side_gets_no_more_than_elsewhere() -> None:
    flat = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    flat[:, SIZE[0] // 2 :] = 220
    assert np.abs(change(flat)).max() <= 3


def test_black_and_white_stay_within_what_they_were() -> None:
    for level in (0, 255):
        found = change(np.full((SIZE[1], SIZE[0], 3), level, np.uint8))
        assert (found >= 0).all() if level == 0 else (found <= 0).all()


def test_a_mark_for_another_size_is_refused() -> None:
    with pytest.raises(AssembleError, match="does not fit"):
        PictureMark(IDENT, (640, 480))(conformed(painted.pictures(1)[0]))


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
    film = stitch([painted.pictures()], tmp_path / "film.mp4", fps=12, size=SIZE, mark=PictureMark(IDENT, SIZE))
    sight = read(list(read_frames(film.path))[8:])
    assert (sight.verdict, sight.ident) == ("blind", IDENT)


def test_a_film_that_is_delivered_larger_is_marked_as_it_is_delivered(tmp_path: Path) -> None:
    size = 640, 360
    film = stitch([painted.pictures(6)], tmp_path / "film.mp4", fps=12, size=size, mark=PictureMark(IDENT, size))
    sight = read(read_frames(film.path))
    assert (sight.verdict, sight.ident, sight.scale) == ("blind", IDENT, 1.0)


def test_a_worn_mark_is_matched_to_the_ledger_or_not_at_all() -> None:
    rng = np.random.default_rng(0)
    frames = [
        np.clip(frame + rng.normal(0, 40, frame.shape), 0, 255).astype(np.uint8)
        for frame in shown(painted.pictures(3))
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
