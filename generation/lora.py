"""LoRAs: small changes to an expert's weights, one file for each expert, merged into them as they are loaded.

    Lora.parse("high.safetensors:low.safetensors@1.0:0.8")

A LoRA holds for some layers two thin matrices: the layer's weight becomes W + s B A (Hu et al. 2021), s the strength times
alpha over rank where the file has an alpha. Three spellings of the keys are read: PEFT's, with or without `transformer.`;
`diffusion_model.`, as ComfyUI and kijai have it; `lora_unet_`, as musubi-tuner has it. Merged before anything is held in
fp8, since nothing fits in there later; nothing of it is left in the network's shape. Only beside GGUF weights, which stay
quantised, the two thin matrices stay what they are, and what they make is added.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.errors import GenerationError
from generation.folder import check_safetensors

if TYPE_CHECKING:
    from torch import Tensor

PREFIXES = ("base_model.model.", "transformer_2.", "transformer.")
MUSUBI = re.compile(r"^lora_unet_blocks_(\d+)_(self_attn|cross_attn|ffn)_(\w+?)\.")
DORA = ("dora_scale", "lora_magnitude_vector")
READ = {".lora_A.weight": "down", ".lora_B.weight": "up", ".lora_B.bias": "bias"}
FORM = "Write --lora FILE, or HIGH:LOW for the two experts, with strengths after an @: high.safetensors:low.safetensors@1.0:0.8"


@dataclass(frozen=True)
class Lora:
    """Files and strengths for the high-noise and the low-noise expert; None leaves that expert alone."""

    files: tuple[Path | None, Path | None]
    strengths: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def parse(cls, said: str) -> Lora:
        """What a command line says: FILE for both experts, HIGH:LOW, either of which may be empty, then @S or @HIGH:LOW."""
        names, at, numbers = said.rpartition("@")
        if not at or numbers.lower().endswith(".safetensors"):
            names, numbers = said, ""
        paths = [Path(name) if name else None for name in names.split(":")]
        try:
            strengths = [float(number) for number in numbers.split(":")] if numbers else [1.0]
        except ValueError:
            raise GenerationError(f'"{numbers}" is no strength', where=said, mend=FORM) from None
        if len(paths) > 2 or len(strengths) > 2 or not any(paths):
            raise GenerationError("this names no LoRA", where=said, mend=FORM)
        for path in filter(None, paths):
            if path.suffix.lower() != ".safetensors":
                raise GenerationError(
                    "only safetensors files are loaded", where=str(path), mend="Convert it, or find one that is."
                )
            check_safetensors(path)
        return cls((paths[0], paths[-1]), (strengths[0], strengths[-1]))

    def of(self, side: int) -> tuple[Path, float] | None:
        """The file and the strength for the high-noise expert (0) or the low-noise one (1)."""
        path = self.files[side]
        return (path, self.strengths[side]) if path is not None and self.strengths[side] else None

    def check(self, config: dict[str, Any]) -> None:
        """Refuse a LoRA that is not for a `WanTransformer3DModel` of this configuration, before any weights are loaded."""
        import torch
        from diffusers import WanTransformer3DModel

        with torch.device("meta"):
            network = WanTransformer3DModel.from_config(config)
        for path in dict.fromkeys(filter(None, self.files)):
            for name, layer in changes(path, shapes_only=True).items():
                _fitting(network, name, layer, path)


def changes(path: Path, *, shapes_only: bool = False) -> dict[str, dict[str, Tensor]]:
    """By layer name: "down" (rank, in), "up" (out, rank), and "bias" (out,) where there is one, with alpha in "up" already.

    With `shapes_only` large tensors are on the meta device, and nothing of them is read.
    """
    import torch
    from diffusers.loaders import WanLoraLoaderMixin
    from safetensors import safe_open

    state: dict[str, Tensor] = {}
    with safe_open(path, "pt") as file:
        about = json.loads((file.metadata() or {}).get("lora_adapter_metadata", "{}"))
        if any(mark in name for name in file.keys() for mark in DORA):  # noqa: SIM118
            # diffusers would drop what makes it one, and take the rest for a LoRA.
            what, mend = "this is a DoRA, which also scales each row of a weight", "Take a plain LoRA: DoRAs are not read."
            raise GenerationError(what, where=str(path), mend=mend)
        for name in file.keys():  # noqa: SIM118
            shape = file.get_slice(name).get_shape()
            if shapes_only and len(shape) > 0:
                state[name] = torch.empty(shape, device="meta")
            else:
                state[name] = file.get_tensor(name).float()
    # diffusers reads musubi's form only where every layer is changed; the other form it reads whatever is there.
    state = {MUSUBI.sub(r"diffusion_model.blocks.\1.\2.\3.", name): value for name, value in state.items()}
    try:
        state = WanLoraLoaderMixin.lora_state_dict(state)
    except (KeyError, ValueError, RuntimeError, IndexError) as error:
        raise GenerationError(
            f"its keys are not those of a LoRA for Wan ({error})", where=str(path), mend=FORM
        ) from error
    found: dict[str, dict[str, Tensor]] = {}
    alphas = {_layer(name, ".alpha"): float(value) for name, value in state.items() if name.endswith(".alpha")}
    for name, value in state.items():
        end = next((end for end in READ if name.endswith(end)), None)
        if end:
            found.setdefault(_layer(name, end), {})[READ[end]] = value
    ranks = {
        key.rpartition(".")[2]: value for key, value in about.items() if key.rpartition(".")[2] in ("r", "lora_alpha")
    }
    for name, layer in found.items():
        if {"down", "up"} - layer.keys():
            raise GenerationError(f"{name} has only half of its matrices", where=str(path), mend="Fetch it again.")
        alpha = alphas.get(name) or (ranks["lora_alpha"] if {"r", "lora_alpha"} <= ranks.keys() else None)
        if alpha is not None:
            layer["up"] = layer["up"] * (float(alpha) / layer["down"].shape[0])
    if not found:
        raise GenerationError("there is no LoRA for Wan in this file", where=str(path), mend=FORM)
    stray = next((name for name in state if not name.endswith((*READ, ".alpha"))), None)
    if stray:
        what, mend = f"{stray} is no part of a LoRA that is read here", "Take a plain LoRA: other kinds of adapter are not read."
        raise GenerationError(what, where=str(path), mend=mend)
    return found


def merge(network: Any, path: Path, strength: float) -> None:
    """Add a LoRA to the weights of a network on the CPU, each sum made in float32."""
    import torch

    with torch.no_grad():
        for name, layer in changes(path).items():
            module = _fitting(network, name, layer, path)
            if hasattr(module.weight, "quant_type"):
                _beside(module, layer, strength)
                continue
            change = strength * (layer["up"] @ layer["down"])
            module.weight.copy_(module.weight.float() + change.view_as(module.weight))
            if "bias" in layer and module.bias is not None:
                module.bias.copy_(module.bias.float() + strength * layer["bias"])


def _beside(module: Any, layer: dict[str, Tensor], strength: float) -> None:
    """Add a LoRA to what a linear layer makes: into weights that stay quantised nothing can be merged."""
    import torch

    dtype = module.compute_dtype
    down, up, bias = (
        None if part is None else torch.nn.Parameter(part.to(dtype), requires_grad=False)
        for part in (layer["down"], layer["up"] * strength, layer["bias"] * strength if "bias" in layer else None)
    )
    thin = torch.nn.ParameterDict({name: each for name, each in (("down", down), ("up", up), ("bias", bias)) if each is not None})
    module.add_module(f"lora_{len(module._modules)}", thin)  # so that it goes where the layer goes

    def added(_: Any, args: tuple[Tensor, ...], made: Tensor) -> Tensor:
        more = torch.nn.functional.linear(args[0].to(dtype), thin["down"])
        return made + torch.nn.functional.linear(more, thin["up"], thin.get("bias")).to(made.dtype)

    module.register_forward_hook(added)


def _layer(name: str, end: str) -> str:
    name = name.removesuffix(end)
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _fitting(network: Any, name: str, layer: dict[str, Tensor], path: Path) -> Any:
    """The module that a layer of a LoRA changes, or a GenerationError when it is of another family."""
    mend = "Take a LoRA that was made for this family of models."
    try:
        module = network.get_submodule(name)
    except AttributeError:
        raise GenerationError(f"it is for another model: here is no {name}", where=str(path), mend=mend) from None
    shape = (layer["up"].shape[0], layer["down"].shape[1])
    quantised = hasattr(module.weight, "quant_type")  # its bytes are of another shape
    own = (module.out_features, module.in_features) if quantised else (module.weight.shape[0], module.weight[0].numel())
    if shape != own:
        what = f"it is for another family: its {name} is {shape[1]} to {shape[0]} wide, here it is {own[1]} to {own[0]}"
        raise GenerationError(what, where=str(path), mend=mend)
    return module
