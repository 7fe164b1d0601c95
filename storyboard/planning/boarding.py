"""From whatever describes a film to its checked storyboard."""

from __future__ import annotations

from pathlib import Path

from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.check import check_board, check_continuing, check_frames
from storyboard.planning.planner import plan
from storyboard.script.reading import read_script


def boarded(source: str | Path | Storyboard, limits: Limits, seed: int | None) -> tuple[Storyboard, list[str]]:
    """The checked storyboard of a script, a board file or a board, and what in it was likely not meant."""
    if isinstance(source, Storyboard) or Path(source).suffix.lower() == ".json":
        board = source.composed() if isinstance(source, Storyboard) else Storyboard.load(source)
        where = "board" if isinstance(source, Storyboard) else str(source)
        check_board(board, limits, where)
        check_continuing(board, where)
        check_frames(board, limits, where)
        return (board if seed is None else board.reseeded(seed)), list(board.doubts())
    script = read_script(source, limits)
    board = plan(script, limits, seed=seed)
    check_continuing(board, str(source))
    check_frames(board, limits, str(source))
    return board, [str(warning) for warning in script.warnings]
