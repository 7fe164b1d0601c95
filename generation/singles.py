"""Experts that come as one file, quantised (GGUF) or not, in the names of the model's makers instead of diffusers'.

    my-model/transformer/wan2.2_t2v_high_noise_14B_Q4_K_M.gguf       beside the published folder's other parts
    my-model/transformer_2/wan2.2_t2v_low_noise_14B_Q4_K_M.gguf

Without a config.json beside it, the file's own shapes say which family it is of, and the family's configuration is used:
diffusers would ask the hub for that of another model.
"""

from __future__ import annotations

import json
import re
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation import adapter_files
from generation.errors import GenerationError
from generation.folder import AGAIN, check_safetensors, read_json

if TYPE_CHECKING:
    import torch

STEM = "diffusion_pytorch_model"
Shapes = dict[str, tuple[int, ...]]


def single_file(folder: Path) -> Path | None:
    """The one file that an expert's folder holds in place of diffusers' own, None where it holds those or nothing."""
    if (folder / f"{STEM}.safetensors").exists() or (folder / f"{STEM}.safetensors.index.json").exists():
        return None
    found = sorted(path for path in folder.glob("*") if path.suffix in (".gguf", ".safetensors"))
    found = [path for path in found if path.name != adapter_files.WEIGHTS]
    if len(found) > 1:
        raise GenerationError(
            f"there are {len(found)} files of weights, and one is an expert: {', '.join(path.name for path in found[:3])}",
            where=str(folder),
            mend="Leave one of them here.",
        )
    return found[0] if found else None


def shapes(path: Path) -> Shapes:
    """The shape of every tensor in a file, whole or refused. Its names lose the prefix that some tools give them."""
    found = _gguf_shapes(path) if path.suffix == ".gguf" else _safetensors_shapes(path)
    scaled = [name for name in found if name.endswith(("scale_weight", "scale_input"))]
    if scaled:
        raise GenerationError(
            "its weights are fp8 with scales beside them, which are not read",
            where=str(path),
            mend="Take the bf16 file, or a GGUF one.",
        )
    return {name.removeprefix("model.diffusion_model."): shape for name, shape in found.items()}


def read_shape(path: Path) -> dict[str, Any]:
    """Of the configuration of an expert in one file what its tensors tell."""
    found = shapes(path)
    embedding = found.get("patch_embedding.weight", ())
    blocks = [int(each[1]) for name in found if (each := re.match(r"blocks\.(\d+)\.", name))]
    if len(embedding) < 2 or not blocks:
        raise GenerationError("this is no expert of a Wan model: it has no blocks", where=str(path), mend=AGAIN)
    return {
        "num_attention_heads": 1,  # the width is what counts
        "attention_head_dim": embedding[0],
        "num_layers": max(blocks) + 1,
        "in_channels": embedding[1],
    }


def load_single(kind: Any, path: Path, config: dict[str, Any], dtype: torch.dtype) -> Any:
    """The network of class `kind` in a file, its numbers as `dtype`; quantised ones stay so and are unpacked as they are used."""
    import diffusers

    how: dict[str, Any] = {"local_files_only": True}
    if path.suffix == ".gguf":
        how |= {"dtype": dtype, "quantization_config": diffusers.GGUFQuantizationConfig(compute_dtype=dtype)}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps({**config, "_class_name": kind.__name__}, default=str))
        try:
            network = kind.from_single_file(str(path), config=folder, **how)
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise GenerationError(
                f"the weights do not fit {kind.__name__} ({str(error).strip().splitlines()[0]})",
                where=str(path),
                mend=AGAIN,
            ) from error
    lacking = [name for name, weight in network.named_parameters() if weight.is_meta]
    if lacking:
        raise GenerationError(
            f"{len(lacking)} weights are not in the file, {lacking[0]} among them", where=str(path), mend=AGAIN
        )
    if path.suffix != ".gguf":
        # Asked to cast, diffusers would cast the parts as well that must stay in full precision.
        for name, weight in network.named_parameters():
            full = set(name.split(".")) & set(kind._keep_in_fp32_modules)
            weight.data = weight.data.float() if full else weight.data.to(dtype)
    return network


def expert_config(folder: Path) -> dict[str, Any] | None:
    """The configuration in an expert's folder, or what its single file tells of one; None where there is neither."""
    if (folder / "config.json").is_file():
        return read_json(folder / "config.json")
    path = single_file(folder) if folder.is_dir() else None
    return read_shape(path) if path else None


def _safetensors_shapes(path: Path) -> Shapes:
    check_safetensors(path)
    with path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: tuple(each["shape"]) for name, each in header.items() if name != "__metadata__"}


def _gguf_shapes(path: Path) -> Shapes:
    import gguf

    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ValueError("it does not begin like one")
        tensors = gguf.GGUFReader(path).tensors
        end = max(each.data_offset + each.n_bytes for each in tensors)
    except Exception as error:  # its reader raises whatever it likes on broken bytes
        raise GenerationError(f"the file is not a whole GGUF file ({error})", where=str(path), mend=AGAIN) from error
    if end > path.stat().st_size:
        raise GenerationError(
            f"the file is cut short: {path.stat().st_size} bytes of {end}", where=str(path), mend=AGAIN
        )
    return {each.name: tuple(int(side) for side in reversed(each.shape)) for each in tensors}
