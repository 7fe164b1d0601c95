"""Speeds and presets: what is left out, what is forgotten, and on which noise levels few steps go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.footprint import Footprint
from generation.load import Model
from generation.memory import plan
from generation.request import ShotRequest
from generation.speed import SPEEDS, Speed
from generation.stages import open_stage

Requests = Callable[..., ShotRequest]


def shots(model: Model, requests: list[ShotRequest], people: list[Any] = ()) -> tuple[list[torch.Tensor], list[int]]:  # type: ignore[assignment]
    """The latents of shots made one after the other, and how often each expert's last block worked."""
    held: list[Any] = [{} for _ in requests]
    worked = []
    for name in ("encode", "layout", "detail"):
        with open_stage(name, model, "cpu") as stage:
            counts = [0]
            for place, request in enumerate(requests):
                if name != "encode" and stage.network is None:
                    stage._open()  # type: ignore[attr-defined]
                    stage.network.blocks[-1].ffn.register_forward_hook(lambda *_, counts=counts: counts.__setitem__(0, counts[0] + 1))
                held[place] = stage.run(request, people, held[place])
            worked.append(counts[0])
    return [each["latents"] for each in held], worked[1:]


@pytest.mark.parametrize("adapted", [False, True])
def test_what_changes_little_is_left_out(
    adapted: bool, model: Model, plain_model: Model, request_for: Requests, people: list[Any]
) -> None:
    own, who = (model, people) if adapted else (plain_model, ())
    one, other = request_for(steps=8), request_for(steps=8, seed=6, prompt="@tom waves.", characters=("mia", "tom"))
    exact, full = shots(own, [one, other], who)  # type: ignore[arg-type]
    assert sum(full) == 2 * 2 * 8
    none, counted = shots(replace(own, speed=Speed("cached", False, (0.0, 0.0))), [one, other], who)  # type: ignore[arg-type]
    assert counted == full and all(map(torch.equal, none, exact))
    most, counted = shots(replace(own, speed=Speed("cached", False, (9.0, 9.0))), [one, other], who)  # type: ignore[arg-type]
    assert counted == [2 * 2, 2 * 2]  # the first forward with the prompt and against it, of each shot, by each expert
    assert not torch.equal(most[0], exact[0]) and bool(torch.isfinite(most[0]).all())
    alone, _ = shots(replace(own, speed=Speed("cached", False, (9.0, 9.0))), [other], who)  # type: ignore[arg-type]
    assert torch.equal(alone[0], most[1])  # nothing of the shot before is remembered


def test_prompt_and_negative_have_their_own_memory(plain_model: Model, request_for: Requests) -> None:
    low = replace(plain_model, speed=Speed("cached", False, (9.0, 9.0)))
    unguided, counted = shots(low, [request_for(steps=8, guidance=(1.0, 1.0))])
    assert counted == [1, 1]
    guided, counted = shots(low, [request_for(steps=8, guidance=(1.0001, 1.0001))])
    assert counted == [2, 2] and torch.allclose(guided[0], unguided[0], atol=1e-2)


