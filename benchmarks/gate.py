"""`python -m benchmarks.gate`: what takes and the first sight of layouts are worth, on drawn people no training has seen.

Every shot is rendered by the real conductor, once with `--takes 1` and once with `--takes 3`. The table gives the share of shots
under the identity gate, what was made for it, and what the rejected layouts would have cost as full takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.identity import cast
from storyboard import Film, Studio
from storyboard.shooting.sight import SIGHT
from storyboard.shooting.takes import Take

SIZES = ("medium", "wide", "close-up")
PLACES = ("KITCHEN", "PARK", "LIBRARY", "BEACH", "STREET", "FOREST")
ACTIONS = ("waves", "talks", "walks", "stands still", "points")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--takes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.4, help="of each shot")
    parser.add_argument("--model", default="toon")
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-gate"))
    asked = parser.parse_args()

    people = cast.held_out(asked.people)
    asked.work.mkdir(parents=True, exist_ok=True)
    for who in people:
        cast.draw_references(who, asked.work / "references" / f"c{who.seed}", 8)
    scripts = [asked.work / f"{start:02}.md" for start in range(0, len(people), 2)]
    for number, path in enumerate(scripts):
        pair = people[2 * number : 2 * number + 2]
        path.write_text(script([f"c{who.seed}" for who in pair], number, asked.seconds), encoding="utf-8")

    studio, rows = Studio(asked.model), []
    for takes in (1, asked.takes):
        films = [studio.render(path, path.with_suffix(".mp4"), takes=takes) for path in scripts]
        rows.append((takes, films))
    table = Table(title=f"{len(people)} held-out characters, {sum(len(f.report.shots) for f in rows[0][1])} shots")
    for column in (
        "takes",
        "under the gate",
        "takes finished",
        "layouts rejected",
        "seconds",
        "as full takes",
        "saved of those",
    ):
        table.add_column(column, justify="right")
    for takes, films in rows:
        table.add_row(str(takes), *figures(films))
    Console(width=120).print(table)


def script(names: list[str], number: int, seconds: float) -> str:
    """A film of two people, each alone and both together, in places and sizes that vary."""
    rng = np.random.default_rng([number, 71])
    cards = "".join(f"  {name}: {{refs: references/{name}}}\n" for name in names)
    shots, size = "", SIZES[number % 3]
    for name in names:
        shots += f"\n## Shot: {size}, static, {seconds}s\n@{name} {ACTIONS[int(rng.integers(len(ACTIONS)))]}.\n"
    if len(names) == 2:
        shots += f"\n## Shot: medium, static, {seconds}s\n@{names[0]} waves. @{names[1]} talks.\n"
    place = PLACES[int(rng.integers(len(PLACES)))]
    return f"---\nsize: 256x144\nseed: {number}\ncharacters:\n{cards}---\n# INT. {place} - DAY\n{shots}"


def figures(films: list[Film]) -> list[str]:
    """The row of a table for these films."""
    shots = [shot for film in films for shot in film.report.shots]
    under = sum(shot.kept is None or not shot.kept.passes for shot in shots)
    takes = [take for shot in shots for take in shot.takes]
    finished, rejected = [t for t in takes if not t.rejected], [t for t in takes if t.rejected]
    spent, whole = sum(map(cost, rejected)), float(np.mean([cost(take) for take in finished]))
    saved = f"{1 - spent / (len(rejected) * whole):.0%}" if rejected else "-"
    total = spent + sum(map(cost, finished))
    full = f"{total - spent + len(rejected) * whole:.0f}"
    return [
        f"{under} of {len(shots)} ({under / len(shots):.0%})",
        str(len(finished)),
        str(len(rejected)),
        f"{total:.0f}",
        full,
        saved,
    ]


def cost(take: Take) -> float:
    """Seconds of work in a take, without its words, which all takes of a shot share. Of a rejected one its layout and the look at
    it; that another render had finished it, and left the seconds there, is no cost of the rejection."""
    unfinished = ("layout", SIGHT)
    return sum(
        seconds for stage, seconds in take.seconds.items() if stage != "encode" and (not take.rejected or stage in unfinished)
    )


if __name__ == "__main__":
    main()
