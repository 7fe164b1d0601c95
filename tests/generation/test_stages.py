"""The four stages against the stock pipeline, bit for bit, and what the artefacts and keys promise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from generation import STAGES, GenerationError, Model, ShotRequest, StageError, VoiceTrack, open_stage, preview
from generation.family import Family

Requests = Callable[..., ShotRequest]
STOCK_PROMPT = "wide shot, character1 waves on the left. character2 walks."


def film(model: Model, request: ShotRequest, people: Sequence[Any] = ()) -> dict[str, dict[str, Tensor]]:
    """The artefact of each stage, one stage after another."""
    return films(model, [(request, people)])[0]


def films(model: Model, jobs: list[tuple[ShotRequest, Sequence[Any]]]) -> list[dict[str, dict[str, Tensor]]]:
    """Several requests the way a render makes them: each stage is opened once, for all."""
    made: list[dict[str, dict[str, Tensor]]] = [{"": {}} for _ in jobs]
    for before, name in zip(("", *STAGES), STAGES, strict=False):
        with open_stage(name, model, "cpu") as stage:
            for artefacts, (request, people) in zip(made, jobs, strict=True):
                artefacts[name] = stage.run(request, people, artefacts[before])
    return made


def stock(folder: Path, request: ShotRequest, **more: Any) -> tuple[Tensor, np.ndarray]:
    """Latents and uint8 frames of diffusers' own pipeline for the same request."""
    from diffusers import WanPipeline

    pipeline = WanPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if pipeline.config.boundary_ratio is not None:
        more["guidance_scale_2"] = request.guidance[1]
    out = [
        pipeline(
            prompt=STOCK_PROMPT,
            negative_prompt=request.negative_prompt,
            height=request.height,
            width=request.width,
            num_frames=request.frames,
            num_inference_steps=request.steps,
            guidance_scale=request.guidance[0],
            generator=torch.Generator().manual_seed(request.seed),
            output_type=kind,
            **more,
        ).frames
        for kind in ("latent", "np")
    ]
    return out[0], (out[1][0] * 255).round().astype(np.uint8)


def assert_stock(model: Model, request: ShotRequest, people: Sequence[Any] = (), **more: Any) -> None:
    latents, frames = stock(model.folder, request, **more)
    ours = film(model, request, people)
    assert torch.equal(ours["detail"]["latents"], latents)
    assert np.array_equal(ours["decode"]["frames"].numpy(), frames)
    assert frames.shape == (request.frames, request.height, request.width, 3) and frames.std() > 1


def test_without_an_adapter_it_is_the_stock_pipeline(plain_model: Model, request_for: Requests) -> None:
    assert_stock(plain_model, request_for(), max_sequence_length=64)


def test_at_scale_zero_it_is_the_stock_pipeline(
    model: Model, request_for: Requests, people: list[Any], voice: VoiceTrack
) -> None:
    request = request_for(identity_scale=(0.0, 0.0), voice=voice)
    assert_stock(model, request, people, max_sequence_length=64)


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance": (1.0, 1.0)},
        {"frames": 1, "seed": 11},
        {"steps": 2},
        {"steps": 1},
        {"steps": 13, "width": 32},
    ],
)
def test_stock_whatever_is_asked(plain_model: Model, request_for: Requests, changes: dict[str, Any]) -> None:
    assert_stock(plain_model, request_for(**changes), max_sequence_length=64)


@pytest.mark.parametrize(
    "kind",
    [{"residual": True}, {"euler": True}, {"experts": 1}, {"experts": 1, "expand": True}],
    ids=["residual VAE", "Euler", "one expert", "a timestep for each token"],
)
def test_stock_in_its_other_shapes(
    kind: dict[str, Any], make_folder: Callable[..., Path], tiny_family: Family, request_for: Requests, tmp_path: Path
) -> None:
    model = Model.open(make_folder(tmp_path / "model", **kind), tiny_family)
    assert_stock(model, request_for(guidance=(4.0, 4.0)), max_sequence_length=64)