@pytest.mark.parametrize(("kind", "references", "ways"), [("WanPipeline", "tokens", 2), ("WanPipeline", "streams", 3)])
def test_guidance_is_taken_from_the_step_before(
    kind: str, references: str, ways: int, make_folder: Callable[..., Path], tiny_family: Any, request_for: Requests, tmp_path: Path
) -> None:
    import numpy as np

    family = replace(tiny_family, references=references, pictures=2 if references == "streams" else 0, pipeline=kind)
    model = Model.open(make_folder(tmp_path / "model", kind=kind), family)
    picture = np.full((32, 32, 3), 90, np.uint8)
    request = request_for(steps=8, pictures=((picture,), (picture,)) if references == "streams" else ())
    stages = ("encode", "references", "layout", "detail") if references == "streams" else ("encode", "layout", "detail")

    def made(speed: Speed) -> tuple[torch.Tensor, list[int]]:
        held: Any = {}
        counts: list[int] = []
        for name in stages:
            with open_stage(name, replace(model, speed=speed), "cpu") as stage:
                if name in ("layout", "detail"):
                    stage._open()  # type: ignore[attr-defined]
                    counts.append(0)

                    def count(*_: Any) -> None:
                        counts[-1] += 1

                    stage.network.register_forward_hook(count)
                held = stage.run(request, (), held)
        return held["latents"], counts

    every, full = made(Speed())
    second, fewer = made(Speed("cached", guided=2))
    steps = [count // ways for count in full]
    assert sum(steps) == 8 and fewer == [(ways - 1) * -(-count // 2) + count for count in steps]
    assert not torch.equal(second, every) and bool(torch.isfinite(second).all())
    assert torch.equal(second, made(Speed("cached", guided=2))[0])


def test_where_nothing_is_against_the_prompt_all_steps_are_made(plain_model: Model, request_for: Requests) -> None:
    request = request_for(steps=8, guidance=(1.0, 1.0))
    exact, full = shots(plain_model, [request])
    same, counted = shots(replace(plain_model, speed=Speed("cached", guided=2)), [request])
    assert counted == full and torch.equal(same[0], exact[0])


def test_half_is_bfloat16_where_the_processor_has_it(
    plain_model: Model, request_for: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = replace(plain_model, speed=Speed("cached", True, half=True))
    keys, found = set(), []
    for there in (True, False):
        monkeypatch.setattr("generation.speed.has_bfloat16", lambda there=there: there)
        footprint = Footprint.of(half)
        assert footprint
        planned = plan(footprint, (48, 32, 9), "cpu", 1 << 40, 1 << 40)
        with open_stage("layout", half, "cpu") as stage:
            assert planned.of("layout").precision == ("bf16" if there else "fp32")
            assert stage.dtype == (torch.bfloat16 if there else torch.float32)
            keys.add(stage.key(request_for(), (), ""))
        found.append(shots(half, [request_for()])[0][0])
    assert len(keys) == 2
    rounded = shots(replace(plain_model, speed=Speed("rounded", True)), [request_for()])[0][0]
    assert torch.equal(found[1], rounded)
    assert 0 < (found[0] - rounded).abs().mean() < 0.05 * rounded.abs().mean()


def test_rounding_is_all_that_another_order_changes(plain_model: Model, request_for: Requests) -> None:
    exact, _ = shots(plain_model, [request_for()])
    rounded, _ = shots(replace(plain_model, speed=Speed("rounded", True)), [request_for()])
    assert torch.allclose(rounded[0], exact[0], atol=1e-4) and not torch.equal(rounded[0], exact[0])


def test_a_cache_with_streams_pictures_and_one_expert(
    make_folder: Callable[..., Path], tiny_family: Any, request_for: Requests, tmp_path: Path, people: list[Any]
) -> None:
    import numpy as np

    model = Model.open(make_folder(tmp_path / "one", experts=1), replace(tiny_family, experts=1))
    _, counted = shots(replace(model, speed=Speed("cached", True, (9.0, 9.0))), [request_for(steps=8)])
    assert counted[0] == 2  # detail goes on with the network of layout, whose memory it does not take
    picture = np.full((32, 32, 3), 90, np.uint8)
    request = request_for(steps=8, pictures=((picture,), (picture,)))
    for kind, references in (("WanVACEPipeline", "pictures"), ("WanPipeline", "streams")):
        family = replace(tiny_family, references=references, pictures=2, pipeline=kind)
        own = replace(Model.open(make_folder(tmp_path / references, kind=kind), family), speed=Speed("cached", True, (9.0, 9.0)))
        held: Any = {}
        for name in ("encode", "references", "layout", "detail"):
            with open_stage(name, own, "cpu") as stage:
                held = stage.run(request, people, held)
        assert held["latents"].shape[2] == 3 and bool(torch.isfinite(held["latents"]).all())


def test_a_speed_is_part_of_a_key(plain_model: Model, request_for: Requests) -> None:
    keys = set()
    for name in SPEEDS:
        with open_stage("layout", replace(plain_model, speed=Speed.of(name, plain_model.family)), "cpu") as stage:
            keys.add(stage.key(request_for(), (), ""))
    assert len(keys) == 3
    footprint = Footprint.of(plain_model)
    assert footprint
    for how, left_out in (("whole", 0.05), ("streamed", None)):
        placed = plan(footprint, (48, 32, 9), "cpu", 1 << 40, 1 << 40)
        placed = replace(placed, stages=tuple(replace(each, how=how) for each in placed.stages))
        with open_stage("layout", replace(plain_model, plan=placed, speed=Speed("cached", True, (0.05, 0.05))), "cpu") as stage:
            assert stage._cache == left_out  # type: ignore[attr-defined]
    with pytest.raises(GenerationError, match='"fast" is no speed'):
        Speed.of("fast", plain_model.family)


def test_a_distilled_grid_is_exact(plain_folder: Path, request_for: Requests) -> None:
    family = FAMILIES["Wan2.2-T2V-A14B"]
    model = replace(Model.open(plain_folder, family), family=family).with_preset("lightning")
    assert (model.family.steps, model.family.guidance, model.family.shift) == (4, (1.0, 1.0), 5.0)
    scheduler = model.scheduler()
    scheduler.set_timesteps(4, device="cpu")
    assert scheduler.timesteps.tolist() == pytest.approx([1000, 937.5, 2500 / 3, 625], abs=1e-4)
    assert scheduler.sigmas.tolist() == pytest.approx([1, 0.9375, 2.5 / 3, 0.625, 0], abs=1e-6)
    assert sum(bool(time >= 875) for time in scheduler.timesteps) == 2
    with pytest.raises(GenerationError, match='has no preset "lightening"') as caught:
        model.with_preset("lightening")
    assert "lightning" in caught.value.mend
    with pytest.raises(GenerationError, match="toon has no preset"):
        FAMILIES["toon"].with_preset("lightning")


def test_a_shot_in_four_exact_steps(plain_model: Model, request_for: Requests) -> None:
    """By hand: Euler steps of the two experts on that grid."""
    family = replace(plain_model.family, presets=FAMILIES["Wan2.2-T2V-A14B"].presets)
    model = replace(plain_model, family=family).with_preset("lightning")
    request = request_for(steps=4, guidance=(1.0, 1.0))
    made, counted = shots(model, [request])
    assert counted == [2, 2]
    with open_stage("encode", model, "cpu") as stage:
        rows = stage.run(request, (), {})["prompt"]
    text = torch.cat([rows, rows.new_zeros(64 - len(rows), rows.shape[1])])[None]
    x = torch.randn((1, 16, 3, 4, 6), generator=torch.Generator().manual_seed(request.seed))
    levels = [1.0, 0.9375, 2.5 / 3, 0.625, 0.0]
    for step in range(4):
        expert = plain_model.network("transformer" if step < 2 else "transformer_2", torch.float32)
        with torch.no_grad():
            velocity = expert(x, torch.tensor([levels[step] * 1000]), text, return_dict=False)[0]
        x = x + (levels[step + 1] - levels[step]) * velocity
    assert torch.allclose(made[0], x, atol=1e-4)
