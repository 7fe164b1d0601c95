"""Reference frames to identity packs, and measuring who is in a frame.

    encoders = Encoders.load()                                  # the shipped toon set
    pack = prepare([Path("refs/mia")], "mia", encoders)
    pack.save(Path("packs/mia"))
    result = score(frames, {"mia": pack}, encoders)             # frames (T, H, W, 3) uint8 RGB

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from identity.errors import IdentityError

if TYPE_CHECKING:
    from identity.calibration import calibrate
    from identity.changes import Change
    from identity.consistency import Consistency, consistent, cross_shot
    from identity.encoders import Encoders, Face, Figure
    from identity.pack import IdentityPack, Tokens
    from identity.portrayal import CharacterScore
    from identity.records import EXEMPLARS
    from identity.references import prepare, split
    from identity.scores import Score, score

_HOMES = {
    "Change": "changes",
    "CharacterScore": "portrayal",
    "Consistency": "consistency",
    "EXEMPLARS": "records",
    "Encoders": "encoders",
    "Face": "encoders",
    "Figure": "encoders",
    "IdentityPack": "pack",
    "Score": "scores",
    "Tokens": "pack",
    "calibrate": "calibration",
    "consistent": "consistency",
    "cross_shot": "consistency",
    "prepare": "references",
    "score": "scores",
    "split": "references",
}

__all__ = [
    "EXEMPLARS", "Change", "CharacterScore", "Consistency", "Encoders", "Face", "Figure", "IdentityError", "IdentityPack",
    "Score", "Tokens", "calibrate", "consistent", "cross_shot", "prepare", "score", "split",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'identity' has no attribute {name!r}")
    return getattr(import_module(f"identity.{_HOMES[name]}"), name)