def test_stock_with_its_own_defaults(plain_folder: Path, tiny_family: Family, request_for: Requests) -> None:
    """512 rows of text, and the flow shift of a family that has its own."""
    from diffusers import UniPCMultistepScheduler, WanPipeline

    model = Model.open(plain_folder, replace(tiny_family, text_length=512))
    assert_stock(model, request_for())
    shifted = Model.open(plain_folder, replace(tiny_family, shift=12.0)).scheduler()
    pipeline = WanPipeline.from_pretrained(plain_folder)
    expected = UniPCMultistepScheduler.from_config(pipeline.scheduler.config, flow_shift=12.0)
    for scheduler in (shifted, expected):
        scheduler.set_timesteps(10)
    assert torch.equal(shifted.timesteps, expected.timesteps)


def test_characters_change_the_shot(
    model: Model, request_for: Requests, people: list[Any], make_person: Callable[[int], Any], voice: VoiceTrack
) -> None:
    jobs: list[tuple[ShotRequest, Sequence[Any]]] = [
        (request_for(), people),
        (request_for(), [people[0], make_person(9)]),
        (request_for(), people[::-1]),
        (request_for(voice=voice), people),
        (request_for(identity_scale=(1.0, 0.0)), people),
        (request_for(identity_scale=(0.0, 1.0)), people),
        (request_for(), people),
    ]
    first, *others, again = [one["decode"]["frames"] for one in films(model, jobs)]
    assert torch.equal(first, again)  # whatever was made in between
    assert not any(torch.equal(first, other) for other in others)


def test_the_adapter_with_nobody_is_stock_to_rounding(model: Model, request_for: Requests, people: list[Any]) -> None:
    """Then only the short form of the text differs."""
    request = request_for(prompt=STOCK_PROMPT, characters=())
    off = film(model, replace(request, identity_scale=(0.0, 0.0)))["detail"]["latents"]
    on = film(model, request)["detail"]["latents"]
    assert torch.allclose(on, off, atol=1e-4)


CHILD = """
import sys
from pathlib import Path
from safetensors.torch import load_file, save_file
from generation import Model, ShotRequest, open_stage
from generation.family import Family

folder, family, request, before, after = sys.argv[1:]
model = Model.open(Path(folder), eval(family))
with open_stage("detail", model, "cpu") as stage:
    save_file(stage.run(eval(request), (), load_file(before)), after)
"""


def test_a_prompt_that_fills_the_text(model: Model, request_for: Requests, people: list[Any]) -> None:
    request = request_for(prompt="@mia @tom " + "waves on the left " * 80)
    artefacts = film(model, request, people)
    assert len(artefacts["encode"]["prompt"]) == model.family.text_length
    assert artefacts["decode"]["frames"].shape[0] == request.frames


def test_another_process_finishes_a_layout(plain_model: Model, request_for: Requests, tmp_path: Path) -> None:
    request = request_for()
    whole = film(plain_model, request)
    before, after = tmp_path / "layout.safetensors", tmp_path / "detail.safetensors"
    save_file(whole["layout"], before)
    words = [str(plain_model.folder), repr(plain_model.family), repr(request), str(before), str(after)]
    subprocess.run([sys.executable, "-c", CHILD, *words], check=True, cwd=Path(__file__).parents[2])
    assert torch.equal(load_file(after)["latents"], whole["detail"]["latents"])


def test_a_layout_can_be_looked_at(plain_model: Model, request_for: Requests) -> None:
    request = request_for()
    layout = film(plain_model, request)["layout"]
    with open_stage("decode", plain_model, "cpu") as stage:
        frames = stage.run(request, (), preview(layout))["frames"]
    assert frames.shape == (9, 32, 48, 3)


def test_the_high_noise_expert_does_its_native_share(plain_folder: Path, tiny_family: Family, request_for: Requests) -> None:
    """40 steps at the A14B's shift of 12: 26 of them, where the folder's own shift would give fewer."""
    model = Model.open(plain_folder, replace(tiny_family, shift=12.0))
    request = request_for(steps=40, frames=1, width=32, guidance=(1.0, 1.0))
    counts: dict[str, int] = {}
    artefact: dict[str, Tensor] = {}
    for name in ("encode", "layout", "detail"):
        with open_stage(name, model, "cpu") as stage:
            artefact = stage.run(request, (), artefact, lambda done, total, name=name: counts.__setitem__(name, total))
    assert counts == {"encode": 1, "layout": 26, "detail": 14}


