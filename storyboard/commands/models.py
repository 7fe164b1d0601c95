"""The commands on models: which there are, fetching one, checking one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from storyboard.commands import console, modeltable
from storyboard.commands.options import MODELS, Json, To

app = typer.Typer(help="The models that films are made with.", no_args_is_help=True)


@app.command("list")
def listed(to: To = None, json: Json = False) -> None:
    """List the models and the encoder sets that are known, and say which are here."""
    from generation.families import FAMILIES
    from storyboard.models.catalogue import offers
    from storyboard.models.shelf import state

    known = offers()
    rows = modeltable.shelf(FAMILIES.values(), known, {name: state(name, to) for name in known})
    console.told(rows, json, modeltable.lines(rows))


@app.command("fetch")
def bring(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `storyboard models list` has it.")],
    to: To = None,
    accept: Annotated[bool, typer.Option("--accept-licence", help="You have read its licence, and accept it.")] = False,
    json: Json = False,
) -> None:
    """Fetch a model or an encoder set from the network, which nothing else does. Goes on where an earlier fetch ended.

    STORYBOARD_MIRROR=https://mirror.example names a server to ask instead, by the same paths.
    """
    from storyboard.commands.progress import fetching
    from storyboard.models.catalogue import offer
    from storyboard.models.fetch import accepted, fetch

    wanted = offer(name)
    asks = not accept and sys.stdin.isatty() and not json
    if (accept or asks) and not accepted(wanted, to):  # nobody to ask: the error says what the licence is
        modeltable.terms(wanted)
        accept = accept or typer.confirm("Do you accept it?", err=True)
    try:
        with fetching(sys.stderr) as on_event:
            done = fetch(name, to, accept_licence=accept, on_event=on_event)
    except KeyboardInterrupt:
        print("storyboard: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    plain, said = modeltable.fetched(done)
    console.told(plain, json, said)


@app.command("check")
def whole(model: Annotated[str, typer.Argument(help=MODELS)] = "toon", json: Json = False) -> None:
    """Check that a model or a fetched encoder set is whole, and give the digests of its parts."""
    from storyboard.models.shelf import checked

    found = checked(model)
    console.told(found, json, modeltable.whole(found))
