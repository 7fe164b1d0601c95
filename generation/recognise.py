"""Which family a folder's model is of, told by its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.family import Family
from generation.folder import read_json
from generation.singles import expert_config

INDEX = "model_index.json"

# What a component may be. A folder that names any other class is refused: its class would be imported and run.
EXPERTS = ("WanTransformer3DModel", "WanVACETransformer3DModel")
CLASSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "tokenizer": ("transformers", ("T5TokenizerFast", "T5Tokenizer", "PreTrainedTokenizerFast", "TokenizersBackend")),
    "text_encoder": ("transformers", ("UMT5EncoderModel",)),
    "transformer": ("diffusers", EXPERTS),
    "transformer_2": ("diffusers", EXPERTS),
    "vae": ("diffusers", ("AutoencoderKLWan",)),
    "scheduler": ("diffusers", ("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler")),
}
OPTIONAL = ("transformer_2",)
_NAMED = {
    "tokenizer": ("tokenizer_config.json", "tokenizer_class"),
    "scheduler": ("scheduler_config.json", "_class_name"),
}


def read_index(folder: Path) -> dict[str, Any] | None:
    """What the folder says of its components, from its model_index.json or, of a renderer that has a config.json of its own
    instead, from theirs.

    None when there is no model. Raises GenerationError for a file that cannot be read.
    """
    if (folder / INDEX).is_file():
        return read_json(folder / INDEX)
    if not (folder / "config.json").is_file() or not (folder / "transformer" / "config.json").is_file():
        return None
    index: dict[str, Any] = {}
    for name, (library, classes) in CLASSES.items():
        file, word = _NAMED.get(name, ("config.json", "_class_name"))
        if not (folder / name / file).is_file():
            continue
        said = classes[0] if name == "text_encoder" else str(read_json(folder / name / file).get(word, ""))
        index[name] = [library, said]
    return index


def recognised(folder: Path, index: dict[str, Any]) -> Family:
    """The family whose shape this folder's experts have, and whose word its names have where shapes are alike."""
    config = expert_config(folder / "transformer") or {}
    experts = 2 if (index.get("transformer_2") or [None])[0] else 1
    width = config.get("num_attention_heads", 40) * config.get("attention_head_dim", 128)
    shape = (experts, config.get("num_layers", 40), width, config.get("in_channels", 16), index["transformer"][1])
    alike = [family for family in FAMILIES.values() if _shape(family) == shape]
    named = _names(folder, index, config)
    for family in sorted(alike, key=lambda family: not family.hint):
        if family.hint in named:
            return family
    raise GenerationError(
        "this is no model of a known family ({} experts, {} layers, width {}, {} channels, {})".format(*shape),
        where=str(folder),
        mend=f"Families that are known: {', '.join(FAMILIES)}.",
    )


def _shape(family: Family) -> tuple[int, int, int, int, str]:
    return family.experts, family.layers, family.width, family.channels, family.transformer


def _names(folder: Path, index: dict[str, Any], config: dict[str, Any]) -> str:
    """Whatever a folder calls itself, in lower case."""
    words = [str(each.get(key, "")) for each in (index, config) for key in ("_class_name", "_name_or_path")]
    said = [folder.resolve().name, *words]
    own = folder / "config.json"  # of renderers that are loaded by code of their own
    if own.is_file():
        said.append(str(read_json(own)))
    return " ".join(said).casefold()
