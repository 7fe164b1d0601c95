"""What models weigh, against the real classes on the meta device; and the plans that are made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generation import STAGES, GenerationError, Model, Placement, Plan, ShotRequest, StageError, open_stage, plan
from generation.families import FAMILIES
from generation.footprint import _T5, OFFICIAL, Footprint, transformer, umt5
from generation.memory import GB, RESERVE, setups, smaller


def counted(network: torch.nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_experts_weigh_what_is_published(name: str) -> None:
    from diffusers import WanTransformer3DModel

    config = OFFICIAL[name]["transformer"]
    with torch.device("meta"):
        network = WanTransformer3DModel(**config)
    found = transformer(config)
    assert found.parameters == counted(network) and found.block == counted(network.blocks[0])
    billions = {"Wan2.2-T2V-A14B": 14.29, "Wan2.2-I2V-A14B": 14.29, "Wan2.2-TI2V-5B": 5.00, "Wan2.1-T2V-1.3B": 1.42}
    assert round(found.parameters / 1e9, 2) == billions[name]


@pytest.mark.parametrize(
    "more",
    [
        {"image_dim": 80, "added_kv_proj_dim": 24},
        {"cross_attn_norm": False},
        {"patch_size": (1, 1, 1)},
        {"in_channels": 36},
    ],
)
def test_other_shapes_are_counted_too(more: dict[str, Any]) -> None:
    from diffusers import WanTransformer3DModel

    config = {
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "text_dim": 32,
        "ffn_dim": 40,
        "num_layers": 3,
        **more,
    }
    with torch.device("meta"):
        network = WanTransformer3DModel(**config)
    assert transformer(config).parameters == counted(network)


def test_vace_is_counted_with_its_side_branch() -> None:
    from diffusers import WanVACETransformer3DModel

    config = {
        **OFFICIAL["Wan2.2-T2V-A14B"]["transformer"],
        "vace_layers": [0, 5, 10, 15, 20, 25, 30, 35],
        "vace_in_channels": 96,
    }
    with torch.device("meta"):
        network = WanVACETransformer3DModel(**config)
    assert transformer(config).parameters == counted(network)
    assert round(transformer(config).parameters / 1e9, 2) == 17.34


def test_the_text_encoder_and_the_vaes() -> None:
    from diffusers import AutoencoderKLWan
    from transformers import UMT5Config, UMT5EncoderModel

    with torch.device("meta"):
        text = UMT5EncoderModel(UMT5Config(**_T5, feed_forward_proj="gated-gelu"))
        first = AutoencoderKLWan()
        second = AutoencoderKLWan(
            base_dim=160, decoder_base_dim=256, z_dim=48, dim_mult=[1, 2, 4, 4], temperal_downsample=[False, True, True],
            is_residual=True, patch_size=2, in_channels=12, out_channels=12, scale_factor_spatial=16,
        )  # fmt: skip
    assert umt5(_T5).parameters == counted(text)
    assert OFFICIAL["Wan2.2-T2V-A14B"]["vae_parameters"] == counted(first)
    assert OFFICIAL["Wan2.2-TI2V-5B"]["vae_parameters"] == counted(second)


def test_tokens_of_a_shot() -> None:
    a14b, small = (Footprint.of(FAMILIES[name]) for name in ("Wan2.2-T2V-A14B", "Wan2.2-TI2V-5B"))
    assert a14b and small
    assert a14b.tokens(1280, 720, 81) == 75_600 and a14b.tokens(832, 480, 81) == 32_760
    assert small.tokens(1280, 704, 121) == 27_280


def test_reference_pictures_are_counted_as_many_as_a_shot_may_have() -> None:
    fun, small, bernini, plain = (
        Footprint.of(FAMILIES[name]) for name in ("Wan2.2-VACE-Fun-A14B", "Wan2.1-VACE-1.3B", "Bernini-R", "Wan2.2-T2V-A14B")
    )
    assert fun and small and bernini and plain
    size, frame = (832, 480, 81), 52 * 30
    assert fun.sequence(*size) == small.sequence(*size) == (21 + 4) * frame  # a latent frame each
    assert fun.sequence(832, 480, 5) == (2 + 3) * frame  # one of each of three characters, however short the shot
    assert bernini.sequence(848, 480, 81) == 21 * 53 * 30 + 6 * 53 * 53  # each may be a square as large as fits
    assert plain.sequence(*size) == plain.tokens(*size) == 21 * frame
    for each in (fun, small, bernini):
        alone = replace(each, family=None, sides=0).working(*size, 2)
        assert each.working(*size, 2) > alone * each.sequence(*size) / each.tokens(*size) * 0.999
    # What the side branch found waits for its block of the others.
    assert fun.working(*size, 2) == fun.sequence(*size) * 5120 * (30 + 9 * 2)
    known, said = plan(fun, size, "cuda", 80 * GB, 128 * GB), "832x480, 81 frames beside up to 4 reference pictures, with"
    assert known.pictures == 4 and said in str(known) and "beside" not in str(plan(plain, size, "cuda", 80 * GB, 128 * GB)).split(",")[1]
    assert known.of("layout").peak > plan(replace(fun, family=None), size, "cuda", 80 * GB, 128 * GB).of("layout").peak


@pytest.mark.parametrize(("references", "kind"), [("pictures", "WanVACEPipeline"), ("streams", "WanPipeline")])
def test_an_expert_sees_no_more_tokens_than_were_counted(
    references: str, kind: str, make_folder: Callable[..., Path], tiny_family: Any, request_for: Callable[..., ShotRequest], tmp_path: Path
) -> None:
    family = replace(tiny_family, references=references, pictures=4)
    model = Model.open(make_folder(tmp_path / "model", kind=kind), family)
    footprint, seen = Footprint.of(model), []
    assert footprint
    picture = np.full((64, 64, 3), 90, np.uint8)
    request = request_for(steps=1, pictures=((picture,) * 2, (picture,)))  # nine frames have room for three
    assert sum(map(len, request.pictures)) == footprint.pictures(9) == sum(family.picture_counts(2, 9))
    held: dict[str, torch.Tensor] = {}
    for name in ("encode", "references", "layout"):
        with open_stage(name, model, "cpu") as stage:
            if name == "layout":
                stage._open()  # type: ignore[attr-defined]
                stage.network.blocks[-1].attn1.to_q.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[1]))
            held = stage.run(request, (), held)
    assert max(seen) == footprint.sequence(48, 32, 9)


def made(card: int, size: tuple[int, int, int] = (832, 480, 81), name: str = "Wan2.2-T2V-A14B", host: int = 64) -> Plan:
    footprint = Footprint.of(FAMILIES[name])
    assert footprint
    return plan(footprint, size, "cuda", card * GB, host * GB, name=name)


@pytest.mark.parametrize("card", [80, 48, 24, 16, 12, 8])
def test_a14b_fits_every_card(card: int) -> None:
    found = made(card)
    assert found.peak + RESERVE <= card * GB and found.host_peak <= 64 * GB
    assert found.of("layout").how == ("whole" if card >= 48 else "streamed")
    assert "layout: bf16" in str(found) and f"{card}.0 GB free on the card" in str(found)


def test_less_of_the_hosts_memory_makes_it_go_another_way() -> None:
    assert str(made(24, host=64).of("layout")) == "layout: bf16, blocks streamed from memory"
    with pytest.raises(GenerationError, match="of the host's memory"):
        made(24, host=10)
    assert made(80, (1280, 720, 81)).of("decode").how == "whole" and made(8).of("decode").how in ("whole", "tiled")


def test_what_cannot_fit_is_refused_with_what_would() -> None:
    with pytest.raises(
        GenerationError, match=r"Wan2\.2-T2V-A14B cannot make 1280x720 with 81 frames here: layout needs"
    ) as caught:
        made(8, (1280, 720, 81))
    frames = int(caught.value.mend.split()[0])
    assert frames < 81 and made(8, (1280, 720, frames)).peak <= 8 * GB
    with pytest.raises(GenerationError, match="at least") as caught:
        made(1, (1280, 720, 81))
    assert "smaller model" in caught.value.mend


def test_experts_wait_aside_only_where_there_is_room() -> None:
    footprint = Footprint.of(FAMILIES["Wan2.2-T2V-A14B"])
    assert footprint
    size = (832, 480, 81)
    assert plan(footprint, size, "cuda", 80 * GB, 128 * GB, rounds=True).aside
    assert not plan(footprint, size, "cuda", 80 * GB, 64 * GB, rounds=True).aside
    assert not plan(footprint, size, "cuda", 80 * GB, 128 * GB).aside


@pytest.mark.parametrize("how", ["whole", "tiled"])
def test_however_it_is_held_the_shot_is_the_same(
    how: str, plain_model: Model, request_for: Callable[..., ShotRequest]
) -> None:
    def film(model: Model) -> dict[str, torch.Tensor]:
        held: dict[str, torch.Tensor] = {}
        for stage in STAGES:
            with open_stage(stage, model, "cpu") as opened:
                held = opened.run(request_for(), (), held)
        return held

    spots = tuple(Placement(stage, "fp32", how if stage == "decode" else "whole", 0, 0, "") for stage in STAGES)
    laid = replace(plain_model, plan=Plan("cpu", 0, 0, (48, 32, 9), spots, False))
    plain, held = film(plain_model)["frames"], film(laid)["frames"]
    assert torch.equal(plain, held) and plain.float().std() > 1  # it is smaller than a tile


@pytest.mark.parametrize("name", sorted(OFFICIAL))
@pytest.mark.parametrize("card", [80, 24, 12])
def test_what_is_named_when_memory_ran_out_leads_to_a_smaller_set_up(name: str, card: int) -> None:
    footprint = Footprint.of(FAMILIES[name])
    assert footprint
    size, led = (*FAMILIES[name].sizes[0], FAMILIES[name].max_frames), []
    now = plan(footprint, size, "cuda", card * GB, 64 * GB)
    for stage in (*STAGES, "references"):
        way, enough = smaller(footprint, now, stage) or (None, 0)
        if way is None:
            continue
        try:
            then = plan(footprint, size, "cuda", enough, 64 * GB).of(stage)
        except GenerationError:
            continue  # another stage cannot do with so little, and the refusal says what would fit
        assert then.peak <= way.peak < now.of(stage).peak
        led.append(stage)
    assert card < 80 or {"layout", "detail"} <= set(led)
    # On a CPU nothing is smaller than an expert, however the pictures are decoded.
    assert smaller(footprint, plan(footprint, size, "cpu", 200 * GB, 200 * GB), "decode") is None


def test_a_quantised_expert_is_planned_as_small_as_it_is() -> None:
    family = FAMILIES["Wan2.2-T2V-A14B"]
    footprint = Footprint.of(family)
    assert footprint
    small, size = replace(footprint, quantised=int(9.65 * GB)), (832, 480, 81)  # Q4_K_M, as it is published
    now, then = (plan(each, size, "cuda", 24 * GB, 64 * GB).of("layout") for each in (footprint, small))
    assert (now.how, then.how, then.precision) == ("streamed", "whole", "gguf") and then.host == int(9.65 * GB)
    assert "layout: gguf, whole" in str(plan(small, size, "cuda", 24 * GB, 64 * GB))
    tight = plan(small, size, "cuda", 8 * GB, 16 * GB)
    assert tight.of("layout").how == "streamed" and tight.of("encode").precision == "bf16"
    assert {way.precision for way in setups(small, "detail", size, "cuda")} == {"gguf"}


def test_memory_that_runs_out_names_the_next_set_up(plain_model: Model) -> None:
    footprint = Footprint.of(plain_model)
    assert footprint
    size = (48, 32, 9)
    laid = replace(plain_model, plan=plan(footprint, size, "cuda", 8 * GB, 8 * GB))
    for error in (MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")):
        with pytest.raises(StageError, match="memory ran out") as caught, open_stage("detail", laid):
            raise error
        assert caught.value.exit_code == 1
        # Two blocks are streamed both at once: only fp8 is smaller.
        assert "detail: fp8, blocks streamed from memory: render again with --memory" in caught.value.mend
    alone = replace(plain_model, plan=plan(footprint, size, "cpu", 8 * GB, 8 * GB))
    with pytest.raises(StageError, match="memory ran out") as caught, open_stage("detail", alone):
        raise MemoryError
    assert "What is finished is kept" in caught.value.mend
    with pytest.raises(RuntimeError, match="else"), open_stage("detail", laid):
        raise RuntimeError("something else")
