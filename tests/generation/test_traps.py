"""What the libraries do in silence, or not in the order in which it is written down: each held against what is meant."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation import STAGES, GenerationError, Lora, Model, Placement, Plan, ShotRequest, open_stage, plan
from generation.families import FAMILIES
from generation.family import Family
from generation.footprint import OFFICIAL, Footprint
from generation.memory import GB

sys.path.insert(0, str(Path(__file__).parent))
from experts import in_one_file

Requests = Callable[..., ShotRequest]


@pytest.fixture
def copy(plain_folder: Path, tmp_path: Path) -> Path:
    """A model folder to change."""
    shutil.copytree(plain_folder, tmp_path / "model")
    return tmp_path / "model"


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def film(model: Model, request: ShotRequest, people: Any = (), last: str = "detail") -> dict[str, torch.Tensor]:
    """The artefact of a shot's stage `last`."""
    held: dict[str, torch.Tensor] = {}
    for stage in STAGES[: STAGES.index(last) + 1]:
        with open_stage(stage, model, "cpu") as opened:
            held = opened.run(request, people, held)
    return held


def placed(model: Model, precision: str, how: str, encode: str = "whole") -> Model:
    """The model with its experts held so, on a CPU."""
    spots = tuple(
        Placement(stage, precision if stage in ("layout", "detail") else "fp32", {"encode": encode, "decode": "whole"}.get(stage, how), 0, 0, "")
        for stage in STAGES
    )
    return replace(model, plan=Plan("cpu", 0, 0, (48, 32, 9), spots, False))


def test_word_embeddings_that_are_tied_or_lost(copy: Path, tiny_family: Family) -> None:
    """Official files hold shared.weight alone and say that nothing is tied; early versions of transformers 5 then read zeros."""
    part = copy / "text_encoder"
    state = load_file(part / "model.safetensors")
    words = next(name for name in ("shared.weight", "encoder.embed_tokens.weight") if name in state)
    table = state.pop(words)
    save_file({**state, "shared.weight": table}, part / "model.safetensors", {"format": "pt"})
    change(part / "config.json", tie_word_embeddings=False)
    network = Model.open(copy, tiny_family).network("text_encoder", torch.float32)
    assert torch.equal(network.encoder.embed_tokens.weight, table) and not network.training  # T5 has dropout
    save_file({**state, "shared.weight": table * 0}, part / "model.safetensors", {"format": "pt"})
    with pytest.raises(GenerationError, match="the word embeddings are all zero"):
        Model.open(copy, tiny_family).network("text_encoder", torch.float32)


def test_a_branch_for_pictures_that_has_no_weights(copy: Path, tiny_family: Family) -> None:
    """Early copies of the 5B's configuration promise one: diffusers leaves it without numbers and goes on."""
    change(copy / "transformer" / "config.json", image_dim=20, added_kv_proj_dim=24)
    with pytest.raises(GenerationError, match="weights are not in the file") as caught:
        Model.open(copy, tiny_family).network("transformer", torch.float32)
    assert caught.value.mend


def test_what_must_stay_in_full_precision_does(plain_model: Model) -> None:
    network = plain_model.network("transformer", torch.bfloat16)
    full = {name.rpartition(".")[0] for name, weight in network.named_parameters() if weight.dtype == torch.float32}
    assert {"", "blocks.0", "blocks.0.norm2", "condition_embedder.time_embedder.linear_1"} <= full  # "": scale_shift_table
    assert network.blocks[0].attn1.to_q.weight.dtype == torch.bfloat16 and not network.training


