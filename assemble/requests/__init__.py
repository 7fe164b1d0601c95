"""A story compiled to the requests of other systems: plain data in, JSON data out. Nothing is sent anywhere.

made = SYSTEMS["kling3"](story)
made.files, made.faults, made.notes
"""

from __future__ import annotations

from collections.abc import Callable

from assemble.requests.bounds import Compiled
from assemble.requests.comfyui import comfyui
from assemble.requests.holocine import holocine
from assemble.requests.kling import kling3
from assemble.requests.minimax import minimax
from assemble.requests.prices import Estimate, estimate
from assemble.requests.seedance import seedance2
from assemble.requests.story import Story
from assemble.requests.storymem import storymem
from assemble.requests.wan import wan26, wan27

SYSTEMS: dict[str, Callable[[Story], Compiled]] = {
    "wan2.6": wan26,
    "wan2.7": wan27,
    "kling3": kling3,
    "seedance2": seedance2,
    "minimax-h3": minimax,
    "storymem": storymem,
    "holocine": holocine,
    "comfyui": comfyui,
}

__all__ = ["SYSTEMS", "Compiled", "Estimate", "Story", "estimate"]
