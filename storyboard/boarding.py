"""From whatever describes a film to its checked storyboard."""

from __future__ import annotations

from pathlib import Path

from storyboard.board import Storyboard
from storyboard.check import check_board
from storyboard.limits import Limits
from storyboard.planner import plan
from storyboard.reading import read_script


def boarded(source: str | Path | Storyboard, limits: Limits, seed: int | None) -> tuple[Storyboard, list[str]]:
    """The checked storyboard of a script, a board file or a board, and what in it was likely not meant."""
    if isinstance(source, Storyboard) or Path(source).suffix.lower() == ".json":
        board = source.composed() if isinstance(source, Storyboard) else Storyboard.load(source)
        check_board(board, limits, "board" if isinstance(source, Storyboard) else str(source))
        return (board if seed is None else board.reseeded(seed)), list(board.doubts())
    script = read_script(source, limits)
    return plan(script, limits, seed=seed), [str(warning) for warning in script.warnings]