@pytest.mark.parametrize(("guidance", "forwards"), [((1.0, 4.0), (1, 2)), ((4.0, 1.0), (2, 1)), ((1.0, 1.0), (1, 1))])
def test_each_expert_is_guided_by_its_own_number(
    guidance: tuple[float, float], forwards: tuple[int, int], plain_model: Model, request_for: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stock pipeline asks the high-noise one's for both."""
    counts = dict.fromkeys(("transformer", "transformer_2"), 0)
    stock = Model.network

    def counted(model: Model, part: str, dtype: torch.dtype) -> Any:
        network = stock(model, part, dtype)
        if part in counts:
            network.proj_out.register_forward_hook(lambda *_: counts.__setitem__(part, counts[part] + 1))
        return network

    monkeypatch.setattr(Model, "network", counted)
    request = request_for(guidance=guidance)
    made = film(plain_model, request)
    scheduler = plain_model.scheduler()
    scheduler.set_timesteps(request.steps)
    high = int((scheduler.timesteps >= 875).sum())
    assert tuple(counts.values()) == (forwards[0] * high, forwards[1] * (request.steps - high)) and 0 < high < request.steps
    assert bool(torch.isfinite(made["latents"]).all())


def test_blocks_that_come_and_go_change_nothing(model: Model, request_for: Requests, people: list[Any]) -> None:
    """Group offloading knows the blocks before an adapter is attached to them, and looks for T5's blocks in the wrong place."""
    whole = film(model, request_for(), people)["latents"]
    assert torch.equal(whole, film(placed(model, "fp32", "streamed", "streamed"), request_for(), people)["latents"])


def test_quantised_blocks_come_and_go_too(copy: Path, tiny_family: Family, request_for: Requests) -> None:
    shape = {"layers": 2, "width": 24, "heads": 2, "ffn": 32, "text_width": 32}
    model = Model.open(in_one_file(copy, "gguf"), replace(tiny_family, **shape))
    footprint = Footprint.of(model)
    assert footprint and footprint.quantised == model.files["transformer"][-1].stat().st_size
    assert torch.equal(film(model, request_for())["latents"], film(placed(model, "gguf", "streamed"), request_for())["latents"])


def test_a_lora_is_there_before_the_weights_are_narrow(plain_model: Model, request_for: Requests, tmp_path: Path) -> None:
    """Into float8 no LoRA fits; and what is held in it is another artefact."""
    draw = torch.Generator().manual_seed(1)
    sides = {"lora_A": torch.randn(2, 24, generator=draw), "lora_B": torch.randn(24, 2, generator=draw)}
    file = tmp_path / "lora.safetensors"
    blocks = [f"diffusion_model.blocks.{number}.self_attn.{part}" for number in (0, 1) for part in "qv"]
    save_file({f"{block}.{side}.weight": each.clone() for block in blocks for side, each in sides.items()}, file)
    changed = plain_model.with_loras([Lora.parse(str(file))])
    exact, plain = (film(each, request_for())["latents"] for each in (changed, plain_model))
    narrow = placed(changed, "fp8", "whole")
    with open_stage("layout", narrow, "cpu") as stage, open_stage("layout", changed, "cpu") as other:
        assert stage.key(request_for(), ()) != other.key(request_for(), ())
        stage._open()  # type: ignore[attr-defined]
        kept = {name: each.dtype for name, each in stage.network.named_parameters()}
        assert kept["blocks.0.attn1.to_q.weight"] == torch.float8_e4m3fn and kept["blocks.0.scale_shift_table"] == torch.float32
    found = film(narrow, request_for())["latents"]
    assert (found - exact).abs().mean() < (plain - exact).abs().mean() / 2  # the LoRA is in it


def test_an_adapter_is_not_narrowed(model: Model, request_for: Requests, people: list[Any]) -> None:
    with open_stage("layout", placed(model, "fp8", "whole"), "cpu") as stage:
        stage._open()  # type: ignore[attr-defined]
        assert all(each.dtype == torch.float32 for each in stage.adapter.parameters())  # type: ignore[attr-defined]
    assert bool(torch.isfinite(film(placed(model, "fp8", "whole"), request_for(), people)["latents"]).all())


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_text_encoder_is_never_held_in_fp8(name: str) -> None:
    """UMT5 casts by the type of its weights and breaks."""
    footprint, found = Footprint.of(FAMILIES[name]), []
    assert footprint
    for card in (80, 48, 24, 16, 12, 8):
        try:
            found.append(plan(footprint, (*FAMILIES[name].sizes[0], 9), "cuda", card * GB, 64 * GB))
        except GenerationError:
            continue
    assert found and all(each.of("encode").precision == "bf16" for each in found)


def test_another_attention_backend_beside_the_adapter(model: Model, request_for: Requests, people: list[Any]) -> None:
    """A processor without the library's own marks breaks there."""
    with open_stage("encode", model, "cpu") as stage:
        words = stage.run(request_for(), people, {})
    found = []
    for backend in ("native", "_native_math"):
        with open_stage("layout", model, "cpu") as stage:
            stage._open()  # type: ignore[attr-defined]
            stage.network.set_attention_backend(backend)
            found.append(stage.run(request_for(), people, words)["latents"])
    assert torch.allclose(*found, atol=1e-4)


def test_tiles_are_another_artefact(plain_model: Model, request_for: Requests) -> None:
    """They change pixels."""
    keys = set()
    for how in ("whole", "tiled"):
        laid = placed(plain_model, "fp32", "whole")
        assert laid.plan
        spots = tuple(replace(each, how=how) if each.stage == "decode" else each for each in laid.plan.stages)
        with open_stage("decode", replace(laid, plan=replace(laid.plan, stages=spots)), "cpu") as stage:
            keys.add(stage.key(request_for(), (), "before"))
    assert len(keys) == 2


def test_every_class_of_tokenizer_reads_the_same(copy: Path, tiny_family: Family) -> None:
    """transformers 5 saves a plain fast tokenizer under a name of its own."""
    text, found = "character1 waves on the left .", []
    for name in ("T5TokenizerFast", "T5Tokenizer", "PreTrainedTokenizerFast", "TokenizersBackend"):
        change(copy / "model_index.json", tokenizer=["transformers", name])
        found.append(Model.open(copy, tiny_family).tokenizer()(text).input_ids)
    assert found[0] and all(each == found[0] for each in found)


@pytest.mark.parametrize("ending", ["", "safetensors", "gguf"])
def test_nothing_is_asked_of_a_hub(ending: str, copy: Path, tiny_family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configuration, a single file would be taken for a Wan2.1 of the hub."""
    if ending:
        in_one_file(copy, ending)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)

    def refused(*_: Any) -> Any:
        raise AssertionError("somebody asked the network")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    shape = {"layers": 2, "width": 24, "heads": 2, "ffn": 32, "text_width": 32}
    model = Model.open(copy, replace(tiny_family, **shape))
    for part in ("text_encoder", "transformer", "transformer_2", "vae"):
        assert next(model.network(part, torch.float32).parameters()).device.type == "cpu"
    assert model.tokenizer() and model.scheduler()
