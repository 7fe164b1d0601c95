"""Encode, layout, detail, decode: one network in memory at a time, for every shot that waits. Families that take pictures
have the stage `references` behind encode; `Family.stages` says which there are.

    with open_stage("layout", model) as stage:
        for request, tokens, before, before_key in waiting:
            key = stage.key(request, tokens, before_key)     # loads nothing
            artefact = stage.run(request, tokens, before)    # the network is loaded at the first of these

Each stage takes the artefact of the one before it: a dict of tensors that safetensors can store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from generation.decode import DecodeStage
from generation.denoise import DetailStage, LayoutStage
from generation.encode import EncodeStage
from generation.family import STAGES
from generation.load import Model
from generation.references.stage import ReferencesStage
from generation.stage import Stage

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["STAGES", "open_stage", "preview"]

_EACH: tuple[type[Stage], ...] = (EncodeStage, ReferencesStage, LayoutStage, DetailStage, DecodeStage)
_KINDS = {kind.name: kind for kind in _EACH}


@contextmanager
def open_stage(name: str, model: Model, device: str | None = None) -> Iterator[Stage]:
    """A stage by name, on `device` (the first GPU if there is one). Its network is gone when the block ends."""
    stage = _KINDS[name](model, device or _best_device())
    try:
        yield stage
    finally:
        stage.close()


def preview(layout: dict[str, Tensor]) -> dict[str, Tensor]:
    """A layout's artefact as the decode stage takes it, to see the composition before the shot is finished."""
    return {"latents": layout["preview"]}


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
