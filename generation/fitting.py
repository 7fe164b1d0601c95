"""Do the parts of a model's folder fit one another? Looked at by their configurations, before anything is loaded: put together by
hand from several models, they would break in the middle of a render, or draw noise.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation import adapter_files
from generation.errors import GenerationError
from generation.singles import expert_config, shapes, single_file

if TYPE_CHECKING:
    from generation.load import Model


def check_parts(model: Model) -> None:
    """Raises GenerationError for a VAE, a second expert, a text encoder or an identity adapter of another model."""
    channels, family = model.config("vae").get("z_dim", 16), model.family
    if channels != family.latents:
        raise GenerationError(
            f"the VAE makes latents of {channels} channels, the experts of {family.name} need {family.latents}",
            where=str(model.folder / "vae"),
            mend=f"Put the {family.vae} VAE here: the two kinds cannot stand in for each other.",
        )
    first, width = _shape(model, "transformer"), model.config("text_encoder").get("d_model")
    if "transformer_2" in model.files and (second := _shape(model, "transformer_2")) != first:
        raise GenerationError(
            f"the two experts are of different models: {_said(first)}, and {_said(second)}",
            where=str(model.folder / "transformer_2"),
            mend="Put both experts of one model here, the high-noise one in transformer, the low-noise one in transformer_2.",
        )
    read = model.config("transformer").get("text_dim", 4096)
    if width is not None and width != read:
        raise GenerationError(
            f"the text encoder makes rows of {width} numbers, the experts read {read}",
            where=str(model.folder / "text_encoder"),
            mend="Put the text encoder here that the experts were trained with: UMT5-XXL for every Wan model.",
        )
    for expert in ("transformer", "transformer_2"):
        if expert in model.files and (single := single_file(model.folder / expert)):
            _check_branch(single, model.index[expert][-1])
        if model.adapter_of(expert):
            adapter_files.check_fit(model.folder / expert, *_shape(model, expert)[1:3])


def _check_branch(single: Path, kind: str) -> None:
    """A VACE expert has a side branch, and no other has: what a class has no place for would be forgotten without a word."""
    has, wants = any(name.startswith("vace_") for name in shapes(single)), "VACE" in kind
    if has != wants:
        raise GenerationError(
            f"this expert has {'a' if has else 'no'} side branch of VACE, and model_index.json says that it is a {kind}",
            where=str(single),
            mend="Put the expert's file into the folder of its own model's other parts.",
        )


def _shape(model: Model, expert: str) -> tuple[Any, ...]:
    """Class, blocks, width and channels of an expert; a LoRA, a preset or another precision change none of them."""
    config = expert_config(model.folder / expert) or {}
    width = config.get("num_attention_heads", 40) * config.get("attention_head_dim", 128)
    return model.index[expert][-1], config.get("num_layers", 40), width, config.get("in_channels", 16)


def _said(shape: tuple[Any, ...]) -> str:
    return "{}, {} blocks of width {}, {} channels".format(*shape)
