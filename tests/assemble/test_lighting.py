"""Faults of light are found with their numbers; another framing, another place and what the script asks for are none."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assemble import AssembleError, Finding, Lighting, Setting, check, look
from assemble.colour import ciede2000, lab, stops, to_codes, warming
from assemble.lighting.palette import palette, shift


def _painter() -> object:
    path = Path(__file__).with_name("lit.py")
    spec = importlib.util.spec_from_file_location("lit", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


lit = _painter()
DAY = Setting(1, "kitchen", True, "day", "front", "neutral")
WARM = np.array([1.15, 1.0, 0.74])


def checked(*clips: object, **said: dict[int, Setting]) -> Lighting:
    """Clips of one place and light, unless `said` replaces what the script says of some."""
    settings = [said.get("settings", {}).get(n, replace(DAY, number=n)) for n in range(1, len(clips) + 1)]
    return check(settings, {n: each.look for n, each in enumerate(clips, start=1)})


def only(found: Lighting) -> Finding:
    (fault,) = found.faults
    return fault


SHOTS = {"wide": {}, "closer": {"zoom": 1.6, "pan": 30}, "aside": {"zoom": 1.2, "pan": -60, "names": ("mia",)}}


@pytest.fixture(scope="module")
def clean() -> list[object]:
    return [lit.clip(**how) for how in SHOTS.values()]


def test_other_framings_of_one_place_are_no_fault(clean: list[object]) -> None:
    found = checked(*clean)
    assert not found.faults
    assert all(each.sound and abs(each.ev) < 0.1 and abs(each.mired) < 3 for each in found.matches.values())


@pytest.mark.parametrize("ev", [-0.5, 0.4, -0.8])
def test_exposure(clean: list[object], ev: float) -> None:
    fault = only(checked(clean[0], lit.clip(**SHOTS["closer"], gain=2.0**ev), clean[2]))
    assert (fault.kind, fault.shots, fault.unit) == ("exposure", (1, 2), "EV")
    assert fault.value == pytest.approx(ev, abs=0.06)
    assert fault.verdict == ("review" if abs(ev) < fault.fix else "fix")


def test_white_balance(clean: list[object]) -> None:
    fault = only(checked(clean[0], lit.clip(**SHOTS["closer"], gain=WARM / 1.02), clean[2]))
    assert (fault.kind, fault.verdict) == ("white balance", "fix")
    assert fault.value == pytest.approx(warming(WARM), rel=0.1)


def test_the_skin_of_one(clean: list[object]) -> None:
    fault = only(checked(clean[0], lit.clip(**SHOTS["closer"], skin={"mia": (1.0, 0.72, 0.75)}), clean[2]))
    assert (fault.kind, fault.region, fault.verdict) == ("skin", "skin:mia", "fix")


@pytest.mark.parametrize("change", [(1.0, 0.72, 0.75), (0.45, 0.42, 0.6)], ids=["redder", "far darker"])
def test_a_changed_skin_is_told_by_how_much_and_nobody_elses_is(clean: list[object], change: tuple[float, ...]) -> None:
    """The far darker one agrees with nothing that the other shots show of that face."""
    before = np.array(lit.SKIN["mia"])
    true = float(ciede2000(lab(before), lab(before * change)))
    for names in (("mia", "tom"), ("mia",)):
        changed = lit.clip(zoom=1.6, pan=30, skin={"mia": change}, names=names)
        fault = only(checked(clean[0], changed, clean[2]))
        assert (fault.kind, fault.region) == ("skin", "skin:mia")
        assert fault.value == pytest.approx(true, rel=0.15)


@pytest.mark.parametrize("shade", [0.8, 1.2])
def test_a_head_that_turns_from_the_light_or_to_it_has_the_same_skin(clean: list[object], shade: float) -> None:
    assert not checked(clean[0], lit.clip(**SHOTS["closer"], head={"mia": shade}), clean[2]).faults


def test_another_skin_is_told_by_how_much_on_a_head_that_turned(clean: list[object]) -> None:
    change, before = np.array((1.0, 0.72, 0.75)), np.array(lit.SKIN["mia"])
    fault = only(checked(clean[0], lit.clip(**SHOTS["closer"], skin={"mia": change}, head={"mia": 0.8}), clean[2]))
    assert (fault.kind, fault.region) == ("skin", "skin:mia")
    assert fault.value == pytest.approx(float(ciede2000(lab(before), lab(before * change))), rel=0.15)


@pytest.mark.parametrize("change", [(1.0, 1.0, 1.0), (0.55, 0.5, 0.7)])
def test_the_eyes_of_a_dark_face_tell_the_shade_that_it_is_in(change: tuple[float, ...]) -> None:
    """Its hair is lit as before, so that nothing else does."""
    before = np.array(lit.SKIN["tom"])
    other = lit.clip(**SHOTS["closer"], skin={"tom": change}, face={"tom": 0.72})
    found = checked(lit.clip(face={"tom": 1.0}), other)
    true = float(ciede2000(lab(before), lab(before * change)))
    if not true:
        assert not found.faults and found.matches[2].skin["tom"].whole < 1
        return
    fault = only(found)
    assert fault.region == "skin:tom" and fault.value == pytest.approx(true, rel=0.15)


def test_a_night_that_is_no_darker_is_told_by_those_in_it_where_they_fill_the_frame() -> None:
    settings = {1: DAY, 2: replace(DAY, number=2, time="night")}
    day = lit.clip(zoom=3.0)
    assert day.look.area.get("background", 0.0) < 0.08
    for gain, faults in ((1.0, {"change"}), (0.4, set())):
        found = checked(day, lit.clip(zoom=2.4, gain=gain), settings=settings)
        assert {fault.kind for fault in found.faults} == faults


def test_light_of_another_colour_on_one_alone_is_not_taken_for_another_skin(clean: list[object]) -> None:
    warm = lit.clip(zoom=2, pan=30, names=("mia",), gain=WARM / 1.02)
    assert {fault.kind for fault in checked(clean[0], warm, clean[2]).faults} == {"white balance"}


def test_a_slow_ramp_under_a_moving_camera() -> None:
    rise = 2.0 ** np.linspace(0, 0.3, 16)
    found = checked(lit.clip(drift=2, gain=rise[:, None] * np.ones(3)))
    fault = only(found)
    assert (fault.kind, fault.shots, fault.frames) == ("ramp", (1,), (0, 15))
    assert fault.value == pytest.approx(0.3, rel=0.15)
    assert not checked(lit.clip(drift=2)).faults


def test_a_pan_hides_no_ramp_where_the_light_is_not_from_the_side() -> None:
    rise = 2.0 ** np.linspace(0, 0.3, 16)
    pans = {1: replace(DAY, pans=True)}
    fault = only(checked(lit.clip(drift=2, gain=rise[:, None] * np.ones(3)), settings=pans))
    assert fault.kind == "ramp" and fault.value == pytest.approx(0.3, rel=0.15)


@pytest.mark.parametrize("frames", [(0, 2), (13, 15), (6, 8)])
def test_a_flash_at_a_joint_and_within(frames: tuple[int, int]) -> None:
    gain = np.ones((16, 3))
    gain[frames[0] : frames[1] + 1] *= 2.0**0.4
    fault = only(checked(lit.clip(gain=gain)))
    assert (fault.kind, fault.frames, fault.verdict) == ("flash", frames, "fix")
    assert fault.value == pytest.approx(0.4, rel=0.15)


def test_flicker() -> None:
    gain = 2.0 ** (np.random.default_rng(1).normal(0, 0.12, 16))[:, None] * np.ones(3)
    kinds = {fault.kind for fault in checked(lit.clip(gain=gain)).faults}
    assert "flicker" in kinds


def test_what_the_script_asks_for_is_no_fault_and_its_absence_is() -> None:
    night = replace(DAY, number=2, time="night")
    asked = checked(lit.clip(), lit.clip(gain=(0.3, 0.35, 0.5)), settings={2: night})
    assert not asked.faults
    missed = only(checked(lit.clip(), lit.clip(zoom=1.3, gain=1.05), settings={2: night}))
    assert (missed.kind, missed.verdict, missed.shots) == ("change", "fix", (1, 2))
    assert missed.value == pytest.approx(0.07, abs=0.15)


def test_a_night_is_held_against_the_day_framed_most_alike() -> None:
    said = {2: replace(DAY, number=2), 3: replace(DAY, number=3, time="night")}
    shots = lit.clip(), lit.clip(zoom=1.7, pan=30), lit.clip(pan=4, gain=0.98)
    missed = only(checked(*shots, settings=said))
    assert (missed.kind, missed.shots) == ("change", (1, 3))


def test_a_day_that_is_too_dark_is_one_fault_and_not_that_of_the_night() -> None:
    said = {4: replace(DAY, number=4, time="night")}
    shots = lit.clip(gain=2**-0.5), lit.clip(zoom=1.1), lit.clip(zoom=1.2, pan=20), lit.clip(pan=3, gain=(0.6, 0.6, 0.7))
    fault = only(checked(*shots, settings=said))
    assert fault.kind == "exposure" and 1 in fault.shots


def test_a_lamp_that_goes_out() -> None:
    falls = np.r_[np.ones(8), np.full(8, 0.5)][:, None] * np.ones(3)
    out = {1: replace(DAY, change="darker")}
    assert not checked(lit.clip(gain=falls), settings=out).faults
    missed = only(checked(lit.clip(), settings=out))
    assert (missed.kind, missed.verdict) == ("change", "fix")
    assert "should get darker" in missed.text


def test_the_side_of_the_key_light() -> None:
    left = {1: replace(DAY, side="left")}
    assert not checked(lit.clip(side="left"), settings=left).faults
    faults = checked(lit.clip(side="right"), settings=left).faults
    assert {(each.kind, each.region) for each in faults} == {("key light", "skin:mia"), ("key light", "skin:tom")}
    assert all(each.verdict == "review" and each.value < 0 for each in faults)


def test_a_sleeve_before_one_cheek_is_no_light_from_the_other_side() -> None:
    waves = lit.clip(side="left")
    for place, here in waves.people.items():
        x0, y0, x1, y1 = map(int, here[0].face)
        waves.frames[place, y0 + (y1 - y0) * 2 // 3 : y1, (2 * x0 + x1) // 3 - 3 : x1] = waves.frames[place, y0 + 12 : y0 + 13, x1 - 2 : x1 - 1]
        waves.frames[place, (y0 + y1) // 2 : y1 - 8, x1 - 9 : x1] = 190
    assert not checked(waves, settings={1: replace(DAY, side="left")}).faults


def test_nothing_alike_is_left_alone_with_the_reason(clean: list[object]) -> None:
    elsewhere = lit.clip(seed=9, names=())
    elsewhere.frames[:] = np.random.default_rng(0).integers(0, 40, elsewhere.frames.shape)
    found = checked(clean[0], elsewhere)
    assert not [each for each in found.findings if len(each.shots) == 2]
    assert any("too little" in why for why in found.alone.values())


def test_the_anchor_is_the_one_that_the_script_picks_or_the_one_most_are_near_to(clean: list[object]) -> None:
    dark = lit.clip(gain=0.6)
    assert checked(dark, *clean[1:]).anchors == {1: 2, 2: 2, 3: 2}
    assert checked(dark, *clean[1:], settings={1: replace(DAY, anchor=True)}).anchors == {1: 1, 2: 1, 3: 1}


def test_the_anchor_is_one_that_others_can_be_compared_with(clean: list[object]) -> None:
    blank = lit.clip(names=())
    blank.frames[:] = np.random.default_rng(0).integers(0, 40, blank.frames.shape)
    assert checked(blank, clean[0], lit.clip(zoom=1.6, pan=30, gain=0.7)).anchors[1] != 1


def test_the_fullest_of_shades_that_fill_a_range_do_not_draw_the_gain() -> None:
    rng = np.random.default_rng(6)
    shaded = np.array([0.5, 0.3, 0.2]) * 2.0 ** rng.normal(-0.8, 0.2, (6000, 1))
    noise = rng.normal(0, 0.8, (2, 6000, 3))
    views = [np.clip(np.round(to_codes(shaded * gain) * 255 + noise[k]), 0, 255) for k, gain in enumerate((1, 2**-0.5))]
    first, second = (palette(view.astype(np.uint8)) for view in views)
    assert first and second
    assert stops(shift(first, second).gain) == pytest.approx(-0.5, abs=0.05)


def test_a_gain_is_found_where_a_part_of_the_colours_is_new() -> None:
    rng = np.random.default_rng(2)
    colours = rng.integers(30, 200, (8, 3))
    first = colours[rng.integers(0, 6, 4000)].astype(np.uint8)
    second = colours[rng.integers(2, 8, 4000)].astype(np.uint8)
    one, other = palette(first), palette(second)
    assert one and other
    found = shift(one, other)
    assert abs(stops(found.gain)) < 0.02 and 0.5 < found.agreement < 0.8


def test_a_view_that_fell_after_it_was_clipped_tells_how_far() -> None:
    rng = np.random.default_rng(3)
    glare = np.array([1.6, 1.2, 0.9]) * 2.0 ** rng.uniform(-1.5, 0.6, (4000, 1))
    lit_up = np.round(to_codes(np.minimum(glare, 1)) * 255).astype(np.uint8)
    fallen = np.round(to_codes(np.minimum(glare, 1) * 2**-0.5) * 255).astype(np.uint8)
    first, second = palette(lit_up), palette(fallen)
    assert first and second and first.clipped > 0.3 and second.clipped == 0
    for one, other, ev in ((first, second, -0.5), (second, first, 0.5)):
        assert stops(shift(one, other).gain) == pytest.approx(ev, abs=0.05)


def test_odd_clips() -> None:
    with pytest.raises(AssembleError, match="without frames"):
        look([], {})
    black = look(np.zeros((12, 40, 60, 3), np.uint8), {})
    assert not check([DAY, replace(DAY, number=2)], {1: black, 2: black}).faults
    short = look(np.full((2, 40, 60, 3), 120, np.uint8), {0: []})
    assert not check([DAY], {1: short}).faults


def test_of_a_changed_skin_the_shot_tells_that_shows_it_most_alike(clean: list[object]) -> None:
    """The anchor's face lies half in shade, which is not what changed."""
    change, before = np.array((1.0, 0.72, 0.75)), np.array(lit.SKIN["mia"])
    settings = {1: replace(DAY, anchor=True)}
    shaded, other = lit.clip(side="left", skin={"mia": (0.8, 0.8, 0.8)}), lit.clip(**SHOTS["closer"], skin={"mia": change})
    true = float(ciede2000(lab(before), lab(before * change)))
    alone = only(checked(shaded, other, settings=settings))
    fault = only(checked(shaded, other, clean[2], settings=settings))
    assert fault.shots == alone.shots == (1, 2)
    assert abs(fault.value - true) < 0.5 * abs(alone.value - true)
    assert fault.value == pytest.approx(true, rel=0.15)
