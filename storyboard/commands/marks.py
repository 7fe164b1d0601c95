"""The commands on marks: verify, and the keys of this machine; and the options of a render that are about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storyboard.commands import console
from storyboard.film.marking import Marks

if TYPE_CHECKING:
    from assemble.marks import Verdict

NoMarks = Annotated[bool, typer.Option("--no-marks", help="Leave every mark away, and be told what you then owe.")]
LabelStart = Annotated[bool, typer.Option("--label", help="Show a label, AI GENERATED, at the start.")]
LabelThroughout = Annotated[bool, typer.Option("--label-throughout", help="Show the label from start to end.")]
SignKey = Annotated[
    Path | None,
    typer.Option("--sign-key", metavar="FILE.pem", help="Sign with this key and its certificates, in one PEM file."),
]
Timestamp = Annotated[
    str | None, typer.Option("--timestamp", metavar="URL", help="Ask this RFC 3161 server for a time stamp.")
]

app = typer.Typer(help="Marks: how films say what they are.", no_args_is_help=True)


def chosen(none: bool, label: bool, throughout: bool, sign_key: Path | None, timestamp: str | None) -> Marks | None:
    """How a render is to mark its film."""
    if none:
        if label or throughout or sign_key or timestamp:
            raise typer.BadParameter("it leaves no mark, so nothing can be said of how", param_hint="--no-marks")
        return None
    return Marks("throughout" if throughout else "start" if label else None, sign_key, timestamp)


@app.callback()
def _group() -> None:
    """Keep `keys` a word of its own, though it is the only one yet."""


@app.command()
def keys(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Where; STORYBOARD_KEYS names another place, too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Make the keys that sign films on this machine, if there are none, and say where they are."""
    from assemble.marks.keys import ROOT, folder, local

    place = to.absolute() if to else folder()
    local(place)
    said = [
        f"the keys are in {place}",
        f"whoever is to trust films of this machine puts {place / ROOT} into the folder trusted/ beside their own keys",
    ]
    console.told({"folder": str(place), "root": str(place / ROOT), "trusted": str(place / "trusted")}, json, said)


def verify(
    film: Annotated[Path, typer.Argument(metavar="FILE", help="Any video file.")],
    json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Say what a file tells of how it was made: manifest, XMP, watermark in picture and sound. Offline.

    Exit code 0: marked and intact; 3: something is off; 1: nothing was found, which proves nothing.
    """
    from assemble.marks import verify as verified

    verdict = verified(film)
    console.told(verdict.plain(), json, _lines(verdict))
    if verdict.exit_code:
        raise typer.Exit(verdict.exit_code)


def _lines(verdict: Verdict) -> Iterator[str]:
    signature, picture, sound = verdict.signature, verdict.picture, verdict.sound
    who = f"signed by {signature.signer or 'nobody named'}"
    when = f", time stamp {signature.time}" if signature.time else ", no time stamp"
    yield (
        "manifest   "
        + {
            "none": "not found",
            "broken": f"BROKEN: {', '.join(signature.failures) or 'changed after signing'}",
            "valid": f"intact, {who}, whom nobody here vouches for{when}",
            "trusted": f"intact, {who}, trusted here{when}",
        }[signature.state]
    )
    if signature.source:
        yield f"           it says {signature.source}, made with {signature.software}"
    yield f"XMP        {'not found' if verdict.xmp is None else verdict.xmp or 'there, but of no source type'}"
    yield f"picture    {_watermark(picture.verdict, picture.ident, picture.sync, picture.score)}"
    if picture.verdict and picture.flipped:
        yield "           in a mirrored copy"
    if picture.verdict and abs(picture.scale - 1) > 0.02:
        yield f"           in a copy that was cropped or given a border (scale {picture.scale:.2f})"
    yield f"sound      {_watermark(sound.verdict, sound.ident, sound.sync, sound.score) if sound else 'the film is silent'}"
    if verdict.ident:
        here = "this very file" if verdict.exact else "a film of this id" if verdict.here else "no film of this id"
        yield f"ledger     this machine made {here}"
    yield ""
    said = {
        0: "marked, and intact",
        3: "something is off",
        1: "nothing was found, which does not prove that no AI made it",
    }
    yield said[verdict.exit_code] + (f": {verdict.ident}" if verdict.ident else "")
    for each in verdict.off:
        yield f"  {each}"


def _watermark(verdict: str, ident: str | None, sync: float, score: float) -> str:
    how = {"blind": "read blind", "matched": "too worn to read blind, but matched to the ledger of this machine"}
    figures = f"sync {sync:.1f}, bits {score:.1f} standard deviations"
    return f"{ident}, {how[verdict]} ({figures})" if verdict else f"not found ({figures})"
