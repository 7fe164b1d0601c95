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
from generation.memory import next_placement
from generation.placing import ran_out, short
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
    stage = _KINDS[name](model, device or (model.plan.device if model.plan else best_device()))
    try:
        yield stage
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        raise short(name, next_placement(model, name)) from error
    finally:
        stage.close()


def preview(layout: dict[str, Tensor]) -> dict[str, Tensor]:
    """A layout's artefact as the decode stage takes it, to see the composition before the shot is finished."""
    return {"latents": layout["preview"]}


def glimpses(layout: dict[str, Tensor], count: int = 3) -> list[dict[str, Tensor]]:
    """`count` latent frames of a layout, spread over it, each for the decode stage to make one frame of: far cheaper than
    the whole preview, and who is in it shows as well. (A later latent frame loses what it borrows from those before it.)"""
    latents = layout["preview"]
    last = latents.shape[2] - 1
    places = sorted({round(last * place / max(1, count - 1)) for place in range(count)})
    return [{"latents": latents[:, :, place : place + 1]} for place in places]


def best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
