"""The two files that an identity adapter is saved as, beside the expert that it was trained for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from generation.errors import GenerationError
from generation.folder import check_safetensors, read_json

WEIGHTS = "identity_adapter.safetensors"
CONFIG = "identity_adapter.json"
MEND = "Use the adapter that was trained for this checkpoint, or take the two files of this one away."


def present(folder: Path) -> bool:
    """Whether there is an adapter in this folder, be it whole or not."""
    return (folder / WEIGHTS).exists() or (folder / CONFIG).exists()


def check(folder: Path) -> list[Path]:
    """The adapter's files, each whole, or a GenerationError."""
    read_json(folder / CONFIG)
    check_safetensors(folder / WEIGHTS)
    return [folder / CONFIG, folder / WEIGHTS]


def check_fit(folder: Path, blocks: int, width: int) -> None:
    """GenerationError for an adapter of an expert of another shape."""
    config = read_json(folder / CONFIG)
    own = config.get("num_blocks"), config.get("inner_dim")
    if own != (blocks, width):
        raise GenerationError(
            f"this adapter is for {own[0]} blocks of width {own[1]}, and the expert has {blocks} of width {width}",
            where=str(folder / CONFIG),
            mend=MEND,
        )


def check_packs(folder: Path, widths: Mapping[str, tuple[int, int]]) -> None:
    """GenerationError for an adapter that takes other embeddings than those of these characters: widths of face and figure."""
    config = read_json(folder / CONFIG)
    own = config.get("face_dim", 512), config.get("figure_dim")
    for name, each in widths.items():
        if each != own:
            raise GenerationError(
                f"@{name}'s pack was made by encoders of another width: {each[0]} and {each[1]} numbers for face and figure, "
                f"the identity adapter takes {own[0]} and {own[1]}",
                where=str(folder / CONFIG),
                mend=f"Make it again with `storyboard refs prepare`. {MEND}",
            )
