"""The grade brings a shot to its anchor, is refused where it should be, and its LUT says what it did."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assemble import Grade, Grading, Setting, check, regrade
from assemble.colour import LUMINANCE, TO_XYZ, ciede2000, lab, linear
from assemble.lut import BRADFORD, adaptation, towards

sys.path.insert(0, str(Path(__file__).parent))
import lit

DAY = Setting(1, "kitchen", True, "day", "front", "neutral")
WARM = np.array([1.15, 1.0, 0.74])


def graded(*clips: lit.Clip) -> tuple[dict[int, Grading], dict[int, lit.Clip]]:
    """What is made of clips of one place and light, of which the first is the anchor."""
    shown = dict(enumerate(clips, start=1))
    settings = [replace(DAY, number=number, anchor=number == 1) for number in shown]
    looks = {number: each.look for number, each in shown.items()}
    people = {number: each.people for number, each in shown.items()}
    made = regrade(settings, looks, check(settings, looks), lambda number: iter(shown[number].frames), people)
    after = {**looks, **{number: each.look for number, each in made.items()}}
    left = [each for each in check(settings, after).faults if made.get(each.shots[-1]) and made[each.shots[-1]].grade]
    assert all("the most" in made[each.shots[-1]].why for each in left)
    return made, shown


def skin_off(frame: np.ndarray, truth: np.ndarray) -> float:
    """CIEDE2000 between the cheeks of two frames."""
    here = (slice(30, 40), slice(40, 50))
    return float(np.median(ciede2000(lab(linear(frame[here])), lab(linear(truth[here])))))


@pytest.mark.parametrize("gain", [0.7, 1.35, WARM, 1 / WARM], ids=["dark", "bright", "warm", "cool"])
def test_a_shot_that_is_off_is_brought_to_its_anchor(gain: object) -> None:
    truth, fault = lit.clip(zoom=1.4, pan=20), lit.clip(zoom=1.4, pan=20, gain=gain)
    made, shown = graded(lit.clip(), fault)
    grade = made[2].grade
    assert grade is not None and "towards shot 1" in made[2].why
    before, after = (skin_off(each, truth.frames[0]) for each in (shown[2].frames[0], grade.apply(shown[2].frames[0])))
    assert before > 4 and after < 1.5
    assert abs(made[2].match.ev) < 0.1


def test_milky_blacks_are_taken_out() -> None:
    truth, fault = lit.clip(zoom=1.2), lit.clip(zoom=1.2)
    milky = linear(fault.frames) * 0.7 + 0.06
    fault.frames[:] = np.round(255 * (1.055 * milky ** (1 / 2.4) - 0.055))
    made, _ = graded(lit.clip(), fault)
    assert made[2].grade is not None and made[2].grade.black.max() < -0.01
    assert skin_off(made[2].grade.apply(fault.frames[0]), truth.frames[0]) < 2


def test_what_is_within_the_gates_is_left_alone() -> None:
    made, _ = graded(lit.clip(), lit.clip(zoom=1.5, pan=30), lit.clip(gain=0.9))
    assert made == {}


def test_a_grade_is_refused_where_too_little_is_alike_and_says_so() -> None:
    other = lit.clip(seed=9, names=())
    other.frames[:] = np.random.default_rng(0).integers(0, 40, other.frames.shape)
    made, _ = graded(lit.clip(), other)
    assert made[2].grade is None and made[2].why == "too little of it can be compared with shot 1"


def test_a_grade_that_would_clip_is_left_out() -> None:
    # Dark by more than a grade may lift, with a lamp in the picture that would burn out.
    fault = lit.clip(gain=0.55)
    fault.frames[:, 60:, :40] = 215
    made, _ = graded(lit.clip(), fault)
    assert made[2].grade is None
    assert "clipped" in made[2].why and made[2].match.ev == pytest.approx(-0.86, abs=0.1)


def test_a_grade_has_limits() -> None:
    made, _ = graded(lit.clip(), lit.clip(zoom=1.3, gain=0.35))
    grade = made[2].grade
    assert grade is not None and grade.ev == pytest.approx(1, abs=0.01) and "the most that a grade does" in made[2].why
    assert made[2].match.ev == pytest.approx(-0.5, abs=0.1)


def test_the_skin_of_one_is_not_paid_for_by_the_rest() -> None:
    made, _ = graded(lit.clip(), lit.clip(zoom=1.4, skin={"mia": (1.0, 0.7, 0.75)}))
    assert made == {}


@pytest.mark.parametrize("matrix", [np.diag, adaptation], ids=["channels", "cones"])
@given(st.floats(0.5, 2), st.floats(0.5, 2), st.floats(-0.01, 0.01))
def test_undoing_gives_back_what_was_not_clipped(matrix: Any, red: float, blue: float, black: float) -> None:
    grade = Grade(matrix(np.array([red, 1.0, blue])), np.full(3, black))
    codes = np.random.default_rng(2).uniform(0, 1, (500, 3))
    once = grade.graded(codes)
    whole = ((once > 0.02) & (once < 0.999) & (codes > 0.02)).all(-1)
    assert whole.any()
    assert np.abs(grade.inverse().graded(once) - codes)[whole].max() < 1e-6


def test_ffmpeg_reads_the_lut_as_the_grade(tmp_path: Path) -> None:
    grade = Grade(adaptation(np.array([1.3, 1.0, 0.8])), np.array([0.002, 0.0, -0.002]))
    path = tmp_path / "02.cube"
    path.write_text(grade.cube('shot 2, "the stairs"'), encoding="utf-8")
    frame = np.random.default_rng(4).integers(0, 256, (48, 64, 3), np.uint8)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=64, height=48, format=av.VideoFormat("rgb24"), time_base="1/12")
    lut, sink = graph.add("lut3d", file=str(path)), graph.add("buffersink")
    source.link_to(lut)
    lut.link_to(sink)
    graph.configure()
    source.push(av.VideoFrame.from_ndarray(frame, "rgb24"))
    read = sink.pull().to_ndarray(format="rgb24")
    assert np.abs(read.astype(int) - grade.apply(frame)).max() <= 1
    # between its colours a LUT is straight, which the darkest channel of a bright colour is not
    exact = 255 * grade.graded(frame / 255)
    unclipped = np.abs(read - exact)[(frame < 247).all(-1)]
    assert np.quantile(unclipped, 0.99) <= 1.5
    assert unclipped[exact[(frame < 247).all(-1)] > 16].max() <= 3.5


def test_a_lamp_of_another_colour_is_undone_for_every_colour() -> None:
    """What looked alike to the eye's cones under one lamp does under the other: Bradford's example, A to D65 (ICC.1:2010, E)."""
    warm = np.array([1.09850, 1.0, 0.35585])  # XYZ of illuminant A
    white = BRADFORD @ TO_XYZ.sum(1)
    lamp = adaptation(BRADFORD @ warm / white)
    assert np.allclose(TO_XYZ @ lamp @ np.ones(3), warm, atol=1e-3)
    colours = np.random.default_rng(3).uniform(0.1, 0.4, (50, 3))
    assert np.allclose(Grade.adapting(white / (BRADFORD @ warm)).light(colours @ lamp.T), colours)
    assert np.allclose(towards(lamp @ np.ones(3)), BRADFORD @ warm / white)


def test_what_is_white_stays_white() -> None:
    """A grade that cools would turn lamps cyan, and the clipped red of a pale face."""
    cooler = np.array([0.8, 1.0, 1.3])
    grade = Grade.adapting(towards(cooler / (LUMINANCE @ cooler)))
    frame = np.full((8, 8, 3), 255, np.uint8)
    frame[4:] = (255, 200, 150)
    lamp, face = grade.apply(frame)[[0, -1], 0]
    assert lamp.min() >= 254 and face[0] >= 250 and abs(int(face[1]) - 200) < 12
    darker = Grade.adapting(np.full(3, 0.5)).apply(frame)[0, 0]
    assert darker.max() == darker.min() == pytest.approx(188, abs=1)
