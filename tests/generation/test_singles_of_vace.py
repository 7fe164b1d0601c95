"""VACE's experts in one file: with their side branch, recognised, loaded offline, rendering as the folder does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generation import GenerationError, Model, open_stage
from generation.families import FAMILIES

sys.path.insert(0, str(Path(__file__).parent))
from experts import in_one_file

FUN, SMALL = "Wan2.2-VACE-Fun-A14B", "Wan2.1-VACE-1.3B"


@pytest.fixture(scope="module", params=[FUN, SMALL])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a tiny model in the layout of each published one; within it, the family is as small."""
    name, make = request.param, request.getfixturevalue("make_folder")
    shape = {"layers": 2, "width": 24, "heads": 2, "ffn": 32, "text_width": 32, "vace_layers": (0,)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, name, replace(FAMILIES[name], **shape, sizes=((48, 32),), text_length=64))
        yield make(tmp_path_factory.mktemp("vace") / "whole", kind="WanVACEPipeline", experts=FAMILIES[name].experts), FAMILIES[name]


def film(model: Model, request: Any) -> torch.Tensor:
    held: dict[str, torch.Tensor] = {}
    for name in ("encode", "references", "layout", "detail"):
        with open_stage(name, model, "cpu") as stage:
            held = stage.run(request, (), held)
    return held["latents"]


@pytest.mark.parametrize(
    ("ending", "form"), [("safetensors", "makers"), ("safetensors", "prefix"), ("safetensors", "diffusers"), ("gguf", "makers")]
)
def test_a_vace_expert_in_one_file(ending: str, form: str, whole: Any, request_for: Callable[..., Any], tmp_path: Path) -> None:
    folder, family = whole
    shutil.copytree(folder, tmp_path / "single")
    model, stock = Model.open(in_one_file(tmp_path / "single", ending, form)), Model.open(folder)
    assert model.family is stock.family is family and model.config("transformer")["vace_layers"] == [0]
    mine, theirs = (each.network("transformer", torch.float32).state_dict() for each in (model, stock))
    assert mine.keys() == theirs.keys()
    narrow = "ffn.net.2.weight" if ending == "gguf" else "none"
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs if not name.endswith(narrow))
    picture = np.random.default_rng(1).integers(0, 255, (40, 24, 3), dtype=np.uint8)
    request = request_for(pictures=((picture,), ()), steps=2, guidance=(4.0, 4.0))
    made, known = (film(each, request) for each in (model, stock))
    assert torch.allclose(made, known, atol=0.1 if ending == "gguf" else 1e-4)  # eight bits of some of them, or all
    assert not torch.allclose(known, film(stock, replace(request, pictures=())), atol=0.1)


def test_an_expert_without_its_side_branch_or_with_one_too_many(whole: Any, plain_folder: Path, tmp_path: Path) -> None:
    """Of a VACE file a plain transformer would be filled, and the rest forgotten."""
    folder, family = whole
    shutil.copytree(folder, tmp_path / "a")
    shutil.copytree(plain_folder, tmp_path / "b")
    vace, plain = (in_one_file(tmp_path / name, "safetensors") for name in "ab")
    swapped = tmp_path / "c"
    for into, other, said in ((vace, plain, "has no side branch of VACE"), (plain, vace, "has a side branch of VACE")):
        shutil.copytree(into, swapped)
        for part in ("transformer", "transformer_2"):
            if (swapped / part).is_dir():
                shutil.copy(other / "transformer" / "expert.safetensors", swapped / part)
        with pytest.raises(GenerationError, match=said) as caught:
            Model.open(swapped, replace(family, experts=2))
        assert caught.value.mend and "expert.safetensors" in caught.value.where
        shutil.rmtree(swapped)
