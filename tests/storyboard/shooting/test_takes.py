"""Takes and their seeds, and the loudness that moves a mouth."""

from __future__ import annotations

from typing import Any

import pytest

from storyboard.planning.shot import Shot, SpokenLine
from storyboard.seeds import derived
from storyboard.shooting.speech import loudness, timed
from storyboard.shooting.takes import Take, best, take_of


def shot(**changes: Any) -> Shot:
    plain = {
        "size": "wide", "seconds": 3, "place": "park", "interior": False, "time": "day", "seed": 5,
        "light": {"side": "left", "warmth": "warm"}, "characters": [{"name": "mia", "side": "left"}], **changes,
    }  # fmt: skip
    return Shot.model_validate(plain)


def scored(number: int, **likeness: tuple[float | None, float, bool]) -> Take:
    characters = {name: {"mean": mean, "present": present, "passes": passes} for name, (mean, present, passes) in likeness.items()}
    return Take(1, number, 0, score={"characters": characters})


def test_seeds_follow_from_one_another_and_differ() -> None:
    assert derived(7, 1, 2) == derived(7, 1, 2)
    found = {derived(7, scene, index) for scene in range(20) for index in range(20)}
    assert len(found) == 400 and all(0 <= seed < 2**31 for seed in found)
    assert derived(7, 1, 12) != derived(7, 11, 2)


def test_the_first_take_has_the_shots_own_seed() -> None:
    assert take_of(shot(), 1, 1).seed == 5
    seeds = {take_of(shot(), 1, number, roll).seed for number in (1, 2, 3) for roll in (0, 1, 2)}
    assert len(seeds) == 9


def test_the_best_take_passes_or_keeps_its_worst_character_best() -> None:
    failing = scored(1, mia=(0.9, 1.0, True), tom=(0.1, 1.0, False))
    passing = scored(2, mia=(0.6, 1.0, True), tom=(0.6, 1.0, True))
    lost = scored(3, mia=(0.9, 1.0, True), tom=(None, 0.0, False))
    assert best([failing, passing, lost]) is passing
    assert best([lost, failing]) is failing
    twin = scored(4, mia=(0.6, 1.0, True), tom=(0.6, 1.0, True))
    assert best([twin, passing]) is passing
    nobody = Take(1, 1, 0)
    assert nobody.passes and best([nobody]) is nobody
    assert not failing.passes


def test_lines_follow_one_another() -> None:
    lines = [SpokenLine(speaker="mia", text="x" * 14), SpokenLine(speaker="tom", text="y" * 28)]
    (_, start, end), (_, after, last) = timed(lines)
    assert (start, end) == pytest.approx((0.1, 1.1))
    assert (after, last) == pytest.approx((1.3, 3.3))


def test_a_voice_is_loud_while_its_line_is_said() -> None:
    said = shot(lines=[{"speaker": "mia", "text": "There is someone on the rocks!"}, {"speaker": "tom", "text": "Oh", "heard": True}])
    levels = loudness(said, 37, 12.0)
    assert set(levels) == {"mia"}
    track = levels["mia"]
    assert len(track) == 37 and max(track) > 0.6 and min(track) >= 0 and max(track) <= 1
    assert track[0] < 0.3 and not any(track[29:])
    assert loudness(shot(), 9, 12.0) == {}
