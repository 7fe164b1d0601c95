"""`python -m benchmarks.obedience`: prompts of held-out people, rendered, and how much of each prompt can be seen.

A judge that learnt from drawings reads each render (benchmarks/obedience/judge.py). The row "drawings" is how well it reads
drawings of the same prompts: the most that a render could reach. Actions are asked for in wide and medium shots.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.identity import cast, shots
from benchmarks.obedience import judge
from generation import Model
from generation.toon.world import character, scene
from identity import Encoders


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.obedience", description=__doc__)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--people", type=int, default=50, help="held-out people who take turns in the prompts")
    parser.add_argument("--drawings", type=int, default=6000, help="clips that the judge learns from")
    parser.add_argument("--model", default="toon")
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-obedience"))
    parser.add_argument(
        "--packs", type=Path, default=Path("out/benchmark-identity"), help="where the people's packs are kept"
    )
    asked = parser.parse_args()

    reader = judge.trained(*_drawings(asked.work, asked.drawings), asked.work / f"judge-{asked.drawings}.pt")
    people = cast.held_out(asked.people)
    packs = cast.packs(people, asked.packs, Encoders.load())
    plan = [_shot(people[k % len(people)], k) for k in range(asked.prompts)]
    truth = np.array([judge.labels(shot.scene) for shot in plan])
    drawn = reader.read(np.stack([judge.looks(frames) for frames in shots.draw(plan, judge.FRAMES)]))
    made = shots.generate(Model.open(asked.model), plan, packs, frames=judge.FRAMES)
    seen = reader.read(np.stack([judge.looks(frames) for frames in made]))

    table = Table(title=f"{len(plan)} prompts of {len(people)} held-out people: what can be seen of them")
    table.add_column("")
    for name in judge.ATTRIBUTES:
        table.add_column(name, justify="right")
    chance = [f"{1 / len(options):.0%}" for options in judge.ATTRIBUTES.values()]
    for name, answers in (("drawings", drawn), ("renders", seen)):
        right = np.ma.masked_where(truth == judge.UNSEEN, answers == truth).mean(0)
        table.add_row(name, *(f"{share:.0%}" for share in right))
    table.add_row("by chance", *chance)
    Console(width=110).print(table)
    _confusions(truth, seen)


def _confusions(truth: np.ndarray, seen: np.ndarray) -> None:
    """For each action, how often it is seen and what else is, so that one knows what to train."""
    column = list(judge.ATTRIBUTES).index("action")
    for k, action in enumerate(judge.ACTIONS):
        rows = seen[truth[:, column] == k, column]
        if len(rows):
            most = np.bincount(rows, minlength=len(judge.ACTIONS)).argsort()[::-1][:3]
            said = ", ".join(f"{judge.ACTIONS[m]} {np.mean(rows == m):.0%}" for m in most if (rows == m).any())
            print(f"{action:>9}: {said}")


def _shot(who: character.Character, index: int) -> shots.Shot:
    rng = np.random.default_rng([52, index])
    return shots.Shot(scene.sample_scene(rng, [who]), (f"c{who.seed}",), int(rng.integers(1 << 30)))


def _drawings(work: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    path = work / f"drawings-{count}.npz"
    if not path.exists():
        people = character.seeds(2000, hold_out=False)
        with ProcessPoolExecutor(2) as pool:
            made = list(pool.map(partial(judge.draw, hold_out=False, people=people), range(count), chunksize=20))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, clips=np.stack([clip for clip, _ in made]), truth=np.array([said for _, said in made]))
    kept = np.load(path)
    return kept["clips"], kept["truth"]


if __name__ == "__main__":
    main()
