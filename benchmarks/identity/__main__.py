"""`python -m benchmarks.identity`: the table that proves the conditioning, on held-out characters only."""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.identity import cast, measure, shots
from generation import Model
from generation.request import SIDES
from generation.toon.world.style import HELD_OUT_STYLE
from identity import Encoders, IdentityPack

Frames = list[np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--places", type=int, default=2, help="shots of each character, each in another place")
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--steps", type=int, help="denoising steps (the family's own by default)")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--model", default="toon")
    parser.add_argument(
        "--another-hand", action="store_true", help="reference pictures in the drawing style that no training sees"
    )
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-identity"))
    asked = parser.parse_args()

    encoders, model = Encoders.load(), Model.open(asked.model)
    people = cast.held_out(asked.people)
    packs = cast.packs(people, asked.work, encoders, HELD_OUT_STYLE if asked.another_hand else None)
    count = len(people)
    single = shots.plan(people, [(i,) for i in range(count)], asked.places, seed=51)
    pairs = shots.plan(people, [(i, (i + 7) % count) for i in range(count)], 1, seed=52)
    trios = shots.plan(people, [(i, (i + 7) % count, (i + 19) % count) for i in range(count)], 1, seed=53)
    guidance = (asked.guidance, asked.guidance) if asked.guidance else None

    def made(some: list[shots.Shot], scale: float) -> Frames:
        return shots.generate(
            model, some, packs, frames=asked.frames, scale=scale, steps=asked.steps, guidance=guidance
        )

    plans = (single, pairs, trios)
    drawn = [shots.draw(some, asked.frames) for some in plans]
    rendered = [made(some, 1.0) for some in plans]
    rows = {"drawings": drawn, "identity adapter": rendered, "without adapter": [made(some, 0.0) for some in plans]}
    table = Table(
        title=f"{count} held-out characters: {len(single)} shots of one, {len(pairs)} of two, {len(trios)} of three"
    )
    for column in (
        "",
        "found",
        "top-1",
        "top-5",
        "cosine",
        "between shots",
        "hair dE",
        "skin dE",
        "clothes dE",
        "two: both right",
        "two: each right",
        "three: each right",
    ):
        table.add_column(column, justify="left" if not column else "right")
    for name, (one, two, three) in rows.items():
        both, each = _together(two, pairs, packs, encoders)
        _, of_three = _together(three, trios, packs, encoders)
        table.add_row(
            name, *_single(one, drawn[0], single, packs, encoders), f"{both:.0%}", f"{each:.0%}", f"{of_three:.0%}"
        )
    Console(width=170).print(table)
    sheet(asked.work / "sheet.png", drawn[0], rendered[0])
    sheet(asked.work / "pairs.png", drawn[1], rendered[1])
    print(f"contact sheets (drawing above, render below): {asked.work}/sheet.png, {asked.work}/pairs.png")


def _single(
    made: Frames, drawn: Frames, plan: list[shots.Shot], packs: dict[str, IdentityPack], encoders: Encoders
) -> list[str]:
    gallery, ranks, cosines = measure.Gallery.of(packs), [], []
    distances: dict[str, list[float]] = defaultdict(list)
    embeddings: dict[str, list[np.ndarray]] = defaultdict(list)
    found = 0
    for frames, truth, shot in zip(made, drawn, plan, strict=True):
        middle = len(frames) // 2
        seen = measure.people(frames[middle], encoders, 1)
        if not seen:
            ranks.append(len(packs))
            continue
        found += 1
        mine = gallery.names.index(shot.names[0])
        evidence = gallery.evidence(seen[0], frames[middle], encoders)
        ranks.append(int((evidence > evidence[mine]).sum()))
        cosines.append(float(gallery.figure[mine] @ seen[0].embedding))
        embeddings[shot.names[0]].append(seen[0].embedding)
        real = measure.people(truth[middle], encoders, 1)
        if real:
            pair = measure.colours(frames[middle], seen[0]), measure.colours(truth[middle], real[0])
            for region, distance in measure.colour_distance(*pair).items():
                distances[region].append(distance)
    rank = np.array(ranks)
    colours = [f"{np.median(distances[r]):.1f}" if distances[r] else "-" for r in measure.REGIONS]
    cosine = f"{np.mean(cosines):.3f}" if cosines else "-"
    shares = [f"{found / len(plan):.0%}", f"{(rank == 0).mean():.0%}", f"{(rank < 5).mean():.0%}"]
    return [*shares, cosine, _between(embeddings), *colours]


def _between(embeddings: dict[str, list[np.ndarray]]) -> str:
    """How alike the shots of one character are: the mean cosine of its figure between any two of them."""
    alike = [float(a @ b) for seen in embeddings.values() for a, b in combinations(seen, 2)]
    return f"{np.mean(alike):.3f}" if alike else "-"


def _together(
    made: Frames, plan: list[shots.Shot], packs: dict[str, IdentityPack], encoders: Encoders
) -> tuple[float, float]:
    """The shares of shots in which all, and of characters that each, are right.

    A character is right when the figure on its side is nearer to its own pack than to those of the others in the shot.
    """
    gallery, whole, each, people = measure.Gallery.of(packs), 0, 0, 0
    for frames, shot in zip(made, plan, strict=True):
        middle, count = len(frames) // 2, len(shot.names)
        people += count
        seen = measure.people(frames[middle], encoders, count)
        if len(seen) < count:
            continue
        sides = [SIDES.index(part.side) for part in shot.scene.parts]
        order = [gallery.names.index(shot.names[k]) for k in np.argsort(sides)]
        right = 0
        for figure, mine in zip(seen, order, strict=True):
            evidence = gallery.evidence(figure, frames[middle], encoders)[order]
            right += bool(order[int(np.nanargmax(evidence))] == mine)
        each += right
        whole += right == count
    return whole / len(plan), each / people


def sheet(path: Path, drawn: Frames, made: Frames, count: int = 24, columns: int = 6) -> None:
    """Middle frames, drawing above render, to a PNG."""
    tiles = [np.concatenate([d[len(d) // 2], m[len(m) // 2]]) for d, m in zip(drawn[:count], made[:count], strict=True)]
    columns = min(columns, len(tiles))
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles) - columns + 1, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)


if __name__ == "__main__":
    main()
