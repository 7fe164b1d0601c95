"""The command that trains an identity adapter for a model from packs and clips."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from storyboard.commands import console
from storyboard.commands.options import Json, ModelName


def identity(
    packs: Annotated[list[Path], typer.Option("--packs", metavar="PACK|DIR", help="Packs, or folders of them.")],
    clips: Annotated[list[Path], typer.Option("--clips", metavar="CLIP|DIR", help="Videos that show them, or folders of them.")],
    model: ModelName = "toon",
    output: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="A new model folder, with links to the model's files.")
    ] = None,
    work: Annotated[Path, typer.Option("--work", metavar="DIR", help="Where checkpoints are kept.")] = Path("train/identity"),
    steps: Annotated[int, typer.Option(min=1, help="Of each expert.")] = 2000,
    rows: Annotated[int, typer.Option(min=1, help="Stretches of footage a step.")] = 1,
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 3e-4,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="One of the model's sizes; its smallest if not given.")] = None,
    frames: Annotated[int, typer.Option(min=5, help="Frames of a stretch, at the model's rate.")] = 33,
    validate: Annotated[int, typer.Option(min=1, help="Steps between two validations.")] = 100,
    judge: Annotated[int, typer.Option(min=0, help="Render so many held-back stretches at the end, and measure them.")] = 0,
    anew: Annotated[bool, typer.Option("--anew", help="Begin from nothing, even if the model has an adapter.")] = False,
    checkpointing: Annotated[
        bool | None, typer.Option(help="Compute everything twice to need less memory; by default on a GPU.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    json: Json = False,
) -> None:
    """Train an identity adapter: each expert learns to draw the characters of packs, and its own weights stay as they are.

    A text file beside a clip (walk.txt for walk.mp4) says what happens in it, with names as @mia; without one, whoever is
    recognised is named. Every fifth stretch of footage is held back to validate with. The same command goes on after a stop.
    """
    from storyboard.studio import quiet

    quiet()
    from generation import Model, check_weights
    from generation.training.identity import Settings, check_out, install, train_identity
    from storyboard.commands.footage import footage_of
    from storyboard.commands.judging import judged
    from storyboard.models.shelf import located

    opened = Model.open(located(model))
    check_out(opened, output)
    check_weights(opened)

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    known, footage = footage_of(clips, packs, opened.family, size, frames, tell)
    settings = Settings(steps, rows, rate, seed, validate, checkpointing=checkpointing, anew=anew)
    try:
        curves = train_identity(opened, footage, known, settings, work, tell)
    except KeyboardInterrupt:
        print("storyboard: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    folder = install(work, opened, output)
    rendered = judged(folder, opened.family, footage, known, judge, tell)
    validation = {expert: [vars(each) for each in curve] for expert, curve in curves.items()}
    result = {"model": str(folder), "validation": validation, "judged": rendered}
    lines = [f"{folder}: an identity adapter for {' and '.join(curves)}"]
    for expert, curve in curves.items():
        first, last = curve[0], curve[-1]
        lines.append(
            f"{expert}: loss on held-back footage {last.without:.4f} without identity, with it {first.identity:.4f} at first "
            f"and {last.identity:.4f} now"
        )
    lines += [f"{each['clip']}: likeness {each['with']} with identity, {each['without']} without" for each in rendered]
    console.told(result, json, lines)
