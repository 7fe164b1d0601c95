"""Experts as their makers write them: one file, by their own names, plain or quantised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.torch import save_file

NATIVE = [  # diffusers' names to the makers', the order matters
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"), ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"), ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"), ("attn1", "self_attn"), ("attn2", "cross_attn"), (".to_out.0.", ".o."),
    (".to_q.", ".q."), (".to_k.", ".k."), (".to_v.", ".v."), ("ffn.net.0.proj", "ffn.0"), ("ffn.net.2", "ffn.2"),
    ("proj_out", "head.head"),
]  # fmt: skip


def native(network: Any) -> dict[str, torch.Tensor]:
    """The weights by the names that the model's makers give them."""
    state = {}
    for name, value in network.state_dict().items():
        if name.startswith("vace_blocks."):
            name = name.replace("proj_in", "before_proj").replace("proj_out", "after_proj")
        for ours, theirs in NATIVE:
            name = name.replace(ours, theirs)
        if name == "scale_shift_table":
            name = "head.modulation"
        name = name.replace("scale_shift_table", "modulation")
        if ".norm2." in name or ".norm3." in name:
            name = name.replace("norm2", "norm_").replace("norm3", "norm2").replace("norm_", "norm3")
        state[name] = value.contiguous()
    return state


def write_gguf(path: Path, state: dict[str, torch.Tensor]) -> None:
    writer = gguf.GGUFWriter(path, "wan")
    kind = gguf.GGMLQuantizationType.Q8_0
    for name, value in state.items():
        numbers = value.numpy()
        if name.endswith("ffn.2.weight"):
            writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def in_one_file(folder: Path, ending: str, form: str = "makers") -> Path:
    """The model folder with each of its experts rewritten as one file of this ending, without a configuration beside it.

    form: whose names it has: "makers", the same with the "prefix" that some tools give them, or "diffusers".
    """
    import diffusers

    for part in ("transformer", "transformer_2"):
        place = folder / part
        if not place.is_dir():
            continue
        kind = json.loads((place / "config.json").read_text())["_class_name"]
        network = getattr(diffusers, kind).from_pretrained(place)
        state = network.state_dict() if form == "diffusers" else native(network)
        if form == "prefix":
            state = {f"model.diffusion_model.{name}": value for name, value in state.items()}
        for file in [*place.glob("diffusion_pytorch_model*"), place / "config.json"]:
            file.unlink()
        if ending == "gguf":
            write_gguf(place / "expert_Q8_0.gguf", state)
        else:
            save_file({name: value.contiguous() for name, value in state.items()}, place / "expert.safetensors")
    return folder
