"""The anchor of a scene: the shot that all others of one place and light are compared with and graded towards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from assemble.lighting.course import course
from assemble.lighting.finding import Setting
from assemble.lighting.look import Look
from assemble.lighting.match import Match, match, with_contrast

MOST = 4.0  # steps: further apart, or with too little to compare, two shots are just not alike
STOP, WARM, LOST = 0.25, 15.0, 1.0
"""What counts as one step away: EV, mired, share of clipped and black pixels (these little: they say which of two is at fault,
and do not outvote a third)."""


def anchor(group: Sequence[Setting], looks: Mapping[int, Look]) -> tuple[int, dict[int, Match]]:
    """The anchor's number, and how each other shot compares with it.

    It is the one that the script picks, else the best lit: steady in itself, near to the others, and with little that is
    clipped or black; of equal ones the first.
    """
    numbers = [setting.number for setting in group]
    panning = {setting.number for setting in group if setting.pans}
    picked = [setting.number for setting in group if setting.anchor]
    if picked or len(numbers) == 1:
        return (picked or numbers)[0], _towards((picked or numbers)[0], numbers, looks)
    found = {frozenset(pair): _steps(match(*(looks[number] for number in pair))) for pair in combinations(numbers, 2)}

    def away(number: int) -> tuple[float, int]:
        steps = [found[frozenset((other, number))] for other in numbers if other != number]
        own = course(looks[number], number in panning)
        unsteady = abs(own.ramp) / STOP + abs(own.drift) / WARM + sum(abs(flash.ev) for flash in own.flashes) / STOP
        return round(sum(steps) / len(steps) + unsteady / 2 + looks[number].lost / LOST, 1), number

    chosen = min(numbers, key=away)
    return chosen, _towards(chosen, numbers, looks)


def _towards(chosen: int, numbers: Sequence[int], looks: Mapping[int, Look]) -> dict[int, Match]:
    """How each other shot compares with the chosen one."""
    others = {number: looks[number] for number in numbers if number != chosen}
    return {
        number: with_contrast(match(looks[chosen], other), looks[chosen], other) for number, other in others.items()
    }


def _steps(found: Match) -> float:
    return min(MOST, abs(found.ev) / STOP + abs(found.mired) / WARM) if found.sound else MOST
