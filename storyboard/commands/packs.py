"""The commands on identity packs: prepare, score, show, remove; and calibrate, on what they are measured by."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storyboard.commands import console
from storyboard.commands.options import EncoderFolder, Json
from storyboard.errors import StoryboardError

if TYPE_CHECKING:
    from identity import Encoders

Pack = Annotated[Path, typer.Argument(metavar="PACK", help="The folder of a pack.")]


def prepare(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Pictures, folders of them, videos.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PACK", help="The pack's folder; with --split theirs.")],
    name: Annotated[str, typer.Option("--name", help="The character's name, as @name binds it.")] = "",
    like: Annotated[
        list[str] | None, typer.Option(metavar="PICTURE", help="Who is meant, of several; with --split NAME=PICTURE for each.")
    ] = None,
    split: Annotated[bool, typer.Option("--split", help="Make a pack of each of up to three people.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Keep at most so many frames.")] = 150,
    consent: Annotated[str, typer.Option(help="A note, kept in the pack, on who agreed to this use of the pictures.")] = "",
    encoders: EncoderFolder = None,
    json: Json = False,
) -> None:
    """Make an identity pack of one character, or of each. Nothing is uploaded; removing the folder removes everything."""
    from storyboard.refs import named_paths, the_like
    from storyboard.studio import quiet

    if split and name:
        raise typer.BadParameter("with --split, names come with pictures: --like mia=mia.png", param_hint="--name")
    if not split and not name:
        raise typer.BadParameter("say who it is, as --name mia", param_hint="--name")
    likes, one = (named_paths(like or [], "--like", "mia=mia.png"), None) if split else ({}, the_like(like or []))
    quiet()
    from identity import prepare
    from identity import split as split_up

    chosen = encoders_in(encoders)
    if split:
        packs = {output / pack.name: pack for pack in split_up(sources, chosen, (), likes, limit, consent)}
    else:
        packs = {output: prepare(sources, name, chosen, limit, consent, one)}
    for folder, pack in packs.items():
        pack.save(folder)
    console.packs(packs, split, json)


def score(
    clip: Annotated[Path, typer.Argument(help="A video or a picture.")],
    packs: Annotated[list[Path], typer.Argument(metavar="PACK...", help="The packs of those who should be in it.")],
    encoders: EncoderFolder = None,
    json: Json = False,
) -> None:
    """Measure who is in a clip, and how well each keeps to the pack."""
    from storyboard.studio import quiet

    quiet()
    from identity import IdentityPack, score
    from storyboard.refs import frames_of

    chosen = encoders_in(encoders)
    loaded = [IdentityPack.load(path, chosen) for path in packs]
    measured = score(frames_of(clip), {pack.name: pack for pack in loaded}, chosen)
    console.score(measured.to_dict(), json)
    if not measured.passes:
        raise typer.Exit(3)


def show(pack: Pack, json: Json = False) -> None:
    """Show what a pack holds, how good it is, and what would make it better."""
    from identity import IdentityPack
    from identity.advice import assess
    from storyboard.commands.packtable import plain, table

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
    from storyboard.commands.traces import removed_traces, traces_of

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
    from storyboard.commands.packtable import thresholds
    from storyboard.commands.people import labelled

    document = measured(encoders, labelled(people))
    console.told({"thresholds": str(encoders / "thresholds.json"), **document}, json, thresholds(document, encoders))


COMMANDS: dict[str, Callable[..., None]] = {
    "prepare": prepare, "score": score, "show": show, "remove": remove, "calibrate": calibrate,
}  # fmt: skip


def encoders_in(folder: Path | None) -> Encoders:
    """The encoder set of a folder; what whoever chose it should know is said once."""
    from identity import Encoders

    chosen = Encoders.load(folder)
    for remark in chosen.remarks:
        print(f"note: {remark}", file=sys.stderr)
    return chosen


def _ask(what: list[str]) -> None:
    """Let a person confirm; StoryboardError where nobody can."""
    if not sys.stdin.isatty():
        raise StoryboardError("removing asks first, and nobody is here to answer", mend="say --yes if you are sure")
    for line in what:
        print(line, file=sys.stderr)
    if not typer.confirm("Remove all of this for good?", err=True):
        print("nothing was removed", file=sys.stderr)
        raise typer.Exit(1)
