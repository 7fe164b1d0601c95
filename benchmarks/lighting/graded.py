"""What the grade makes of a film, judged by the pixels: the skin of each shot against the same shot without its fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from assemble import Lighting, Look, check, regrade
from benchmarks.lighting.films import Shot


@dataclass(frozen=True)
class Graded:
    """One shot: CIEDE2000 of its skin from the truth before and after, whether it was graded, whether exposure and white
    balance are under their gates after, and why it was not graded."""

    shot: int
    before: float
    after: float
    done: bool
    clean: bool
    refused: str


def grade_film(
    shots: Sequence[Shot], looks: Mapping[int, Look], found: Lighting, truth: Sequence[Shot]
) -> list[Graded]:
    """Grade a film; `truth` are its shots without the fault."""
    by_number = {shot.setting.number: shot for shot in shots}
    settings = [
        replace(shot.setting, anchor=found.anchors[shot.setting.number] == shot.setting.number) for shot in shots
    ]
    people = {number: shot.people for number, shot in by_number.items()}
    made = regrade(settings, looks, found, lambda number: iter(by_number[number].frames), people)
    after = check(settings, {**looks, **{number: each.look for number, each in made.items()}})
    rows = []
    for shot, real in zip(shots, truth, strict=True):
        number = shot.setting.number
        each = made.get(number)
        grade = each.grade if each else None
        frames = shot.frames if grade is None else np.stack([grade.apply(frame) for frame in shot.frames])
        bad = [one for one in after.faults if one.kind in ("exposure", "white balance") and one.shots[-1] == number]
        why = each.why if each and grade is None else "" if each else "no finding"
        rows.append(Graded(number, _skin(shot.frames, real), _skin(frames, real), grade is not None, not bad, why))
    return rows


def _skin(frames: np.ndarray, real: Shot) -> float:
    """The mean over frames and people of the CIEDE2000 between the median skins of a shot and of the truth."""
    away = []
    for place in range(0, len(frames), 4):
        for one in real.people[place]:
            x0, y0, x1, y1 = (int(max(0, value)) for value in one.face or ())
            top = y0 + (y1 - y0) // 2
            pair = [np.median(rgb2lab(each[place, top:y1, x0:x1]).reshape(-1, 3), 0) for each in (frames, real.frames)]
            if np.isfinite(pair).all():
                away.append(float(deltaE_ciede2000(*pair)))
    return float(np.mean(away)) if away else 0.0