def test_one_network_at_a_time(model: Model, request_for: Requests, people: list[Any]) -> None:
    request = request_for()
    steps: list[tuple[int, int]] = []
    with open_stage("encode", model, "cpu") as stage:
        assert stage.network is None and len(stage.key(request, people)) == 64
        assert stage.network is None  # a key loads nothing
        text = stage.run(request, people, {})
        assert type(stage.network).__name__ == "UMT5EncoderModel"
    assert stage.network is None
    with open_stage("layout", model, "cpu") as stage:
        stage.run(request, people, text, on_step=lambda done, total: steps.append((done, total)))
        first = stage.network
        stage.run(request, people, text)
        assert stage.network is first  # the next shot finds it loaded
    assert stage.network is None
    assert steps == [(done, len(steps)) for done in range(1, len(steps) + 1)] and 0 < len(steps) < request.steps


def test_a_key_follows_what_matters_to_its_stage(
    model: Model, request_for: Requests, people: list[Any], make_person: Callable[[int], Any], voice: VoiceTrack
) -> None:
    def keys(request: ShotRequest, people: Sequence[Any] = people) -> list[str]:
        """Each stage's key with the same upstream, so that only its own inputs speak."""
        out = []
        for name in STAGES:
            with open_stage(name, model, "cpu") as stage:
                out.append(stage.key(request, people, "before"))
        return out

    def changed(**changes: Any) -> str:
        who = changes.pop("people", people)
        return "".join(
            name[0] if one != other else "-"
            for name, one, other in zip(("e", "l", "d", "D"), base, keys(request_for(**changes), who), strict=True)
        )

    base = keys(request_for())
    assert changed() == "----"
    assert changed(prompt="@mia waves. @tom walks.") == "e---"
    assert changed(negative_prompt="day") == "e---"
    assert changed(seed=6) == changed(width=32) == changed(frames=5) == "-l--"
    assert changed(steps=7) == "-ld-"
    assert changed(guidance=(4.0, 2.0)) == "--d-"
    assert changed(guidance=(1.0, 1.0)) == "eld-"
    assert changed(identity_scale=(1.0, 0.5)) == "--d-"
    assert changed(people=[people[0], make_person(9)]) == changed(voice=voice) == "-ld-"
    assert changed(voice_scale=2.0) == "----"  # nobody speaks
    assert changed(sides=("left", "right")) == "-ld-"
    base = keys(request_for(voice=voice))
    assert changed(voice=voice, voice_scale=2.0) == "-ld-"
    # With the identity off, nobody's face has a say.
    off = {"identity_scale": (0.0, 0.0)}
    base = keys(request_for(**off))
    assert changed(**off, people=[people[0], make_person(9)]) == changed(**off, voice=voice) == "----"
    assert changed(**off, sides=("left", "right")) == "----"
    with open_stage("layout", model, "cpu") as stage:
        assert stage.key(request_for(), people, "a") != stage.key(request_for(), people, "b")


def test_what_the_model_cannot_make(model: Model, request_for: Requests, people: list[Any]) -> None:
    with open_stage("encode", model, "cpu") as stage:
        text = stage.run(request_for(), people, {})
        with pytest.raises(GenerationError, match="@zoe is in the prompt"):
            stage.run(request_for(prompt="@zoe waves."), people, {})
    narrow = replace(people[0], face=people[0].face[:, :100])
    with open_stage("layout", model, "cpu") as stage:
        for changes, who, words in (
            ({"width": 40}, people, "cannot make 40x32"),
            ({"frames": 8}, people, "cannot make 8 frames"),
            ({"frames": 21}, people, "cannot make 21 frames"),
            ({}, people[:1], "2 characters but the identity of 1"),
            ({}, [narrow, people[1]], "@mia's pack was made by encoders of another width"),
        ):
            with pytest.raises(GenerationError, match=words) as caught:
                stage.run(request_for(**changes), who, text)
            assert caught.value.mend and caught.value.exit_code == 2
        with pytest.raises(StageError, match="not numbers") as broken:
            stage.run(request_for(), people, {**text, "prompt": text["prompt"] * float("nan")})
        assert broken.value.exit_code == 1
