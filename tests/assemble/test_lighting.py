"""Faults of light are found with their numbers; another framing, another place and what the script asks for are none."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assemble import AssembleError, Finding, Lighting, Setting, check, look
from assemble.colour import stops, to_codes, warming
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


def test_a_slow_ramp_under_a_moving_camera() -> None:
    rise = 2.0 ** np.linspace(0, 0.3, 16)
    found = checked(lit.clip(drift=2, gain=rise[:, None] * np.ones(3)))
    fault = only(found)
    assert (fault.kind, fault.shots, fault.frames) == ("ramp", (1,), (0, 15))
    assert fault.value == pytest.approx(0.3, rel=0.15)
    assert not checked(lit.clip(drift=2)).faults


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
