"""How many shots each setting of a story gets, and how the shots of a long film fall into sequences of two to five."""

from __future__ import annotations

import math

from storyboard.limits import Limits
from storyboard.planning.settings import Setting
from storyboard.planning.split import fewest, natural, strengths

FEWEST = 2  # shots of a sequence


def counted(settings: list[Setting], limits: Limits) -> list[int]:
    """How many shots each setting becomes. Between two breaks of the script no more than the sequences there can hold."""
    counts: list[int] = []
    start = 0
    for end in range(1, len(settings) + 1):
        if end == len(settings) or settings[end].breaks:
            counts += _stretch(settings[start:end], limits)
            start = end
    return counts


def _stretch(settings: list[Setting], limits: Limits) -> list[int]:
    low = [len(each.shots) or fewest(each, limits) for each in settings]
    most = [len(each.shots) or max(1, len(each.beats)) for each in settings]
    counts = [len(each.shots) or max(least, natural(each)) for each, least in zip(settings, low, strict=True)]
    room = limits.shots * math.ceil(sum(low) / limits.shots)
    ranked = [sorted(strengths(each), reverse=True) for each in settings]
    while sum(counts) > room:
        # Give up the weakest cut of all, and of equal ones that of the setting with the most shots.
        spare = [index for index, count in enumerate(counts) if count > low[index]]
        weakest = min(spare, key=lambda index: (ranked[index][counts[index] - 2], -counts[index]))
        counts[weakest] -= 1
    while sum(counts) < FEWEST and (roomy := [i for i, count in enumerate(counts) if count < most[i]]):
        counts[roomy[0]] += 1
    return counts


def packed(counts: list[int], breaks: list[bool], limits: Limits) -> list[int]:
    """The sequence, from 1, of every shot of settings with so many shots each; a break always opens a new one.

    The fewest sequences, cut between settings where that can be, and as even as that allows.
    """
    numbers: list[int] = []
    start = 0
    for end in range(1, len(counts) + 1):
        if end == len(counts) or breaks[end]:
            first = numbers[-1] + 1 if numbers else 1
            numbers += [first + number for number in _fill(counts[start:end], limits.shots)]
            start = end
    return numbers


def _fill(counts: list[int], most: int) -> list[int]:
    total = sum(counts)
    edges = set()
    at = 0
    for count in counts:
        at += count
        edges.add(at)
    # cost[end] = (cuts inside a setting, sequences, lone shots, unevenness) of the best packing of the shots before `end`
    cost: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
    came = [0]
    for end in range(1, total + 1):
        options = []
        for start in range(max(0, end - most), end):
            torn, parts, lone, uneven = cost[start]
            size = end - start
            options.append(
                ((torn + (end not in edges), parts + 1, lone + (size < FEWEST), uneven + size * size), start)
            )
        best, start = min(options)
        cost.append(best)
        came.append(start)
    bounds = []
    end = total
    while end:
        bounds.append((came[end], end))
        end = came[end]
    return [number for number, (start, end) in enumerate(reversed(bounds)) for _ in range(start, end)]
