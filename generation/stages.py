"""Encode, layout, detail, decode: one network in memory at a time, for every shot that waits.

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
from generation.load import Model
from generation.stage import Stage

if TYPE_CHECKING:
    from torch import Tensor

_KINDS: dict[str, type[Stage]] = {kind.name: kind for kind in (EncodeStage, LayoutStage, DetailStage, DecodeStage)}
STAGES = tuple(_KINDS)


@contextmanager
def open_stage(name: str, model: Model, device: str | None = None) -> Iterator[Stage]:
    """A stage by name, on `device` (the first GPU if there is one). Its network is gone when the block ends."""
    stage = _KINDS[name](model, device or _best_device())
    try:
        yield stage
    finally:
        stage.close()


def preview(layout: dict[str, Tensor], latent_frames: int | None = None) -> dict[str, Tensor]:
    """A layout's artefact as the decode stage takes it, to see the composition before the shot is finished: all of it, or
    only the first `latent_frames`, which costs as much less. The VAE looks back alone, so those frames come out the same."""
    return {"latents": layout["preview"][:, :, :latent_frames]}


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
