"""What the libraries do in silence where pictures stand beside the shot: side branches, foreign tokens, weights that come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generation import Model, Placement, Plan, ShotRequest, open_stage
from generation.family import Family
from generation.speed import Speed

Requests = Callable[..., ShotRequest]
KINDS = {"pictures": "WanVACEPipeline", "streams": "WanPipeline", "keyframe": "WanImageToVideoPipeline"}


def drawn(seed: int, height: int = 40, width: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A tiny model of each kind of references."""
    make, family = request.getfixturevalue("make_folder"), request.getfixturevalue("tiny_family")
    return Model.open(make(tmp_path_factory.mktemp("models") / request.param, kind=KINDS[request.param]), kind_of(family, request.param))


def kind_of(family: Family, references: str) -> Family:
    return replace(family, references=references, pictures=4, channels=36 if references == "keyframe" else 16)


def asked(model: Model, request_for: Requests, **more: Any) -> ShotRequest:
    """A shot with all that the model's family takes, a step for each expert."""
    more = {"steps": 2, **more}
    if model.family.references == "keyframe":
        return request_for(first_frame=drawn(3, 32, 48), **more)
    return request_for(pictures=((drawn(1),), (drawn(2, 24, 40),)), **more)


def film(model: Model, request: ShotRequest, people: Any = ()) -> torch.Tensor:
    """The latents of a shot."""
    held: dict[str, torch.Tensor] = {}
    for name in ("encode", "references", "layout", "detail"):
        with open_stage(name, model, "cpu") as stage:
            held = stage.run(request, people, held)
    return held["latents"]


def placed(model: Model, precision: str, how: str) -> Model:
    """The model with its experts held so, on a CPU."""
    spots = tuple(
        Placement(stage, *((precision, how) if stage in ("layout", "detail") else ("fp32", "whole")), 0, 0, "")
        for stage in ("encode", "layout", "detail", "decode")
    )
    return replace(model, plan=Plan("cpu", 0, 0, (48, 32, 9), spots, False))


def test_blocks_that_come_and_go_change_nothing(
    model: Model, request_for: Requests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offloaded to disk, weights are nowhere but in the network's own forward, as on a card they are not on the card: whoever asks a
    layer of it before gets noise."""
    import diffusers.hooks

    request = asked(model, request_for)
    whole = film(model, request)
    stock, folders = diffusers.hooks.apply_group_offloading, iter((tmp_path / "high", tmp_path / "low"))
    monkeypatch.setattr(
        diffusers.hooks, "apply_group_offloading", lambda *args, **how: stock(*args, **how, offload_to_disk_path=str(next(folders)))
    )
    again = film(placed(model, "fp32", "streamed"), request)
    assert torch.allclose(again, whole, atol=1e-4)  # read anew, weights lie otherwise in memory, so sums may be rounded otherwise


def test_held_in_eight_bits_they_still_make_numbers(model: Model, request_for: Requests) -> None:
    request = asked(model, request_for)
    narrow, whole = (film(each, request) for each in (placed(model, "fp8", "whole"), model))
    assert not torch.equal(narrow, whole) and (narrow - whole).abs().mean() < whole.std() / 2


def test_a_short_text_is_as_the_padded_one_everywhere(model: Model, request_for: Requests) -> None:
    """VACE's side branch reads the text too, in attention of its own: there the one row for all the padding must weigh as much."""
    request = asked(model, request_for)
    exact, short = (film(each, request) for each in (model, replace(model, speed=Speed("rounded", True))))
    assert torch.allclose(short, exact, atol=1e-4) and not torch.equal(short, exact)


def test_a_side_branch_gets_its_attention_back(make_loud_adapter: Callable[..., Any], make_transformer: Callable[..., Any]) -> None:
    network = make_transformer(vace=True)
    kinds = [type(block.attn2.processor) for block in (*network.blocks, *network.vace_blocks)]
    adapter = make_loud_adapter(network).attach(network)
    assert all(type(block.attn2.processor) not in kinds for block in (*network.blocks, *network.vace_blocks))
    adapter.detach(network)
    assert kinds == [type(block.attn2.processor) for block in (*network.blocks, *network.vace_blocks)]
