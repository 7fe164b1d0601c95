"""The two files that an identity adapter is saved as, beside the expert that it was trained for."""

from __future__ import annotations

from pathlib import Path

from generation.folder import check_safetensors, read_json

WEIGHTS = "identity_adapter.safetensors"
CONFIG = "identity_adapter.json"


def present(folder: Path) -> bool:
    """Whether there is an adapter in this folder, be it whole or not."""
    return (folder / WEIGHTS).exists() or (folder / CONFIG).exists()


def check(folder: Path) -> list[Path]:
    """The adapter's files, each whole, or a GenerationError."""
    read_json(folder / CONFIG)
    check_safetensors(folder / WEIGHTS)
    return [folder / CONFIG, folder / WEIGHTS]
