"""Export: a film or a board as files for editing programs, and as requests for other systems. Nothing is sent anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError, listed, meant
from storyboard.files import replacing, write_text
from storyboard.limits import LONGEST_SHOT, Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.boarding import boarded
from storyboard.shooting.runfolder import folder_of

if TYPE_CHECKING:
    from assemble import Timeline
    from assemble.requests import Estimate, Story

EDITORS = ("otio", "otioz", "edl", "fcpxml")
FILM = "film.otio"  # the edit in a run folder
# What a script may ask for that goes to some other system: its own limits are told when it is compiled.
SHAPES = ((21, 9), (832, 480), (16, 9), (3, 2), (4, 3), (1, 1), (3, 4), (2, 3), (9, 16), (480, 832))
ANY = Limits("any system", 24.0, LONGEST_SHOT, SHAPES, characters=9)


@dataclass
class Exported:
    """What was written for one target. With `faults` the system would refuse it, and nothing was."""

    target: str
    files: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost: Estimate | None = None


def export(
    source: Path, targets: Sequence[str], folder: Path | None = None, on_doubt: Callable[[str], None] = lambda _: None
) -> list[Exported]:
    """Write a film's run folder (or its .mp4), a board or a script as files of these kinds into `folder`.

    targets: of `known()`, or "all". folder: NAME.export when left out; made if need be. on_doubt: called with what in a script
    was likely not meant. Each target comes back with what was written, what does not fit and why.

    Raises StoryboardError and AssembleError for a source or a target that is none.
    """
    wanted = _targets(targets)
    board, edit, doubts = _read(source)
    for doubt in doubts:
        on_doubt(doubt)
    folder = folder or Path(f"{source.stem}.export")
    if folder.exists() and not folder.is_dir():
        raise StoryboardError("this is a file", where=str(folder), mend="name a folder with -o")
    if not folder.absolute().parent.is_dir():
        mend = f"make it: mkdir -p {folder.parent}"
        raise StoryboardError(f"there is no folder {folder.parent}", where=str(folder), mend=mend)
    folder.mkdir(exist_ok=True)
    made = []
    for target in wanted:
        if target in EDITORS:
            made.append(_edited(edit or _planned(board), target, folder / f"{source.stem}.{target}"))
        else:
            made.append(_requested(board, target, folder))
    return made


def known() -> tuple[str, ...]:
    """Every kind of file that there is."""
    from assemble.requests import SYSTEMS

    return (*EDITORS, *SYSTEMS)


def _targets(said: Sequence[str]) -> list[str]:
    kinds = known()
    for each in said:
        if each not in (*kinds, "all"):
            mend = f"write {listed((*kinds, 'all'))}"
            raise StoryboardError(f'"{each}" is no kind of file{meant(each, kinds)}', where="--to", mend=mend)
    return list(kinds) if "all" in said else list(dict.fromkeys(said))


def _read(source: Path) -> tuple[Storyboard, Timeline | None, list[str]]:
    """The board, the edit of the film if that is made, and what in a script was likely not meant."""
    run = folder_of(source) if source.suffix.lower() == ".mp4" else source
    if not run.is_dir():
        if run is not source:
            raise StoryboardError(
                "this film has no run folder", where=str(source), mend="export its script or its board"
            )
        board, doubts = boarded(source, ANY, None)
        return board, None, doubts
    if not (run / "board.json").is_file():
        raise StoryboardError(
            "this is no run folder: it holds no board.json", where=str(run), mend="name film.run, or a script"
        )
    board = Storyboard.load(run / "board.json")
    if not (run / FILM).is_file():
        return board, None, []
    from assemble import read_otio

    return board, read_otio(run / FILM), []


def _planned(board: Storyboard) -> Timeline:
    from storyboard.film.edit import planned_edit

    return planned_edit(board)


def _edited(edit: Timeline, target: str, path: Path) -> Exported:
    from assemble import edl_text, fcpxml_text, otio_text, write_otioz

    made = Exported(target, [path])
    if target == "otioz":
        with replacing(path) as part:
            write_otioz(edit, part)
    elif target == "otio":
        write_text(path, otio_text(edit, path.parent))
    else:
        text, made.notes = (edl_text if target == "edl" else fcpxml_text)(edit)
        write_text(path, text)
    missing = sum(clip.source is None for clip in edit.clips)
    if missing:
        made.notes.insert(
            0, f"{missing} of {len(edit.clips)} shots are not rendered yet: they stand in it without a file"
        )
    return made


def _requested(board: Storyboard, target: str, folder: Path) -> Exported:
    from assemble.requests import SYSTEMS, estimate
    from storyboard.film.story import story_of

    story: Story = story_of(board)
    if not story["shots"]:
        return Exported(target, faults=["every shot brings a clip of its own: there is nothing to make"])
    compiled = SYSTEMS[target](story)
    made = Exported(target, [], compiled.faults, compiled.notes)
    for number, shot in enumerate(board.shots, start=1):
        if shot.clip is not None:
            made.notes.insert(0, f"shot {number} brings its own clip and is left out")
    for old in folder.glob(f"{target}*.json"):
        # What an earlier export left here would tell another film beside the new files.
        if old.name not in compiled.files and re.fullmatch(r"(-(shot)?\d{2,})?\.json", old.name.removeprefix(target)):
            old.unlink()
    for name, data in compiled.files.items():
        write_text(folder / name, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        made.files.append(folder / name)
    if not compiled.faults:
        made.cost = estimate(target, compiled)
    return made


def lines(made: Sequence[Exported], costs: bool) -> Iterator[str]:
    """An export as a person reads it: files, what to know of them, what does not fit, and with `costs` a table of these."""
    for each in made:
        yield from map(str, each.files)
        yield from (f"  {note}" for note in each.notes)
        yield from (f"{each.target} does not fit: {fault}" for fault in each.faults)
    rows = [each for each in made if each.cost]
    if costs and rows:
        yield f"\n{'':<12}{'requests':>8}{'seconds':>9}  cost"
        for each in rows:
            assert each.cost
            amount = f"{each.cost.amount:.2f} {each.cost.currency}, at " if each.cost.currency else ""
            yield f"{each.target:<12}{each.cost.requests:>8}{each.cost.seconds:>9.1f}  {amount}{each.cost.how}"


def plain(made: Sequence[Exported]) -> dict[str, Any]:
    """An export as plain data for --json."""
    return {
        each.target: {
            "files": [str(file) for file in each.files],
            "faults": each.faults,
            "notes": each.notes,
            "cost": vars(each.cost) if each.cost else None,
        }
        for each in made
    }
