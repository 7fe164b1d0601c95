"""Packs and shot requests to takes, with a two-expert Wan model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generation.adapter import AdapterConfig, IdentityAdapter
    from generation.errors import GenerationError, StageError
    from generation.families import FAMILIES
    from generation.family import Family
    from generation.footprint import Footprint
    from generation.headers import check_weights
    from generation.load import Model
    from generation.lora import Lora
    from generation.machine import free_memory
    from generation.memory import Placement, Plan, plan
    from generation.request import SLOTS, ShotRequest, VoiceTrack
    from generation.speed import SPEEDS, Speed
    from generation.stage import CharacterTokens, Stage
    from generation.stages import STAGES, glimpses, open_stage, preview

__all__ = [
    "FAMILIES",
    "SLOTS",
    "SPEEDS",
    "STAGES",
    "AdapterConfig",
    "CharacterTokens",
    "Family",
    "Footprint",
    "GenerationError",
    "IdentityAdapter",
    "Lora",
    "Model",
    "Placement",
    "Plan",
    "ShotRequest",
    "Speed",
    "Stage",
    "StageError",
    "VoiceTrack",
    "check_weights",
    "free_memory",
    "glimpses",
    "open_stage",
    "plan",
    "preview",
]

_HOMES = {
    "adapter": ("AdapterConfig", "IdentityAdapter"),
    "errors": ("GenerationError", "StageError"),
    "families": ("FAMILIES",),
    "family": ("Family",),
    "footprint": ("Footprint",),
    "headers": ("check_weights",),
    "load": ("Model",),
    "lora": ("Lora",),
    "machine": ("free_memory",),
    "memory": ("Placement", "Plan", "plan"),
    "request": ("SLOTS", "ShotRequest", "VoiceTrack"),
    "speed": ("SPEEDS", "Speed"),
    "stage": ("CharacterTokens", "Stage"),
    "stages": ("STAGES", "glimpses", "open_stage", "preview"),
}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: most of them bring torch along."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
