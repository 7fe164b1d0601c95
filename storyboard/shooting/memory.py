"""The memory plan of a render, and of cards that are not here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storyboard.errors import StoryboardError
from storyboard.planning.board import Storyboard
from storyboard.shooting.asking import frames_of

if TYPE_CHECKING:
    from generation import Family, Model, Plan

CARDS = (80, 48, 24, 16, 12, 8)  # gigabytes
BESIDE = 64  # gigabytes of the host's memory that a machine with such a card is taken to have
GB = 10**9


def planned(model: Model, board: Storyboard, memory: float | None = None, *, rounds: bool = False) -> Plan | None:
    """How the shots of a board will be held, the longest of them; None when none has to be made.

    memory: gigabytes to plan with instead of what is free. Raises GenerationError when it cannot be done.
    """
    from generation import Footprint, free_memory, plan

    family = model.family
    lengths = [frames_of(shot, family) for shot in board.shots if shot.clip is None]
    footprint = Footprint.of(model)
    if not lengths or footprint is None:
        return None
    device, free, host = free_memory()
    if memory is not None:
        if memory <= 0:
            raise StoryboardError(f"{memory:g} GB are no memory", where="memory", mend="give gigabytes: 12")
        free = min(free, int(memory * GB))
        host = free if device == "cpu" else host
    size = (*family.size_for(*board.pixels), max(lengths))
    return plan(footprint, size, device, free, host, rounds=rounds, name=family.name)


def here(model: Model | Family) -> tuple[bool, str, str]:
    """Whether the longest shot of the family's smallest size can be made on this machine, the plan for it, and what to do."""
    from generation import Footprint, GenerationError, Model, free_memory, plan

    family = model.family if isinstance(model, Model) else model
    footprint = Footprint.of(model)
    if footprint is None:
        return True, f"nobody has measured what {family.name} weighs", ""
    width, height = min(family.sizes, key=lambda size: size[0] * size[1])
    device, free, host = free_memory()
    try:
        return True, str(plan(footprint, (width, height, family.max_frames), device, free, host, name=family.name)), ""
    except GenerationError as error:
        return False, error.what, error.mend


def on_cards(model: Model | Family) -> list[str]:
    """A line for each common card: how the family's smallest and largest size would be held there, at full length."""
    from generation import Footprint, GenerationError, Model, plan

    family = model.family if isinstance(model, Model) else model
    footprint = Footprint.of(model)
    if footprint is None:
        return []
    small, large = (pick(family.sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
    lines = []
    for card in CARDS:
        for width, height in dict.fromkeys((small, large)):
            head = f"{card} GB card, {width}x{height}, {family.max_frames} frames"
            try:
                made = plan(
                    footprint, (width, height, family.max_frames), "cuda", card * GB, BESIDE * GB, name=family.name
                )
            except GenerationError as error:
                lines.append(f"{head}: does not fit. {error.mend}")
                continue
            how = "; ".join(str(each) for each in made.stages)
            lines.append(
                f"{head}: {made.peak / GB:.1f} GB at the peak, {made.host_peak / GB:.1f} GB of the host's. {how}"
            )
    return lines
