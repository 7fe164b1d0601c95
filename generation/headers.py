"""Do the weights in a model folder fit its configurations? By the headers of their files, before anything is rendered: a network
is loaded only when its stage opens, and what is wrong with it would come out late.

The networks are built on the meta device, where they have names and shapes and no numbers; of files only headers are read.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.errors import GenerationError
from generation.folder import AGAIN
from generation.singles import Shapes, shapes

if TYPE_CHECKING:
    from generation.load import Model

NETWORKS = ("text_encoder", "transformer", "transformer_2", "vae")
TIED = ("shared.weight", "encoder.embed_tokens.weight")  # one table of words under two names: a file may have either


def check_weights(model: Model) -> None:
    """Raises GenerationError for the first file with a tensor of another shape than the configuration promises, or where one
    is lacking, or where there are more blocks."""
    built: dict[str, Shapes] = {}  # two experts are of one configuration
    for component in filter(model.files.__contains__, NETWORKS):
        config, kind = model.config(component), model.index[component][-1]
        said = f"{kind} {sorted(config.items(), key=str)}"
        if said not in built:
            built[said] = _promised(model.index[component][0], kind, config, model.folder / component)
        _compare(built[said], [file for file in model.files[component] if file.suffix in (".safetensors", ".gguf")], component)


def _promised(library: str, kind: str, config: dict[str, Any], folder: Path) -> Shapes:
    """Names and shapes of the tensors of a network of this class and configuration."""
    import diffusers
    import torch
    import transformers

    found = getattr(diffusers if library == "diffusers" else transformers, kind)
    try:
        with torch.device("meta"):
            network = found.from_config(config) if library == "diffusers" else found(found.config_class.from_dict(config))
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError, AttributeError) as error:
        said = f"no {kind} can be made of this configuration ({str(error).strip().splitlines()[0]})"
        raise GenerationError(said, where=str(folder / "config.json"), mend=AGAIN) from error
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _compare(promised: Shapes, files: list[Path], component: str) -> None:
    lacking, expert = set(promised), component.startswith("transformer")
    for file in files:
        found = _read(file) if expert else shapes(file)
        for name, shape in found.items():
            if name not in promised:
                if expert and "blocks." in name and not _known(name, promised):
                    what = f"{name} is of a block that the configuration does not have"
                    raise GenerationError(what, where=str(file), mend="File and config.json are of two models: fetch them again.")
                continue
            # A GGUF file may have its sides in another order of dimensions.
            if math.prod(shape) != math.prod(promised[name]) or (file.suffix != ".gguf" and shape != promised[name]):
                what = f"the weights do not fit the configuration: {name} is {_sides(shape)}, not {_sides(promised[name])}"
                raise GenerationError(what, where=str(file), mend=AGAIN)
        lacking -= found.keys()
    lacking -= set(TIED[1:] if set(TIED) <= lacking else TIED)
    if lacking:
        where = files[0] if len(files) == 1 else files[0].parent
        said = f"{len(lacking)} weights are not in the file, {min(lacking)} among them"
        raise GenerationError(said, where=str(where), mend=AGAIN)


def _read(file: Path) -> Shapes:
    """The shapes of an expert's file, by diffusers' names: where they are the makers', as diffusers turns them."""
    found = shapes(file)
    if "head.modulation" not in found:
        return found
    from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers

    turned: Shapes = convert_wan_transformer_to_diffusers(dict(found))
    return turned


def _known(name: str, promised: Shapes) -> bool:
    """Whether there is anything else of the block that a tensor belongs to; what is beside it there does no harm."""
    block = ".".join(name.split(".")[:2]) + "."
    return any(each.startswith(block) for each in promised)


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"
