"""`python -m benchmarks.obedience`: prompts of held-out people, rendered, and how much of each prompt can be seen.

Two readers that learnt from drawings read each render: one the whole frame (benchmarks/obedience/judge.py), one what the figure
does (acting.py). The row "drawings" is how well they read drawings of the same prompts: the most that a render could reach.
Actions are asked for in wide and medium shots.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.identity import cast, measure, shots
from benchmarks.obedience import acting, judge
from generation import Model
from generation.families import FAMILIES
from generation.toon.world import character, scene
from generation.toon.world.pose import ACTIONS
from identity import Encoders


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.obedience", description=__doc__)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--people", type=int, default=50, help="held-out people who take turns in the prompts")
    parser.add_argument("--drawings", type=int, default=6000, help="clips that the readers learn from")
    parser.add_argument("--model", default="toon")
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-obedience"))
    parser.add_argument(
        "--packs", type=Path, default=Path("out/benchmark-identity"), help="where the people's packs are kept"
    )
    asked = parser.parse_args()

    drawings = _drawings(asked.work, asked.drawings)
    whole = judge.trained(drawings["clips"], drawings["truth"], asked.work / f"judge-{asked.drawings}.pt")
    actor = acting.trained(
        drawings["figures"], drawings["ways"], drawings["acts"], asked.work / f"actor-{asked.drawings}.pt"
    )
    encoders = Encoders.load()
    people = cast.held_out(asked.people)
    packs = cast.packs(people, asked.packs, encoders)
    plan = [_shot(people[k % len(people)], k) for k in range(asked.prompts)]
    truth = np.array([[*judge.labels(shot.scene), acting.label(shot.scene)] for shot in plan])
    made = shots.generate(Model.open(asked.model), plan, packs, frames=judge.FRAMES)

    def read(clips: list[np.ndarray]) -> np.ndarray:
        moments = [frames[:: judge.EVERY] for frames in clips]
        figures, ways = zip(*(acting.seen(each, _boxes(each, encoders)) for each in moments), strict=True)
        told = whole.read(np.stack([judge.looks(each) for each in moments]))
        return np.concatenate([told, actor.read(np.stack(figures), np.stack(ways))[:, None]], 1)

    seen = read(made)
    table = Table(title=f"{len(plan)} prompts of {len(people)} held-out people: what can be seen of them")
    for name in ("", *judge.ATTRIBUTES, "action"):
        table.add_column(name, justify="right" if name else "left")
    chances = [f"{1 / len(options):.0%}" for options in (*judge.ATTRIBUTES.values(), ACTIONS)]
    for name, answers in (("drawings", read(shots.draw(plan, judge.FRAMES))), ("renders", seen)):
        right = np.ma.masked_where(truth == acting.UNSEEN, answers == truth).mean(0)
        table.add_row(name, *(f"{share:.0%}" for share in right))
    table.add_row("by chance", *chances)
    Console(width=110).print(table)
    _confusions(truth[:, -1], seen[:, -1])


def _boxes(moments: np.ndarray, encoders: Encoders) -> list[np.ndarray | None]:
    """Where the largest figure is at each of a clip's moments."""
    found = [measure.people(frame, encoders, 1) for frame in moments]
    return [each[0].box if each else None for each in found]


def _confusions(truth: np.ndarray, seen: np.ndarray) -> None:
    """For each action, how often it is seen and what else is, so that one knows what to train."""
    for k, action in enumerate(ACTIONS):
        rows = seen[truth == k]
        if len(rows):
            most = np.bincount(rows, minlength=len(ACTIONS)).argsort()[::-1][:3]
            said = ", ".join(f"{ACTIONS[m]} {np.mean(rows == m):.0%}" for m in most if (rows == m).any())
            print(f"{action:>9}: {said}")


def _shot(who: character.Character, index: int) -> shots.Shot:
    rng = np.random.default_rng([52, index])
    return shots.Shot(scene.sample_scene(rng, [who]), (f"c{who.seed}",), int(rng.integers(1 << 30)))


def _drawings(work: Path, count: int) -> dict[str, np.ndarray]:
    """What the readers learn from: `clips` and their `truth`, `figures`, their `ways` and what they do, `acts`."""
    path = work / f"drawings-{count}.npz"
    if not path.exists():
        people = character.seeds(2000, hold_out=False)
        with ProcessPoolExecutor(2) as pool:
            made = list(pool.map(partial(_draw, people=people), range(count), chunksize=20))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **{name: np.stack([one[name] for one in made]) for name in made[0]})
    return dict(np.load(path))


def _draw(index: int, people: list[int]) -> dict[str, np.ndarray]:
    """One random scene of one person of those that training knows."""
    rng = np.random.default_rng([77, index])
    what = scene.sample_scene(rng, [character.sample(people[index % len(people)])])
    seldom, length = replace(what, fps=what.fps / judge.EVERY), scene.lasting(what, judge.FRAMES)
    clip = scene.render(seldom, acting.MOMENTS, *FAMILIES["toon"].sizes[0], length=length)
    figures, ways = acting.seen(clip.frames, [found[0].box for found in clip.drawn])
    said = np.array(judge.labels(what)), np.array(acting.label(what))
    return {"clips": judge.looks(clip.frames), "truth": said[0], "figures": figures, "ways": ways, "acts": said[1]}


if __name__ == "__main__":
    main()
