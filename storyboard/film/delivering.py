"""Delivery: how a board's shots are joined, in which form the film leaves, and its shots one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError
from storyboard.events import Event
from storyboard.planning.board import Storyboard

if TYPE_CHECKING:
    from assemble import Clip, Delivery, Join
    from assemble.marks import PictureMark


def joins(board: Storyboard, order: Sequence[int]) -> list[Join]:
    """How the shots of a film, by number from 1, follow each other."""
    from assemble import Join

    found = []
    for number in order:
        enter, leave = board.shots[number - 1].transition_in, board.shots[number - 1].transition_out
        found.append(
            Join(
                dissolve=enter.seconds if enter and enter.kind == "dissolve" else 0,
                fade_in=enter.seconds if enter and enter.kind == "fade" else 0,
                fade_out=leave.seconds if leave else 0,
            )
        )
    return found


def wanted(board: Storyboard, film: Path, delivery: Delivery | str | None, codec: str | None = None) -> Delivery:
    """The delivery that was asked for, as words or ready, once it is known that the file can hold it."""
    from assemble import Delivery

    if isinstance(delivery, str) or (delivery is None and codec):
        width, height = board.pixels
        said = delivery if isinstance(delivery, str) else board.size
        delivery = Delivery.parse(said, codec, tall=height > width)
    delivery = delivery or Delivery()
    delivery.of(film)
    return delivery


def clip_name(number: int, suffix: str) -> str:
    """The file name of a shot's clip, by which `assemble` finds it again."""
    return f"shot{number:02}{suffix}"


def write_shots(
    folder: Path,
    shots: Iterable[tuple[int, Iterable[Any] | Clip]],
    film: Path,
    fps: float,
    size: tuple[int, int],
    delivery: Delivery,
    mark: PictureMark | None,
    tell: Callable[[Event], None],
) -> None:
    """Each shot as a clip of its own, whole and without transitions, delivered as the film is, and with its mark."""
    from assemble import stitch

    if folder.exists() and not folder.is_dir():
        raise StoryboardError(
            "a file is in the way of the folder of clips", where=str(folder), mend="name another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for number, frames in shots:
        path = folder / clip_name(number, film.suffix.lower())
        made = stitch([frames], path, fps=fps, size=size, delivery=delivery, mark=mark)
        tell(Event("clip", f"{path}: {made.seconds:.1f} s", number, seconds=made.seconds))
