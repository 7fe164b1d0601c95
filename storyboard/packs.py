"""The commands on identity packs that are there: show, remove; and calibrate, on what they are measured by."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from storyboard import console
from storyboard.errors import StoryboardError

Pack = Annotated[Path, typer.Argument(metavar="PACK", help="The folder of a pack.")]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


def show(pack: Pack, json: Json = False) -> None:
    """Show what a pack holds, how good it is, and what would make it better."""
    from identity import IdentityPack
    from identity.advice import assess
    from storyboard.packtable import plain, table

    held = IdentityPack.load(pack)
    judged = assess(held)
    console.told(plain(held, judged, pack), json, table(held, judged, pack))


def remove(
    pack: Pack,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs: Annotated[
        list[Path] | None, typer.Option("--runs", metavar="FOLDER", help="Look for run folders in here too; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Remove a pack, and what run folders keep of it: copies, and measurements with embeddings.

    Run folders are looked for in the current folder and around the pack. Reference pictures and films stay.
    """
    from identity.removal import parts_of, remove_pack
    from storyboard.traces import removed_traces, traces_of

    files = parts_of(pack)
    for folder in runs or ():
        if not folder.is_dir():
            raise StoryboardError("there is no such folder", where=str(folder), mend="name a folder with run folders in it")
    looked = [Path.cwd(), pack.resolve().parent, *(runs or ())]
    traces = traces_of(pack, looked)
    if not yes:
        _ask([f"{pack}: {len(files)} files", *(trace.said for trace in traces)])
    gone = [*removed_traces(traces), *remove_pack(pack)]
    said = [f"removed {path}" for path in gone]
    said.append(f"run folders were looked for in {', '.join(str(folder) for folder in dict.fromkeys(looked))}")
    said.append("reference pictures, takes and films were not touched")
    console.told({"removed": [str(path) for path in gone], "looked_in": [str(folder) for folder in looked]}, json, said)


def calibrate(
    people: Annotated[
        Path, typer.Argument(metavar="PEOPLE", help="A folder with a folder of pictures for each person, who is alone in them.")
    ],
    encoders: Annotated[Path, typer.Option("--encoders", metavar="DIR", help="The encoder set to calibrate.")],
    json: Json = False,
) -> None:
    """Measure what the similarities of an encoder set mean, and write that into the set as thresholds.json.

    Take people on whom the encoders were not trained: at least two, better twenty, each in four pictures or more, from
    near and from far.
    """
    from storyboard.studio import quiet

    quiet()
    from identity import calibrate as measured
    from storyboard.packtable import thresholds
    from storyboard.people import labelled

    document = measured(encoders, labelled(people))
    console.told({"thresholds": str(encoders / "thresholds.json"), **document}, json, thresholds(document, encoders))


COMMANDS: dict[str, Callable[..., None]] = {"show": show, "remove": remove, "calibrate": calibrate}


def _ask(what: list[str]) -> None:
    """Let a person confirm; StoryboardError where nobody can."""
    if not sys.stdin.isatty():
        raise StoryboardError("removing asks first, and nobody is here to answer", mend="say --yes if you are sure")
    for line in what:
        print(line, file=sys.stderr)
    if not typer.confirm("Remove all of this for good?", err=True):
        print("nothing was removed", file=sys.stderr)
        raise typer.Exit(1)
