"""The grade: one transform a clip that brings it towards the anchor of its scene, in linear light, and can be undone.

    graded = regrade(settings, looks, check(settings, looks), frames, people)
    frames = map(graded[2].grade.apply, frames(2))

The transform is a gain for each kind of cone or for each of red, green and blue, whichever explains more, and where the contrast
is off a gain and a black level: what a colourist does first, and what the better half of automatic shot matching comes down to
(SMPTE 2025 Media Technology Summit, automated shot matching). Transforms of whole distributions make a real cut worse, since the
two sides of it do not show the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assemble.colour import Floats, linear, stops, warming
from assemble.lighting.finding import GATES, Setting
from assemble.lighting.findings import Lighting
from assemble.lighting.look import Look, look
from assemble.lighting.match import TURNED, Match, match, with_contrast
from assemble.lighting.palette import AXES, BRIGHT, Shift
from assemble.lighting.regions import Person
from assemble.lut import Grade, adaptation, towards
from assemble.picture import Frame

MOST_EV, MOST_MIRED, MOST_BLACK = 1.0, 80.0, 0.1
"""What a grade changes at most: exposure, white balance, and the black level as a share of white."""
WORSE = 0.5  # CIEDE2000 by which skin or clothes may be further off after the grade
CLIPPED, OVER = 0.02, 1.12  # share of the picture that may newly be clipped, and the linear light from which it is
DIM = 1e-4  # linear light, under which a colour is black
MENDS = ("exposure", "white balance", "contrast")  # findings that a grade can mend


@dataclass(frozen=True)
class Grading:
    """What came of grading a shot towards its anchor: the `grade`, None when it was refused, and in `why` the reason, or what was
    done. `look` and `match` are as it is now; for a shot that was not graded, as before."""

    number: int
    anchor: int
    grade: Grade | None
    why: str
    look: Look
    match: Match


def regrade(
    settings: Sequence[Setting],
    looks: Mapping[int, Look],
    found: Lighting,
    frames: Callable[[int], Iterable[Frame]],
    people: Mapping[int, Mapping[int, Sequence[Person]]],
) -> dict[int, Grading]:
    """Grade every shot whose exposure, white balance or contrast is off its anchor's, by number.

    `settings` and `looks` are what `found` was checked from; `frames` gives a shot's frames anew, `people` who is where in them.
    A grade is kept only if the shot comes nearer to its anchor by the very check that found it, and nothing else gets worse.
    """
    made = {}
    for setting in settings:
        number = setting.number
        wanted = [each for each in found.faults if each.kind in MENDS and each.shots[-1] == number]
        short = number in found.matches and not found.matches[number].sound
        if wanted or short:
            here = _Shot(
                number, found.anchors[number], looks[number], looks[found.anchors[number]], found.matches[number]
            )
            made[number] = (
                here.refused(found.alone[number]) if short else here.graded(frames(number), people.get(number, {}))
            )
    return made


def fitted(found: Match) -> tuple[Grade, bool]:
    """The grade that undoes a match, and whether it is held back by its limits."""
    hard = found.contrast is not None and abs(found.contrast - 1) >= GATES["contrast"].review
    if hard and found.pairs:
        gain, black = _line(found.pairs)
        share = _share(gain)
        gain = gain**share
        return Grade(np.diag(1 / gain), np.clip(-black / gain, -MOST_BLACK, MOST_BLACK)), share < 1
    gain, matrix = _gain(found)
    share = _share(matrix(gain).sum(1))
    return Grade(matrix(gain**-share), np.zeros(3)), share < 1


def _share(gain: Floats) -> float:
    """How much of a gain may be undone. A part of a gain is a power of it; the larger excess decides, so that hue and level stay
    in proportion."""
    return min(1.0, MOST_EV / max(abs(stops(gain)), 1e-9), MOST_MIRED / max(abs(warming(gain)), 1e-9))


def _gain(found: Match) -> tuple[Floats, Callable[[Floats], Floats]]:
    """The gain (3,) that best takes each matched colour of the regions that agree to what became of it, and what makes a matrix
    of it: a gain on the cones' responses, as of another lamp, or on red, green and blue, as of other settings of a camera."""
    from scipy.optimize import least_squares

    if not found.heard:
        return towards(found.gain), adaptation
    agreed = [(found.regions[name], heard) for name, heard in found.heard.items()]
    before, after = (np.concatenate([getattr(each, side) for each, _ in agreed]) for side in ("before", "after"))
    weights = np.concatenate([each.weights[:, None] / each.weights.sum() * heard for each, heard in agreed])

    def left(gain: Floats, matrix: Callable[[Floats], Floats]) -> Floats:
        light = 2.0**before @ matrix(2.0**gain).T
        return np.asarray((np.sqrt(weights) * ((after - np.log2(np.maximum(light, DIM))) @ AXES.T) / TURNED).ravel())

    ways: tuple[tuple[Callable[[Floats], Floats], Floats], ...] = ((adaptation, towards(found.gain)), (np.diag, found.gain))
    fits = [least_squares(left, np.log2(start), args=(matrix,), loss="soft_l1") for matrix, start in ways]
    best = int(fits[1].cost < fits[0].cost)
    return np.asarray(2.0 ** fits[best].x), ways[best][0]


