"""What an identity adapter learns from: stretches of clips, encoded once, before any expert comes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from generation.family import Family
from generation.load import Model
from generation.request import ShotRequest
from generation.stage import digest
from generation.stages import open_stage
from generation.wording import worded

if TYPE_CHECKING:
    from generation.references.stage import ReferencesStage
    from identity import IdentityPack

VERSION = 1  # raise it when footage is encoded otherwise


@dataclass(frozen=True)
class Footage:
    """A stretch of a clip: `frames` (4k+1, H, W, 3) uint8 RGB of a size of the model's, a prompt that names those in it as @name,
    `weight` (k+1, H, W) uint8, how much each pixel counts, and whether it is held back to validate with."""

    name: str
    frames: np.ndarray
    prompt: str
    characters: tuple[str, ...]
    weight: np.ndarray
    held: bool = False


@dataclass(frozen=True)
class Encoded:
    """Footage as the experts see it. `orders` are the characters in each order of slots for which there is a prompt; the tensors
    are in the file at `path`: `latents`, `weight`, `negative`, `prompt.0` ... by order, and the family's references."""

    name: str
    path: Path
    request: ShotRequest
    orders: tuple[tuple[str, ...], ...]
    held: bool

    def load(self) -> dict[str, Tensor]:
        """The tensors."""
        from safetensors.torch import load_file

        return load_file(self.path)


def encoded(
    footage: Iterable[Footage],
    packs: Mapping[str, IdentityPack],
    model: Model,
    device: str,
    work: Path,
    tell: Callable[[str], object],
) -> list[Encoded]:
    """All footage behind text encoder and VAE, kept in `work`: what is there already is not made again."""
    work.mkdir(parents=True, exist_ok=True)
    found, words, waiting = [], dict[str, Tensor](), list[tuple[Encoded, Footage]]()
    parts = [VERSION, *(model.hash_of(name) for name in ("tokenizer", "text_encoder", "vae"))]
    for each in footage:
        request = requested(each, packs, model.family)
        orders = _orders(each.characters) if model.family.references in ("tokens", "keyframe") else (each.characters,)
        prompts = [_prompt(request, order, model) for order in orders]
        told = [*parts, prompts, request.negative_prompt, digest(each.frames, each.weight, *request.all_pictures)]
        key = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        one = Encoded(each.name, work / f"{key[:24]}.safetensors", request, orders, each.held)
        found.append(one)
        if not one.path.exists():
            words |= dict.fromkeys([*prompts, request.negative_prompt], torch.empty(0))
            waiting.append((one, each))
    if not waiting:
        return found
    blank = replace(waiting[0][0].request, characters=(), looks=(), pictures=(), guidance=(1.0, 1.0))
    with open_stage("encode", model, device) as stage:
        for said in words:
            words[said] = stage.run(replace(blank, prompt=said), (), {})["prompt"]
            for note in stage.notes:
                tell(note)
    with open_stage("references", model, device) as stage:
        for number, (one, each) in enumerate(waiting, 1):
            texts = {f"prompt.{place}": words[_prompt(one.request, order, model)] for place, order in enumerate(one.orders)}
            made = stage.run(one.request, (), {"negative": words[one.request.negative_prompt], **texts})
            latents = _latents(stage, each.frames)  # type: ignore[arg-type]
            weight = torch.from_numpy(each.weight)[None].float()
            weight = torch.nn.functional.interpolate(weight, latents.shape[-2:], mode="area")
            _save({**made, "latents": latents, "weight": weight}, one.path)
            tell(f"encoded {number} of {len(waiting)}: {one.name}")
    return found


def requested(each: Footage, packs: Mapping[str, IdentityPack], family: Family) -> ShotRequest:
    """The shot that would make this footage."""
    counts = family.picture_counts(len(each.characters), len(each.frames))
    return ShotRequest(
        prompt=each.prompt,
        characters=each.characters,
        frames=len(each.frames),
        width=each.frames.shape[2],
        height=each.frames.shape[1],
        seed=0,
        steps=1,
        guidance=(2.0, 2.0),
        negative_prompt=family.negative_prompt,
        pictures=tuple(tuple(packs[n].best_pictures(c)) for n, c in zip(each.characters, counts, strict=True)),
        first_frame=each.frames[0] if family.references == "keyframe" else None,
    )


def _orders(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Each turn of the names, so that no slot is anybody's own."""
    return tuple((*names[k:], *names[:k]) for k in range(len(names))) or ((),)


def _prompt(request: ShotRequest, order: tuple[str, ...], model: Model) -> str:
    """The prompt as a render will have it once there is an adapter."""
    return worded(replace(request, characters=order), model.family, True)


def _latents(stage: ReferencesStage, frames: np.ndarray) -> Tensor:
    shown = torch.from_numpy(frames.astype(np.float32) / 127.5 - 1).permute(3, 0, 1, 2)[None]
    with torch.no_grad():
        return stage.latents(shown).cpu()


def _save(tensors: dict[str, Any], path: Path) -> None:
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    save_file({name: value.contiguous() for name, value in tensors.items()}, part)
    part.replace(path)
