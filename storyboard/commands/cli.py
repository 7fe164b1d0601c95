"""The command line. Progress goes to stderr, results to stdout; 0 done, 1 the work failed, 2 a wrong request, 3 look at it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from storyboard.commands import console, marks, models, packs, training
from storyboard.commands.options import (
    CaptionsHow,
    ClipsTo,
    CodecName,
    DeliveryName,
    EncoderFolder,
    Json,
    LoudnessName,
    ModelName,
    NoGrade,
    Seed,
    Silent,
)
from storyboard.commands.packs import encoders_in

app = typer.Typer(
    help="A script and reference pictures go in, a film comes out in which everyone stays the same person.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its help costs as much time to load as all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)
refs = typer.Typer(help="Identity packs: who the characters are.", no_args_is_help=True)
train = typer.Typer(help="Train models.", no_args_is_help=True)
for name, group in (("refs", refs), ("models", models.app), ("train", train), ("marks", marks.app)):
    app.add_typer(group, name=name)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the code an error arose.")] = False,
) -> None:
    if version:
        from storyboard import __version__

        print(f"storyboard {__version__}")
        raise typer.Exit


@app.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="SCRIPT|BOARD", help="A script (.md, .fountain) or a board (.json).")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILM", help="The film, .mp4 or .mov.")] = None,
    model: ModelName = "toon",
    seed: Seed = None,
    takes: Annotated[int, typer.Option(min=1, help="Try a shot so often until everyone in it is recognised.")] = 1,
    shots: Annotated[str | None, typer.Option(metavar="1,3", help="Make only these; others come in when ready.")] = None,
    until: Annotated[str | None, typer.Option(metavar="STAGE", help="Stop after plan, layout, detail or decode.")] = None,
    reroll: Annotated[str | None, typer.Option(metavar="layout|detail", help="Make shots, or finish layouts, anew.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was made before.")] = False,
    remember: Annotated[
        bool, typer.Option("--remember", help="Frames of accepted shots go into others of the same place (VACE, Bernini-R).")
    ] = False,
    lora: Annotated[
        list[str] | None, typer.Option(metavar="HIGH:LOW@S:S", help="LoRAs for the experts, with strengths; once for each.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="As a step-distilled LoRA wants to be asked: lightning.")
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="exact|rounded|cached", help="rounded looks the same; cached leaves out what changes little.")
    ] = "exact",
    memory: Annotated[float | None, typer.Option(metavar="GB", help="Plan with so much memory, not all that is free.")] = None,
    delivery: DeliveryName = None,
    codec: CodecName = None,
    clips_to: ClipsTo = None,
    no_grade: NoGrade = False,
    loudness: LoudnessName = "web",
    captions: CaptionsHow = None,
    silent: Silent = False,
    no_marks: marks.NoMarks = False,
    label: marks.LabelStart = False,
    label_throughout: marks.LabelThroughout = False,
    sign_key: marks.SignKey = None,
    timestamp: marks.Timestamp = None,
    json: Json = False,
) -> None:
    """Render a script or a board to a film. What an earlier render finished is not made again."""
    from storyboard.commands.progress import showing
    from storyboard.studio import Studio

    chosen_marks = marks.chosen(no_marks, label, label_throughout, sign_key, timestamp)
    film, chosen = output or Path(source.name).with_suffix(".mp4"), _numbers(shots)
    try:
        with showing(sys.stderr) as on_event:
            made = Studio(model, lora or (), preset, speed).render(
                source, film, seed=seed, takes=takes, shots=chosen, until=until, reroll=reroll,  # type: ignore[arg-type]
                fresh=fresh, remember=remember, memory=memory, delivery=delivery, codec=codec, clips_to=clips_to,
                grade=not no_grade, loudness=loudness, captions=captions, silent=silent, marks=chosen_marks, on_event=on_event,  # type: ignore[arg-type]
            )  # fmt: skip
    except KeyboardInterrupt:
        print("storyboard: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    console.film(made, json)
    if made.report.review:
        raise typer.Exit(3)


@app.command()
def plan(
    source: Annotated[Path, typer.Argument(metavar="SCRIPT|BOARD", help="A script (.md, .fountain) or a board (.json).")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="BOARD.json", help="Write the board here.")] = None,
    model: ModelName = "toon",
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Show the shots of a script as they will be made, or write them as a board to edit and render."""
    from storyboard.limits import Limits
    from storyboard.planning.boarding import boarded

    board, doubts = boarded(source, Limits.embedded() if model == "toon" else Limits.of(_family(model)), seed)
    for doubt in doubts:
        print(doubt, file=sys.stderr)
    if output:
        board.save(output)
    console.board(board, json, output)


@app.command()
def check(
    film: Annotated[Path, typer.Argument(help="Any film, also one that another system made.")],
    packs: Annotated[
        list[str] | None, typer.Option("--pack", metavar="NAME=PACK", help="A character's pack; once for each.")
    ] = None,
    board: Annotated[
        Path | None, typer.Option(metavar="BOARD", help="A board (.json) or run folder that says who is in which shot.")
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option(metavar="1:mia,tom", help="Who should be in a shot; once for each shot.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PAGE.html", help="Write the report here.")] = None,
    encoders: EncoderFolder = None,
    json: Json = False,
) -> None:
    """Check who is in each shot of a film, whether everyone stays the same person, and whether the light holds.

    Without --pack and --board, the board in the film's run folder is taken. A shot of which nobody says who should be in it is
    judged by who is seen there.
    """
    from storyboard.checking import check_film
    from storyboard.commands.expecting import board_beside, named, of_board
    from storyboard.commands.progress import showing
    from storyboard.studio import quiet

    quiet()
    given = named(packs or [], expect or [])
    board = board if board or packs else board_beside(film)
    chosen = encoders_in(encoders)
    with showing(sys.stderr) as on_event:
        cast = of_board(board, film, given, on_event, encoders) if board else given
        checked = check_film(
            film, cast.packs, expect=cast.expect, lengths=cast.lengths, board=cast.board, report=output, encoders=chosen,
            on_event=on_event,
        )  # fmt: skip
    console.checked(checked, json)
    if not checked.passes:
        raise typer.Exit(3)


