"""`python -m benchmarks.identity`: the table that proves the conditioning, on held-out characters only."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.identity import cast, measure, shots
from generation import Model
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
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-identity"))
    asked = parser.parse_args()

    encoders, model = Encoders.load(), Model.open(asked.model)
    people = cast.held_out(asked.people)
    packs = cast.packs(people, asked.work, encoders)
    count = len(people)
    single = shots.plan(people, [(i,) for i in range(count)], asked.places, seed=51)
    pairs = shots.plan(people, [(i, (i + 7) % count) for i in range(count)], 1, seed=52)
    guidance = (asked.guidance, asked.guidance) if asked.guidance else None

    def made(some: list[shots.Shot], scale: float) -> Frames:
        return shots.generate(
            model, some, packs, frames=asked.frames, scale=scale, steps=asked.steps, guidance=guidance
        )

    drawn, drawn_pairs = shots.draw(single, asked.frames), shots.draw(pairs, asked.frames)
    with_adapter, with_pairs = made(single, 1.0), made(pairs, 1.0)
    rows = {
        "drawings": (drawn, drawn_pairs),
        "identity adapter": (with_adapter, with_pairs),
        "without adapter": (made(single, 0.0), made(pairs, 0.0)),
    }
    table = Table(title=f"{count} held-out characters, {len(single)} shots of one, {len(pairs)} of two")
    for column in (
        "",
        "found",
        "top-1",
        "top-5",
        "cosine",
        "hair dE",
        "skin dE",
        "clothes dE",
        "two: both right",
        "two: each right",
    ):
        table.add_column(column, justify="left" if not column else "right")
    for name, (one, two) in rows.items():
        table.add_row(name, *_single(one, drawn, single, packs, encoders), *_pairs(two, pairs, packs, encoders))
    Console(width=150).print(table)
    sheet(asked.work / "sheet.png", drawn, with_adapter)
    sheet(asked.work / "pairs.png", drawn_pairs, with_pairs)
    print(f"contact sheets (drawing above, render below): {asked.work}/sheet.png, {asked.work}/pairs.png")


def _single(
    made: Frames, drawn: Frames, plan: list[shots.Shot], packs: dict[str, IdentityPack], encoders: Encoders
) -> list[str]:
    gallery, ranks, cosines = measure.Gallery.of(packs), [], []
    distances: dict[str, list[float]] = defaultdict(list)
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
        real = measure.people(truth[middle], encoders, 1)
        if real:
            pair = measure.colours(frames[middle], seen[0]), measure.colours(truth[middle], real[0])
            for region, distance in measure.colour_distance(*pair).items():
                distances[region].append(distance)
    rank = np.array(ranks)
    colours = [f"{np.median(distances[r]):.1f}" if distances[r] else "-" for r in measure.REGIONS]
    cosine = f"{np.mean(cosines):.3f}" if cosines else "-"
    return [f"{found / len(plan):.0%}", f"{(rank == 0).mean():.0%}", f"{(rank < 5).mean():.0%}", cosine, *colours]


def _pairs(made: Frames, plan: list[shots.Shot], packs: dict[str, IdentityPack], encoders: Encoders) -> list[str]:
    """A character is right when the figure on its side is nearer to its own pack than to the other's."""
    gallery, both, each = measure.Gallery.of(packs), 0, 0
    for frames, shot in zip(made, plan, strict=True):
        middle = len(frames) // 2
        seen = measure.people(frames[middle], encoders, 2)
        if len(seen) < 2:
            continue
        order = [gallery.names.index(n) for n in shot.names]
        if shot.scene.parts[0].side == "right":
            order.reverse()
        right = 0
        for figure, mine, other in zip(seen, order, order[::-1], strict=True):
            evidence = gallery.evidence(figure, frames[middle], encoders)
            right += bool(evidence[mine] > evidence[other])
        each += right
        both += right == 2
    return [f"{both / len(plan):.0%}", f"{each / (2 * len(plan)):.0%}"]


def sheet(path: Path, drawn: Frames, made: Frames, count: int = 24, columns: int = 6) -> None:
    """Middle frames, drawing above render, to a PNG."""
    tiles = [np.concatenate([d[len(d) // 2], m[len(m) // 2]]) for d, m in zip(drawn[:count], made[:count], strict=True)]
    columns = min(columns, len(tiles))
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles) - columns + 1, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)


if __name__ == "__main__":
    main()
