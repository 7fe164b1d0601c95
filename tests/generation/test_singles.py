"""Experts in one file: GGUF and the makers' own safetensors, recognised by their shapes, loaded offline, refused when broken."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.load import Model

sys.path.insert(0, str(Path(__file__).parent))
from experts import native, write_gguf


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Wan2.2-T2V-A14B, tiny."""
    tiny = replace(
        FAMILIES["Wan2.2-T2V-A14B"],
        layers=2,
        width=24,
        heads=2,
        ffn=32,
        text_width=32,
        sizes=((48, 32),),
        text_length=64,
        steps=4,
    )
    monkeypatch.setitem(FAMILIES, tiny.name, tiny)
    return tiny


@pytest.fixture
def networks(plain_folder: Path, family: Any) -> dict[str, Any]:
    model = Model.open(plain_folder, family)
    return {name: model.network(name, torch.float32) for name in ("transformer", "transformer_2")}


@pytest.fixture
def single(plain_folder: Path, networks: dict[str, Any], tmp_path: Path) -> Callable[[str], Path]:
    """The plain folder with its experts in one file each, of this ending and without configurations."""

    def made(ending: str) -> Path:
        folder = tmp_path / "single"
        shutil.copytree(plain_folder, folder, ignore=shutil.ignore_patterns("diffusion_pytorch_model*"))
        shutil.copytree(plain_folder / "vae", folder / "vae", dirs_exist_ok=True)
        for name, network in networks.items():
            (folder / name / "config.json").unlink()
            state = native(network)
            if ending == "gguf":
                write_gguf(folder / name / "expert_Q8_0.gguf", state)
            else:
                save_file(
                    {f"model.diffusion_model.{key}": value for key, value in state.items()},
                    folder / name / "expert.safetensors",
                )
        return folder

    return made


@pytest.mark.parametrize("ending", ["gguf", "safetensors"])
def test_an_expert_in_one_file(
    ending: str, single: Callable[[str], Path], networks: dict[str, Any], family: Any
) -> None:
    model = Model.open(single(ending))
    assert model.family is family and [path.name for path in model.files["transformer"]] == [
        f"expert{'_Q8_0' * (ending == 'gguf')}.{ending}"
    ]
    how = {
        "hidden_states": torch.randn(1, 16, 2, 4, 4, generator=torch.Generator().manual_seed(1)), "timestep": torch.tensor([400.0]),
        "encoder_hidden_states": torch.ones(1, 8, 32), "return_dict": False,
    }  # fmt: skip
    single_one = model.network("transformer", torch.float32)
    with torch.no_grad():
        mine, stock = (each(**how)[0] for each in (single_one, networks["transformer"]))
    if ending == "gguf":
        assert torch.allclose(mine, stock, atol=0.02) and not torch.equal(mine, stock)  # eight bits of some of them
    else:
        assert torch.allclose(mine, stock, atol=1e-5)  # the file lies otherwise in memory, so sums may be rounded otherwise
        known = networks["transformer"].state_dict()
        assert all(torch.equal(value, known[name]) for name, value in single_one.state_dict().items())
        half = model.network("transformer", torch.bfloat16)
        kept = {name for name, weight in half.named_parameters() if weight.dtype == torch.float32}
        assert "blocks.0.scale_shift_table" in kept and "blocks.0.attn1.to_q.weight" not in kept
    assert model.config("transformer") == family.config and len(model.hash_of("transformer")) == 64


def test_single_files_that_cannot_be_used(single: Callable[[str], Path]) -> None:
    def fault() -> str:
        with pytest.raises(GenerationError) as caught:
            Model.open(folder).network("transformer", torch.float32)
        assert caught.value.mend and caught.value.where
        return caught.value.what

    folder = single("gguf")
    path = folder / "transformer" / "expert_Q8_0.gguf"
    whole = path.read_bytes()
    for broken in (whole[:-50], whole[:200], b"", b"PK" + whole, whole[:4] + b"\xff" * 400):
        path.write_bytes(broken)
        assert "not a whole GGUF file" in fault() or "cut short" in fault()
    path.write_bytes(whole)
    extra = folder / "transformer" / "b.safetensors"
    save_file({"blocks.0.x.scale_weight": torch.ones(1)}, extra)
    assert "there are 2 files of weights" in fault()
    path.unlink()
    assert "fp8 with scales" in fault()
    save_file({"x": torch.ones(1)}, extra)
    assert "no blocks" in fault()
    save_file({"patch_embedding.weight": torch.ones(24, 16, 1, 2, 2), "blocks.1.x": torch.ones(1)}, extra)
    assert "weights are not in the file" in fault() or "do not fit" in fault()