@app.command()
def assemble(
    board: Annotated[Path, typer.Argument(metavar="BOARD", help="A board (.json), or the run folder of a film.")],
    clips: Annotated[Path, typer.Option("--clips", metavar="DIR", help="The clips, named by shot: shot01.mp4, 02.mov.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILM", help="The film, .mp4 or .mov.")] = None,
    delivery: DeliveryName = None,
    codec: CodecName = None,
    clips_to: ClipsTo = None,
    no_grade: NoGrade = False,
    loudness: LoudnessName = "web",
    captions: CaptionsHow = None,
    silent: Silent = False,
    no_marks: marks.NoMarks = False,
    label: marks.LabelStart = False,
    label_throughout: marks.LabelThroughout = False,
    sign_key: marks.SignKey = None,
    timestamp: marks.Timestamp = None,
    encoders: EncoderFolder = None,
    json: Json = False,
) -> None:
    """Make the film of a board from clips that were made elsewhere: checked, joined and reported, without a model.

    Several clips with one shot's number are its takes, and the best is kept.
    """
    from storyboard.assembling import assemble_film
    from storyboard.commands.progress import showing
    from storyboard.studio import quiet

    quiet()
    chosen_marks = marks.chosen(no_marks, label, label_throughout, sign_key, timestamp)
    film = output or Path(board.absolute().name).with_suffix(".mp4")
    with showing(sys.stderr) as on_event:
        made = assemble_film(
            board, clips, film, delivery=delivery, codec=codec, clips_to=clips_to, grade=not no_grade,
            loudness=loudness, captions=captions, silent=silent, marks=chosen_marks, encoders=encoders,  # type: ignore[arg-type]
            on_event=on_event,
        )  # fmt: skip
    console.film(made, json)
    if made.report.review:
        raise typer.Exit(3)


@app.command()
def export(
    source: Annotated[Path, typer.Argument(metavar="BOARD|SCRIPT|FILM.run", help="A board, a script, or a film's run folder.")],
    to: Annotated[list[str], typer.Option(metavar="KIND", help="As otio, edl, kling3, or all; once for each.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write the files here.")] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would cost, where a price is known.")] = False,
    json: Json = False,
) -> None:
    """Write a film for editing programs, or its storyboard as requests for other systems. Nothing is sent.

    Kinds: otio, otioz, edl, fcpxml; wan2.6, wan2.7, kling3, seedance2, minimax-h3, storymem, holocine, comfyui; all.
    """
    from storyboard.film import exchange

    made = exchange.export(source, to, output, lambda doubt: print(doubt, file=sys.stderr))
    console.told(exchange.plain(made), json, exchange.lines(made, estimate))
    if any(each.faults for each in made):
        raise typer.Exit(3 if any(each.files for each in made) else 2)


@app.command()
def doctor(model: ModelName = "toon", encoders: EncoderFolder = None, json: Json = False) -> None:
    """Look at this machine: is all there that a render needs?"""
    from storyboard.commands.doctor import examine

    if not console.findings(examine(model, encoders), json):
        raise typer.Exit(1)


for word, command in packs.COMMANDS.items():
    refs.command(word)(command)


app.command()(marks.verify)


@train.command("toon", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def train_toon(context: typer.Context) -> None:
    """Train the embedded model from nothing; takes the options of generation.toon.train."""
    from storyboard.studio import quiet

    quiet()
    from generation.toon.train import main as trained

    code = trained(context.args)
    if code:
        raise typer.Exit(code)


train.command("identity")(training.identity)


def main() -> None:
    """Run the command line; every error that a person can mend is one short message."""
    # pydantic would search every installed package for plugins, which takes longer than planning a film.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    words = sys.argv[1:]
    debug = "--debug" in words
    try:
        app([word for word in words if word != "--debug"])
    except Exception as error:
        if debug:
            raise
        sys.exit(console.failure(error, "--json" in words))


def _numbers(said: str | None) -> list[int] | None:
    """'1,3-5' as [1, 3, 4, 5]."""
    if said is None:
        return None
    numbers: list[int] = []
    for piece in said.split(","):
        first, dash, last = piece.strip().partition("-")
        try:
            span: Iterable[int] = range(int(first), int(last) + 1) if dash else (int(first),)
        except ValueError:
            raise typer.BadParameter(f'"{piece}" is no shot; write numbers, as 1,3 or 2-4', param_hint="--shots") from None
        numbers += list(span)[:10_000]
    if not numbers:
        raise typer.BadParameter("no shots were named; write numbers, as 1,3 or 2-4", param_hint="--shots")
    return numbers


def _family(model: str) -> Any:
    from generation.load import Model
    from storyboard.models.shelf import located

    return Model.open(located(model)).family