def _line(pairs: Shift) -> tuple[Floats, Floats]:
    """Gain and black level (3,) by weighted least squares over matched colours, in linear light."""
    before, after, weights = 2.0**pairs.before, 2.0**pairs.after, np.sqrt(pairs.weights / pairs.weights.sum())
    lines = [np.polyfit(before[:, k], after[:, k], 1, w=weights) for k in range(3)]
    return np.maximum([line[0] for line in lines], 0.1), np.array([line[1] for line in lines])


@dataclass(frozen=True)
class _Shot:
    """One shot on its way through the grade."""

    number: int
    anchor: int
    look: Look
    model: Look
    match: Match

    def refused(self, why: str) -> Grading:
        return Grading(self.number, self.anchor, None, why, self.look, self.match)

    def graded(self, frames: Iterable[Frame], people: Mapping[int, Sequence[Person]]) -> Grading:
        made, short = fitted(self.match)
        lost: list[float] = []
        after = look((_graded(made, frame, lost) for frame in frames), people)
        # The same for all frames, a grade leaves the course of the light as it is.
        after = replace(after, ev=self.look.ev, mired=self.look.mired, levels=self.look.levels)
        now = with_contrast(match(self.model, after), self.model, after)
        worse = self._worse(now, sum(lost) / len(lost))
        if worse:
            return self.refused(f"a grade of {_said(made)} was tried and left out: {worse}")
        most = ", the most that a grade does," if short else ""
        done = f"graded by {_said(made)}{most} towards shot {self.anchor}"
        return Grading(self.number, self.anchor, made, done, after, now)

    def _worse(self, now: Match, lost: float) -> str:
        """What speaks against a grade that was tried; '' when nothing does."""
        if not now.sound:
            return "less of the picture can be compared after it"
        if _away(now) > 0.75 * _away(self.match):
            return f"it leaves {now.ev:+.2f} EV and {now.mired:+.0f} mired"
        for kind, old, new in (("skin", self.match.skin, now.skin), ("clothes", self.match.clothes, now.clothes)):
            for name in (name for name in new if name in old):
                before, after = old[name].whole, new[name].whole
                if after > before + WORSE and after >= GATES[kind].review:
                    return f"{name}'s {kind} would be {after:.1f} CIEDE2000 off instead of {before:.1f}"
        if lost > CLIPPED:
            return f"{lost:.0%} of the picture would newly be clipped"
        return ""


def _graded(made: Grade, frame: Frame, lost: list[float]) -> Frame:
    """A graded frame to be measured: what was clipped before tells nothing after, though it may be darker now. The share of
    the picture that only now is well over white is added to `lost`; what ends at white, as before a fault, loses nothing."""
    graded, clipped = made.apply(frame), frame.max(-1) >= BRIGHT
    beyond = (made.light(linear(frame)) > OVER).any(-1)
    lost.append(float((beyond & ~clipped).mean()))
    graded[clipped] = 255
    return graded


def _away(found: Match) -> float:
    """How far a shot is from its anchor, in gates."""
    flat = 0.0 if found.contrast is None else abs(found.contrast - 1) / GATES["contrast"].review
    return (
        abs(found.ev) / GATES["exposure"].review
        + abs(found.mired) / GATES["white balance"].review
        + max(0.0, flat - 0.5)
    )


def _said(made: Grade) -> str:
    black = f", black level {made.black.mean():+.3f}" if made.black.any() else ""
    return f"{made.ev:+.2f} EV, {made.mired:+.0f} mired{black}"
