"""LoRAs in three spellings, merged into each expert; and those that are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation import GenerationError, Lora, Model, open_stage

RANK, WIDTH = 2, 24


def matrices(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(RANK, WIDTH, generator=draw), torch.randn(WIDTH, RANK, generator=draw)


def written(path: Path, form: str, layers: int = 2, width: int = WIDTH, alpha: float | None = None) -> Path:
    """A LoRA of the queries of every block's self-attention."""
    state: dict[str, torch.Tensor] = {}
    for block in range(layers):
        down, up = matrices(block)
        down = torch.cat([down] * (width // WIDTH + 1), 1)[:, :width]
        name, ends = {
            "peft": (f"transformer.blocks.{block}.attn1.to_q", ("lora_A.weight", "lora_B.weight")),
            "bare": (f"base_model.model.blocks.{block}.attn1.to_q", ("lora_A.weight", "lora_B.weight")),
            "kijai": (f"diffusion_model.blocks.{block}.self_attn.q", ("lora_A.weight", "lora_B.weight")),
            "musubi": (f"lora_unet_blocks_{block}_self_attn_q", ("lora_down.weight", "lora_up.weight")),
        }[form]
        state |= {f"{name}.{ends[0]}": down.contiguous(), f"{name}.{ends[1]}": up}
        if alpha is not None:
            state[f"{name}.alpha"] = torch.tensor(alpha)
    save_file(state, path)
    return path


@pytest.mark.parametrize(
    ("form", "alpha"), [("peft", None), ("bare", None), ("kijai", None), ("musubi", 1.0), ("musubi", 2.0)]
)
def test_every_spelling_changes_the_weights_as_it_says(
    form: str, alpha: float | None, plain_model: Model, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.safetensors", form, alpha=alpha)
    model = plain_model.with_loras([Lora.parse(f"{path}@0.5:0.25")])
    for component, strength in (("transformer", 0.5), ("transformer_2", 0.25)):
        before, after = (each.network(component, torch.float32) for each in (plain_model, model))
        for block in range(2):
            down, up = matrices(block)
            change = strength * (alpha or RANK) / RANK * up @ down
            expected = before.blocks[block].attn1.to_q.weight + change
            assert torch.allclose(after.blocks[block].attn1.to_q.weight, expected, atol=1e-6)
            assert torch.equal(after.blocks[block].attn1.to_k.weight, before.blocks[block].attn1.to_k.weight)
        assert {name for name, _ in after.named_parameters()} == {name for name, _ in before.named_parameters()}


def test_each_expert_has_its_own_and_keys_follow(
    plain_model: Model, request_for: Callable[..., Any], tmp_path: Path
) -> None:
    high, low = (written(tmp_path / f"{name}.safetensors", "peft") for name in ("high", "low"))

    def keys(*said: str) -> list[str]:
        model = plain_model.with_loras(map(Lora.parse, said))
        found = []
        for stage in ("encode", "layout", "detail", "decode"):
            with open_stage(stage, model, "cpu") as opened:
                found.append(opened.key(request_for(), ()))
        return found

    plain = keys()

    def changed(*said: str) -> str:
        return "".join("-" if one == other else "x" for one, other in zip(plain, keys(*said), strict=True))

    assert changed(f"{high}:{low}") == "-xx-"
    assert changed(f"{high}:") == "-x--" and changed(f":{low}@0.8") == "--x-"
    assert changed(f"{high}:{low}@1.0:0") == "-x--" and changed(f"{high}@0") == "----"
    assert keys(f"{high}:{low}@1:0.8") != keys(f"{high}:{low}@1:0.7") != keys(f"{high}:{low}@1:0.7", str(low))


def test_what_is_refused(
    plain_model: Model, make_folder: Callable[..., Path], tiny_family: Any, tmp_path: Path
) -> None:
    wide = written(tmp_path / "wide.safetensors", "kijai", width=40)
    deep = written(tmp_path / "deep.safetensors", "kijai", layers=3)
    good = written(tmp_path / "good.safetensors", "peft")
    cut, other, pickled = (tmp_path / name for name in ("cut.safetensors", "other.safetensors", "a.ckpt"))
    cut.write_bytes(good.read_bytes()[:-8])
    save_file({"unet.down.lora.weight": torch.zeros(2, 2)}, other)
    pickled.write_bytes(b"")
    doras = []
    for number, (form, mark) in enumerate((("peft", "dora_scale"), ("peft", "lora_magnitude_vector"), ("kijai", "dora_scale"))):
        doras.append(written(tmp_path / f"dora{number}.safetensors", form))
        state = load_file(doras[-1])
        save_file({**state, f"{next(iter(state)).rpartition('.lora')[0]}.{mark}": torch.ones(WIDTH)}, doras[-1])
    kin = []
    for number, end in enumerate(("hada_w1_a", "lokr_w1", "lora_A.bias", "diff")):
        kin.append(written(tmp_path / f"kin{number}.safetensors", "peft"))
        save_file({**load_file(kin[-1]), f"transformer.blocks.0.attn1.to_q.{end}": torch.ones(WIDTH)}, kin[-1])
    for said, what in (
        (f"{wide}", "another family: its blocks.0.attn1.to_q is 40 to 24 wide, here it is 24 to 24"),
        (f"{deep}", "another model: here is no blocks.2.attn1.to_q"),
        (f"{good}:{wide}", "another family"),
        (f"{cut}", "cut short"),
        (f"{other}", "no LoRA for Wan"),
        (f"{pickled}", "only safetensors"),
        *((f"{dora}", "this is a DoRA") for dora in doras),  # of which diffusers would take a part
        *((f"{each}", r"blocks\.0\.attn1\.to_q\.\w+.* is no part of a LoRA") for each in kin),
        (f"{good}@strong", "no strength"),
        (f"{good}:{good}:{good}", "names no LoRA"),
        ("", "names no LoRA"),
        (str(tmp_path / "gone.safetensors"), "missing"),
    ):
        with pytest.raises(GenerationError, match=what) as caught:
            plain_model.with_loras([Lora.parse(said)])
        assert caught.value.exit_code == 2 and caught.value.mend
    single = Model.open(make_folder(tmp_path / "single", experts=1), tiny_family)
    with pytest.raises(GenerationError, match="has one expert"):
        single.with_loras([Lora.parse(f"{good}@1:0.5")])
    assert single.with_loras([Lora.parse(f"{good}@0.5")]).loras
