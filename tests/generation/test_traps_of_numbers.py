"""What depends on the kind of scheduler, on precision and on rows of text, without a word when it goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generation import Model, ShotRequest, open_stage
from generation.family import Family
from generation.speed import Speed
from generation.stage import LIBRARIES

Requests = Callable[..., ShotRequest]


@pytest.mark.parametrize("name", ["decode", "references"])
def test_the_vae_is_in_full_precision_on_a_card_too(name: str, plain_model: Model) -> None:
    """In half of it colours come in bands. The experts are not."""
    model = replace(plain_model, family=replace(plain_model.family, references="pictures", pictures=4))
    with open_stage(name, model, "cuda") as stage, open_stage("layout", model, "cuda") as other:
        assert (stage.dtype, other.dtype) == (torch.float32, torch.bfloat16)  # type: ignore[attr-defined]


def test_the_familys_shift_counts_in_either_kind_of_scheduler(
    make_folder: Callable[..., Path], tiny_family: Family, tmp_path: Path
) -> None:
    """One calls it flow_shift, the other shift; a name that it does not know a scheduler takes and forgets."""
    from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

    unipc = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=12.0)
    for euler, stock in ((True, FlowMatchEulerDiscreteScheduler(shift=12.0)), (False, unipc)):
        folder = make_folder(tmp_path / f"{euler}", euler=euler)  # whose own shift is 5
        scheduler = Model.open(folder, replace(tiny_family, shift=12.0)).scheduler()
        for each in (scheduler, stock):
            each.set_timesteps(40)
        assert type(scheduler) is type(stock) and torch.equal(scheduler.timesteps, stock.timesteps)


@pytest.mark.parametrize("speed", ["exact", "rounded"])
def test_a_branch_for_pictures_that_nothing_is_asked_of(
    speed: str, plain_folder: Path, tiny_family: Family, request_for: Requests, tmp_path: Path
) -> None:
    """With one, stock attention takes all but the last 512 rows of a text for pictures, however many there are."""
    import shutil

    import diffusers

    folder = tmp_path / "model"
    shutil.copytree(plain_folder, folder)
    for part in ("transformer", "transformer_2"):
        plain = diffusers.WanTransformer3DModel.from_pretrained(folder / part)
        torch.manual_seed(1)
        more = diffusers.WanTransformer3DModel.from_config({**plain.config, "image_dim": 20, "added_kv_proj_dim": 24})
        more.load_state_dict(plain.state_dict(), strict=False)
        more.save_pretrained(folder / part)
        assert json.loads((folder / part / "config.json").read_text())["image_dim"] == 20
    films = []
    for place, length in ((plain_folder, 512), (folder, 512), (folder, 64)):
        model = replace(Model.open(place, replace(tiny_family, text_length=length)), speed=Speed.of(speed, tiny_family))
        held: dict[str, Any] = {}
        for name in ("encode", "layout", "detail"):
            with open_stage(name, model, "cpu") as stage:
                held = stage.run(request_for(steps=2), (), held)
        films.append(held["latents"])
    assert torch.allclose(films[0], films[1], atol=1e-4) and bool(torch.isfinite(films[2]).all())


def test_what_changes_a_prompt_is_part_of_a_key(
    plain_model: Model, request_for: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ftfy mends text where it is there, so another version of it may read another prompt."""
    keys = set()
    for version in ("6.3.1", "7.0"):
        monkeypatch.setattr("generation.stage._versions", lambda version=version: {**dict.fromkeys(LIBRARIES, "1"), "ftfy": version})
        with open_stage("encode", plain_model, "cpu") as stage:
            keys.add(stage.key(request_for(), ()))
    assert len(keys) == 2 and "ftfy" in LIBRARIES
