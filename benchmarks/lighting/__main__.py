"""`python -m benchmarks.lighting`: precision and recall of the lighting checks, their numbers, and what the grade does."""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from assemble import Finding, Look, Setting, check, look, read_frames, write_clip
from benchmarks.lighting import faults
from benchmarks.lighting.films import Shot, film
from benchmarks.lighting.graded import Graded, grade_film

FAULTS: dict[str, Callable[[Shot], faults.Fault]] = {
    "exposure -0.5 EV": faults.exposure,
    "white balance +50 mired": faults.white_balance,
    "ramp +0.3 EV": faults.ramp,
    "flash of 3 frames": faults.flash,
    "skin +8 CIEDE2000": faults.skin,
}
NIGHT = "night lit as day"
NEAR = 0.15
"""How far a number may be off, as a share of the truth."""
CONSEQUENCES = ("exposure", "white balance")
"""A night shot lit as day is off its scene's other shots in these, too: no false alarm."""
LIKE = {"exposure": 0.1, "change": 0.1, "white balance": 3, "skin": 1, "ramp": 0.1, "flash": 0.1}
"""What compression changes by itself: near enough where the truth is nearly zero, as that of a night lit as day may be."""


Found = tuple[faults.Fault, Finding | None, float]
"""A fault, what was found of it, and what the same check says of the same shots without the fault."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lighting", description=__doc__)
    parser.add_argument("--films", type=int, default=10)
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--shots", type=int, default=3, help="shots in each of a film's two scenes")
    parser.add_argument("--first", type=int, default=0, help="number of the first film")
    asked = parser.parse_args()
    found: dict[str, list[Found]] = defaultdict(list)
    alarms: list[tuple[str, Finding]] = []
    graded: dict[str, list[Graded]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.first, asked.first + asked.films):
            shots = [_coded(shot, Path(folder)) for shot in film(number, asked.frames, asked.shots)]
            looks = {shot.setting.number: look(shot.frames, shot.people) for shot in shots}
            settings = [shot.setting for shot in shots]
            clean = check(settings, looks)
            alarms += [(f"film {number}, faultless", each) for each in clean.faults]
            graded["faultless"] += grade_film(shots, looks, clean, shots)
            where = number % asked.shots
            cases = {name: (where, put(shots[where])) for name, put in FAULTS.items()}
            night = _night(shots)
            if night:
                cases[NIGHT] = night
            for name, (place, fault) in cases.items():
                shot = _coded(fault.shot, Path(folder))
                seen = {**looks, shot.setting.number: look(shot.frames, shot.people)}
                told = check(settings, seen)
                mine = [each for each in told.faults if shot.setting.number in each.shots]
                right = [each for each in mine if each.kind == fault.kind]
                best = max(right, key=lambda each: abs(each.value), default=None)
                if best and name == NIGHT:
                    fault = replace(fault, value=faults.around(fault.shot) - faults.around(shots[best.shots[0] - 1]))
                found[name].append((fault, best, _own(best, settings, looks)))
                fair = [*right, *(each for each in mine if name == NIGHT and each.kind in CONSEQUENCES)]
                alarms += [
                    (f"film {number}, {name} in shot {place + 1}", each) for each in told.faults if each not in fair
                ]
                if fault.kind in ("exposure", "white balance"):
                    bad = [shot if k == place else each for k, each in enumerate(shots)]
                    graded[name] += [one for one in grade_film(bad, seen, told, shots) if one.shot == place + 1]
            print(
                f"film {number}: {', '.join(f'{shot.scene.size} {shot.setting.place}' for shot in shots)}", flush=True
            )
    _tell(found, alarms, asked.films)
    _tell_graded(graded)


def _night(shots: list[Shot]) -> tuple[int, faults.Fault] | None:
    """A night shot of a place that the film shows by day, too, or out of doors as another by day."""
    days = [shot for shot in shots if shot.setting.time in ("morning", "day")]
    for place, shot in enumerate(shots):
        said = shot.setting
        alike = [day for day in days if day.setting.place == said.place or not (day.setting.interior or said.interior)]
        if said.time == "night" and alike:
            return place, faults.night_as_day(shot)
    return None


def _own(best: Finding | None, settings: list[Setting], looks: Mapping[int, Look]) -> float:
    """What the check that found a fault says of the faultless shots: toon's light falls off over the screen, so that a place
    that is reframed is really lit a little otherwise. 0 for what is no difference along one axis."""
    if best is None or best.kind not in ("exposure", "white balance", "ramp"):
        return 0.0
    by_number = {said.number: replace(said, anchor=said.number == best.shots[0]) for said in settings}
    told = check([by_number[number] for number in best.shots], {number: looks[number] for number in best.shots})
    return next((each.value for each in told.findings if (each.kind, each.shots) == (best.kind, best.shots)), 0.0)


def _coded(shot: Shot, folder: Path) -> Shot:
    """The shot as a take gives it: through H.264."""
    path = folder / "take.mp4"
    write_clip(shot.frames, path, 12)
    return replace(shot, frames=np.stack(list(read_frames(path))))


def _tell(
    found: dict[str, list[Found]], alarms: list[tuple[str, Finding]], films: int
) -> None:
    table = Table(title=f"Lighting checks on {films} drawn films")
    for column in ("fault", "cases", "found", "right within 15 %", "beyond the faultless", "mean error", "worst error"):
        table.add_column(column, justify="left" if column == "fault" else "right")
    hits = cases = 0
    for name, rows in found.items():
        seen = [(fault, each.value, own) for fault, each, own in rows if each]
        errors = [abs(value - own - fault.value) for fault, value, own in seen]
        room = [max(NEAR * abs(fault.value), 0 if name != NIGHT else LIKE[fault.kind]) for fault, _, _ in seen]
        near = [error <= most for error, most in zip(errors, room, strict=True)]
        plain = [abs(value - fault.value) <= most for (fault, value, _), most in zip(seen, room, strict=True)]
        hits, cases = hits + len(errors), cases + len(rows)
        figures = (f"{np.mean(errors):.2f}", f"{max(errors):.2f}") if errors else ("-", "-")
        table.add_row(name, str(len(rows)), str(len(errors)), str(sum(plain)), str(sum(near)), *figures)
    Console(width=120).print(table)
    for name, rows in found.items():
        for fault, each, own in rows:
            if each is None or abs(each.value - own - fault.value) > NEAR * abs(fault.value):
                said = "missed" if each is None else f"said to be {each.value:.2f}, {own:.2f} without the fault"
                print(f"{name} of {fault.value:.2f}: {said}")
    false = len(alarms)
    clean = len({said for said, _ in alarms if "faultless" in said})
    print(
        f"recall {hits / max(cases, 1):.3f}, precision {hits / max(hits + false, 1):.3f}; "
        f"{clean} of {films} faultless films alarmed"
    )
    for said, each in alarms:
        print(f"false alarm, {said}: {each.verdict} {each.kind} {each.shots} {each.value} {each.unit} ({each.region})")


def _tell_graded(graded: dict[str, list[Graded]]) -> None:
    table = Table(title="The grade")
    for column in (
        "shots",
        "number",
        "graded",
        "under gates",
        "skin dE00 before",
        "after",
        "worst after",
        "worst change",
    ):
        table.add_column(column, justify="left" if column == "shots" else "right")
    for name, rows in graded.items():
        if rows:
            before, after = np.array([one.before for one in rows]), np.array([one.after for one in rows])
            table.add_row(
                name, str(len(rows)), str(sum(one.done for one in rows)), str(sum(one.clean for one in rows)),
                f"{before.mean():.2f}", f"{after.mean():.2f}", f"{after.max():.2f}", f"{(after - before).max():+.2f}",
            )  # fmt: skip
    Console(width=120).print(table)
    for name, rows in graded.items():
        for one in rows:
            if one.refused and name != "faultless":
                print(f"{name}, shot {one.shot}: not graded: {one.refused}")


if __name__ == "__main__":
    main()
