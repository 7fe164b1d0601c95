"""Weights held against the configurations before anything is rendered: by headers alone, of every network and kind of file."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation import GenerationError, Model
from generation.families import FAMILIES
from generation.family import Family
from generation.headers import check_weights

sys.path.insert(0, str(Path(__file__).parent))
from experts import in_one_file


@pytest.fixture
def copy(plain_folder: Path, tmp_path: Path) -> Path:
    """A model folder to change."""
    shutil.copytree(plain_folder, tmp_path / "model")
    return tmp_path / "model"


def fault(folder: Path, family: Family) -> str:
    with pytest.raises(GenerationError) as caught:
        check_weights(Model.open(folder, family))
    assert caught.value.mend and caught.value.exit_code == 2
    return f"{caught.value.where}: {caught.value.what}"


@pytest.mark.parametrize("kind", ["WanPipeline", "WanVACEPipeline", "WanImageToVideoPipeline"])
def test_whole_folders_pass(kind: str, make_folder: Callable[..., Path], tiny_family: Family, tmp_path: Path) -> None:
    channels = 36 if kind == "WanImageToVideoPipeline" else 16
    check_weights(Model.open(make_folder(tmp_path / "model", kind=kind, residual=channels == 16), replace(tiny_family, channels=channels)))


def test_the_shipped_model_passes() -> None:
    check_weights(Model.open("toon"))


@pytest.mark.parametrize("part", ["text_encoder", "transformer", "transformer_2", "vae"])
def test_a_tensor_that_lacks_or_is_of_another_shape(part: str, copy: Path, tiny_family: Family) -> None:
    path = next((copy / part).glob("*.safetensors"))
    state = load_file(path)
    name = max(each for each in state if state[each].dim() == 2 or part == "vae")
    kept = {key: value for key, value in state.items() if key != name}
    save_file(kept, path, {"format": "pt"})
    assert f"{path}: 1 weights are not in the file, {name} among them" == fault(copy, tiny_family)
    save_file({**kept, name: torch.ones(3, 5)}, path, {"format": "pt"})
    assert f"{path}: the weights do not fit the configuration: {name} is 3x5, not " in fault(copy, tiny_family)


def test_more_blocks_than_the_configuration_has(copy: Path, tiny_family: Family) -> None:
    """Those would be left out, and the film be noise."""
    path = next((copy / "transformer_2").glob("*.safetensors"))
    state = load_file(path)
    save_file({**state, "blocks.1.attn2.processor.x": torch.ones(1)}, path, {"format": "pt"})  # an adapter left it there
    check_weights(Model.open(copy, tiny_family))
    save_file({**state, "blocks.2.attn1.to_q.bias": torch.ones(24)}, path, {"format": "pt"})
    assert f"{path}: blocks.2.attn1.to_q.bias is of a block that the configuration does not have" == fault(copy, tiny_family)


def test_a_configuration_of_which_nothing_can_be_made(copy: Path, tiny_family: Family) -> None:
    path = copy / "vae" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dim_mult": 3}))
    assert f"{path}: no AutoencoderKLWan can be made" in fault(copy, tiny_family)


@pytest.mark.parametrize(
    ("ending", "form"), [("safetensors", "makers"), ("safetensors", "diffusers"), ("safetensors", "prefix"), ("gguf", "makers")]
)
@pytest.mark.parametrize("kind", ["WanPipeline", "WanVACEPipeline"])
def test_experts_in_one_file(
    kind: str, ending: str, form: str, make_folder: Callable[..., Path], tiny_family: Family, tmp_path: Path
) -> None:
    shape: dict[str, Any] = {"layers": 2, "width": 24, "heads": 2, "ffn": 32, "text_width": 32}
    family = replace(tiny_family, **shape, vace_layers=(0,) if "VACE" in kind else ())
    folder = in_one_file(make_folder(tmp_path / "model", kind=kind), ending, form)
    check_weights(Model.open(folder, family))
    assert "blocks.1" in fault(folder, replace(family, layers=1))
    assert "do not fit the configuration" in fault(folder, replace(family, ffn=40))


def test_the_largest_layout_takes_well_under_a_second(copy: Path) -> None:
    """A header as long as the A14B's, and no numbers behind it: a hole in the file."""
    family = FAMILIES["Wan2.2-VACE-Fun-A14B"]
    import diffusers

    with torch.device("meta"):
        network = diffusers.WanVACETransformer3DModel.from_config(family.config)
    header, end = {}, 0
    for name, value in network.state_dict().items():
        header[name] = {"dtype": "BF16", "shape": list(value.shape), "data_offsets": [end, end + 2 * value.numel()]}
        end += 2 * value.numel()
    words = json.dumps(header).encode()
    for part in ("transformer", "transformer_2"):
        (copy / part / "config.json").write_text(json.dumps(family.config))
        with (copy / part / "diffusion_pytorch_model.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", len(words)) + words)
            file.truncate(8 + len(words) + end)
    index = json.loads((copy / "model_index.json").read_text())
    index |= {part: ["diffusers", family.transformer] for part in ("transformer", "transformer_2")}
    (copy / "model_index.json").write_text(json.dumps(index))
    text = copy / "text_encoder" / "config.json"
    text.write_text(json.dumps(json.loads(text.read_text()) | {"d_model": 4096}))
    model = Model.open(copy)
    own = replace(model, files={name: model.files[name] for name in ("transformer", "transformer_2")})
    started = time.process_time()
    check_weights(own)
    assert own.family is family and time.process_time() - started < 1
