"""When the lines of a shot are spoken, and how loud the voice is from frame to frame while there is no sound to measure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from storyboard.script.parts import BREATH, SPEAKING

if TYPE_CHECKING:
    from storyboard.planning.shot import Shot, SpokenLine

_VOWELS = re.compile(r"[aeiouyäöüàâéèêëíìîïóòôúùûåæøœ]+", re.I)
_OPEN = 0.9  # loudness on a syllable's vowel, 0..1


def timed(lines: Sequence[SpokenLine]) -> list[tuple[SpokenLine, float, float]]:
    """Each line with the seconds at which it starts and ends in its shot, one after the other."""
    placed, at = [], 0.0
    for line in lines:
        length = len(line.text) / SPEAKING
        placed.append((line, at + BREATH / 2, at + BREATH / 2 + length))
        at += length + BREATH
    return placed


def loudness(shot: Shot, frames: int, fps: float) -> dict[str, list[float]]:
    """For each character who speaks in the frame, a loudness 0..1 for every frame: a bump for each syllable of the words."""
    levels: dict[str, list[float]] = {}
    for line, start, end in timed(shot.lines):
        if line.heard or line.speaker not in shot.names:
            continue
        track = levels.setdefault(line.speaker, [0.0] * frames)
        each = (end - start) / max(1, len(line.text))  # seconds a letter
        for vowel in _VOWELS.finditer(line.text):
            middle = start + (vowel.start() + vowel.end()) / 2 * each
            width = 1.5 * each * (vowel.end() - vowel.start() + 1)
            for frame in range(max(0, math.floor((middle - width) * fps)), min(frames, math.ceil((middle + width) * fps) + 1)):
                away = abs(frame / fps - middle) / width
                if away < 1:
                    track[frame] = max(track[frame], round(_OPEN * math.cos(away * math.pi / 2), 3))
    return levels
