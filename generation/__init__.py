"""Packs and shot requests to takes, with a two-expert Wan model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generation.adapter import AdapterConfig, IdentityAdapter
    from generation.errors import GenerationError, StageError
    from generation.families import FAMILIES
    from generation.family import Family
    from generation.load import Model
    from generation.request import SLOTS, ShotRequest, VoiceTrack
    from generation.stage import CharacterTokens, Stage
    from generation.stages import STAGES, open_stage, preview

__all__ = [
    "FAMILIES",
    "SLOTS",
    "STAGES",
    "AdapterConfig",
    "CharacterTokens",
    "Family",
    "GenerationError",
    "IdentityAdapter",
    "Model",
    "ShotRequest",
    "Stage",
    "StageError",
    "VoiceTrack",
    "open_stage",
    "preview",
]

_HOMES = {
    "adapter": ("AdapterConfig", "IdentityAdapter"),
    "errors": ("GenerationError", "StageError"),
    "families": ("FAMILIES",),
    "family": ("Family",),
    "load": ("Model",),
    "request": ("SLOTS", "ShotRequest", "VoiceTrack"),
    "stage": ("CharacterTokens", "Stage"),
    "stages": ("STAGES", "open_stage", "preview"),
}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: most of them bring torch along."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
