"""Splitting prose into shots: how strongly each place between two beats asks for a cut, and the best cuts of a number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from storyboard.limits import Limits
from storyboard.planning.camera import Framing, framing
from storyboard.planning.settings import Setting
from storyboard.script.parts import Line, Sentence
from storyboard.script.words import MENTION

FULLEST = 4  # sentences of action that one shot can show
CUT = 4.0  # the strength from which a place asks for a cut of its own
EVEN = 0.25  # how much an uneven share of the beats costs, against the strength of a cut

Item = Sentence | Line


def strengths(setting: Setting) -> list[float]:
    """For each beat but the first, how strongly the place before it asks for a cut."""
    return [_strength(before, after, index, setting) for index, (before, after) in enumerate(pairwise(setting.beats), start=1)]


def natural(setting: Setting) -> int:
    """How many shots the beats of a setting ask for."""
    return 1 + sum(strength >= CUT for strength in strengths(setting))


def fewest(setting: Setting, limits: Limits) -> int:
    """How many shots it takes at least, so that none is over-full."""
    shots, start = 1, 0
    for end in range(1, len(setting.beats) + 1):
        if not _fits(setting.beats[start:end], limits):
            shots, start = shots + 1, end - 1
    return shots


def split(setting: Setting, count: int, limits: Limits) -> list[tuple[int, int]]:
    """The beats of a setting as `count` runs (start, end) with the strongest cuts between them, none over-full.

    Exact, by dynamic programming over (shots so far, beats so far). `count` is between `fewest` and the number of beats.
    """
    beats, gains = setting.beats, [0.0, *strengths(setting)]
    count = max(1, min(count, len(beats)))
    share = len(beats) / count
    nothing = float("-inf")
    best = [0.0] + [nothing] * len(beats)
    came: list[list[int]] = []
    for _ in range(count):
        row, froms = [nothing] * (len(beats) + 1), [0] * (len(beats) + 1)
        for end in range(1, len(beats) + 1):
            for start in range(end - 1, -1, -1):
                if not _fits(beats[start:end], limits):
                    break
                if best[start] > nothing:
                    value = best[start] + (gains[start] if start else 0.0) - EVEN * (end - start - share) ** 2
                    if value > row[end]:
                        row[end], froms[end] = value, start
        best = row
        came.append(froms)
    runs: list[tuple[int, int]] = []
    end = len(beats)
    for froms in reversed(came):
        runs.append((froms[end], end))
        end = froms[end]
    return runs[::-1]


def _strength(before: Item, after: Item, index: int, setting: Setting) -> float:
    follows, opens = _only_camera(before).size, _only_camera(after)
    if follows or (opens.move and not opens.size):
        return -5.0  # 'Close-up.' speaks of what follows, 'The camera pulls out.' of what was before
    here, there = _who(before), _who(after)
    if isinstance(before, Line) and isinstance(after, Line):
        strength = 0.0 if before.speaker == after.speaker else 5.0
    elif isinstance(after, Line):
        strength = 1.0 if after.speaker in here else 4.0
    elif here and there and here != there:
        strength = 3.0 if here & there else 5.0
    elif isinstance(before, Line):
        strength = 2.0 if before.speaker in there else 3.0
    else:
        strength = 1.0
    if before.paragraph != after.paragraph:
        strength += 1.5 if isinstance(before, Sentence) and isinstance(after, Sentence) else 0.5
    if isinstance(after, Sentence):
        seen = framing(after.text)
        strength += (5.0 if seen.size else 0.0) + (2.0 if seen.move else 0.0)
    return 20.0 if index in setting.cuts else strength


def _only_camera(beat: Item) -> Framing:
    """The camera words of a sentence that is nothing else; none otherwise."""
    seen = framing(beat.text) if isinstance(beat, Sentence) else None
    return seen if seen and not seen.rest else Framing(None, None, "")


def _who(beat: Item) -> set[str]:
    return {beat.speaker} if isinstance(beat, Line) else set(MENTION.findall(beat.text))


def _fits(beats: Sequence[Item], limits: Limits) -> bool:
    if len(beats) == 1:
        return True
    told = sum(isinstance(beat, Sentence) for beat in beats)
    return told <= FULLEST and sum(beat.seconds for beat in beats if isinstance(beat, Line)) <= limits.longest
