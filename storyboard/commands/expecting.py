"""Who should be in which shot of a film, and their packs: from the command line, or from the board that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError
from storyboard.events import Event
from storyboard.planning.board import Storyboard
from storyboard.refs import clip_refusal, named_paths
from storyboard.shooting.runfolder import RunFolder, folder_of

if TYPE_CHECKING:
    from identity import IdentityPack


@dataclass(frozen=True)
class Cast:
    """Packs by name (folders, or packs in memory), names by shot number from 1, the seconds of each shot if known, and the board
    that says it."""

    packs: dict[str, Path | IdentityPack]
    expect: dict[int, tuple[str, ...]]
    lengths: tuple[float | None, ...] = ()
    board: Storyboard | None = None


def named(packs: Sequence[str], expect: Sequence[str]) -> Cast:
    """What `--pack mia=DIR` and `--expect 1:mia,tom` say. Raises StoryboardError for words that say nothing."""
    folders: dict[str, Path | IdentityPack] = {**named_paths(packs, "--pack", "mia=packs/mia")}
    shots: dict[int, tuple[str, ...]] = {}
    for said in expect:
        number, sign, names = said.partition(":")
        if not (sign and number.strip().isdecimal()) or int(number) < 1 or int(number) in shots:
            mend = "write each shot once, as --expect 1:mia,tom (2: for nobody)"
            raise StoryboardError(f'"{said}" does not say who is in which shot', where="--expect", mend=mend)
        shots[int(number)] = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    return Cast(folders, shots)


def of_board(
    path: Path, film: Path, given: Cast, tell: Callable[[Event], None], encoder_set: Path | None = None
) -> Cast:
    """Who plays in a board (a .json file, or a run folder that holds one); what was given by hand goes before it.

    Packs that have to be made of references are made and kept in the film's run folder, as a render does, by the encoders in
    the folder `encoder_set`.
    """
    from storyboard.shooting.casting import Casting

    wrong = clip_refusal(film)
    if wrong:
        raise StoryboardError(wrong[0], where=str(film), mend=wrong[1])
    board = Storyboard.load(path / "board.json" if path.is_dir() else path)
    for name, pack in given.packs.items():
        if name in board.characters:
            board.characters[name].refs = [str(Path(str(pack)).absolute())]
    with RunFolder.hold(film) as run:
        packs: dict[str, Any] = dict(Casting(board, run, tell, encoder_set).packs)
    expect = {number: shot.names for number, shot in enumerate(board.shots, start=1)}
    return Cast({**packs, **given.packs}, {**expect, **given.expect}, tuple(board.spans), board)


def board_beside(film: Path) -> Path | None:
    """The board in the run folder of a film that was rendered here, if there is one."""
    board = folder_of(film) / "board.json"
    return board if board.is_file() else None
