"""Each way in which characters reach a model, against the stock pipeline, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from generation import GenerationError, Model, ShotRequest, open_stage
from generation.family import Family
from generation.references.streams import damped, fitted, joined, turned

Requests = Callable[..., ShotRequest]
PROMPT = "wide shot, character1 waves on the left. character2 walks."


def drawn(seed: int, height: int = 40, width: int = 24) -> np.ndarray:
    """A picture of its own."""
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def made(model: Model, request: ShotRequest, people: Any = ()) -> tuple[Tensor, np.ndarray]:
    """Latents and frames of a shot through all stages of the family."""
    artefact: dict[str, Tensor] = {}
    kept = {}
    for name in model.family.stages:
        with open_stage(name, model, "cpu") as stage:
            artefact = kept[name] = stage.run(request, people, artefact)
    return kept["detail"]["latents"], kept["decode"]["frames"].numpy()


def stock(kind: str, folder: Path, request: ShotRequest, **more: Any) -> tuple[Tensor, np.ndarray]:
    import diffusers

    pipeline = getattr(diffusers, kind).from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if pipeline.config.boundary_ratio is not None:
        more["guidance_scale_2"] = request.guidance[1]
    latents, frames = (
        pipeline(
            prompt=PROMPT, negative_prompt=request.negative_prompt, height=request.height, width=request.width,
            num_frames=request.frames, num_inference_steps=request.steps, guidance_scale=request.guidance[0],
            generator=torch.Generator().manual_seed(request.seed), output_type=form, max_sequence_length=64, **more,
        ).frames
        for form in ("latent", "np")
    )  # fmt: skip
    return latents, (frames[0] * 255).round().astype(np.uint8)


@pytest.fixture
def vace(make_folder: Callable[..., Path], tiny_family: Family, tmp_path: Path) -> Model:
    family = replace(tiny_family, references="pictures", pictures=4)
    return Model.open(make_folder(tmp_path / "vace", kind="WanVACEPipeline"), family)


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (2, 1)])
def test_pictures_are_the_stock_vace(counts: tuple[int, int], vace: Model, request_for: Requests) -> None:
    pictures = tuple(tuple(drawn(10 * slot + n, 40 + 8 * n) for n in range(count)) for slot, count in enumerate(counts))
    request = request_for(pictures=pictures)
    flat = [Image.fromarray(each) for each in request.all_pictures]
    latents, frames = stock("WanVACEPipeline", vace.folder, request, reference_images=flat or None)
    mine, shown = made(vace, request)
    assert torch.equal(mine, latents[:, :, len(flat) :])  # the stock latents still hold the pictures' frames
    assert np.array_equal(shown, frames) and frames.std() > 1


def test_pictures_of_the_place_come_behind_those_of_the_characters(vace: Model, request_for: Requests) -> None:
    given, more = request_for(pictures=((drawn(1),), (drawn(2),)), place=(drawn(3),)), ((drawn(1),), (drawn(2), drawn(3)))
    assert torch.equal(made(vace, given)[0], made(vace, request_for(pictures=more))[0])  # which is the stock VACE
    with open_stage("references", vace, "cpu") as stage:
        keys = {stage.key(request, (), "") for request in (given, request_for(pictures=given.pictures), request_for(pictures=more))}
    assert len(keys) == 3


def test_what_pictures_of_the_place_leave_of_the_others(tiny_family: Family) -> None:
    vace, bernini = (replace(tiny_family, references="pictures", pictures=count) for count in (4, 6))
    assert [vace.picture_counts(2, 33, place) for place in (0, 1, 2, 4)] == [(2, 2), (2, 1), (1, 1), (1, 1)]
    assert bernini.picture_counts(3, 33, 2) == (2, 1, 1) and bernini.picture_counts(0, 33, 2) == ()
    assert [vace.place_count(2, frames) for frames in (33, 9, 5)] == [2, 1, 0]  # a short shot has few latent frames
    assert tiny_family.place_count(1, 33) == 0
    assert not tiny_family.takes_frame and vace.takes_frame and not replace(vace, references="streams").takes_frame


def test_pictures_beside_a_first_frame(vace: Model, request_for: Requests) -> None:
    request = request_for(pictures=((drawn(1),), ()), first_frame=drawn(2, 32, 48))
    grey = Image.fromarray(np.full((32, 48, 3), 127, np.uint8))
    frame, white, black = (Image.fromarray(each) for each in (request.first_frame, drawn(0) * 0 + 255, drawn(0) * 0))
    rest = request.frames - 1
    whites, blacks = (each.resize((48, 32)) for each in (white, black))
    latents, _ = stock(
        "WanVACEPipeline", vace.folder, request, reference_images=[Image.fromarray(drawn(1))],
        video=[frame, *[grey] * rest], mask=[blacks, *[whites] * rest],
    )  # fmt: skip
    # Its grey is 127 of 255, ours is the middle: near, not equal.
    assert torch.allclose(made(vace, request)[0], latents[:, :, 1:], atol=0.05)


def test_more_pictures_than_latent_frames(vace: Model, request_for: Requests) -> None:
    """The stock pipeline breaks there."""
    request = request_for(frames=5, pictures=(tuple(drawn(n) for n in range(5)), ()))
    assert made(vace, request)[1].shape[0] == 5


def test_a_layout_with_pictures_is_finished_anew(vace: Model, request_for: Requests) -> None:
    request = request_for(pictures=((drawn(1), drawn(2)), (drawn(3),)))
    plain, one, two = (made(vace, replace(request, detail_seed=seed))[0] for seed in (None, 1, 2))
    assert plain.shape == one.shape and torch.isfinite(one).all()
    assert not torch.equal(plain, one) and not torch.equal(one, two)


def test_each_picture_matters(vace: Model, request_for: Requests) -> None:
    one, two = ((drawn(1),), (drawn(2),)), ((drawn(1),), (drawn(3),))
    first, second, swapped = (made(vace, request_for(pictures=each))[0] for each in (one, two, one[::-1]))
    assert not torch.equal(first, second) and not torch.equal(first, swapped)


@pytest.fixture
def i2v(make_folder: Callable[..., Path], tiny_family: Family, tmp_path: Path) -> Model:
    family = replace(tiny_family, references="keyframe", channels=36)
    return Model.open(make_folder(tmp_path / "i2v", kind="WanImageToVideoPipeline"), family)


@pytest.mark.parametrize("frames", [9, 5, 1])
def test_a_first_frame_is_the_stock_image_to_video(frames: int, i2v: Model, request_for: Requests) -> None:
    request = request_for(first_frame=drawn(2, 32, 48), frames=frames)
    latents, shown = stock("WanImageToVideoPipeline", i2v.folder, request, image=Image.fromarray(request.first_frame))
    mine, frames_made = made(i2v, request)
    assert torch.equal(mine, latents) and np.array_equal(frames_made, shown)


def test_no_first_frame_where_one_is_needed(i2v: Model, request_for: Requests) -> None:
    with pytest.raises(GenerationError, match="needs a first frame") as caught:
        made(i2v, request_for())
    assert "frame: PICTURE" in caught.value.mend
    with pytest.raises(GenerationError, match="the first frame is 24x40, the shot 48x32"):
        made(i2v, request_for(first_frame=drawn(1)))


@pytest.fixture
def ti2v(make_folder: Callable[..., Path], tiny_family: Family, tmp_path: Path) -> Model:
    family = replace(tiny_family, references="keyframe", experts=1)
    return Model.open(make_folder(tmp_path / "5b", experts=1, expand=True, residual=True), family)


@pytest.mark.parametrize("given", [True, False], ids=["with a frame", "text alone"])
def test_the_5b_is_stock_both_ways(given: bool, ti2v: Model, request_for: Requests) -> None:
    request = request_for(guidance=(4.0, 4.0), first_frame=drawn(2, 32, 48) if given else None)
    kind, more = "WanPipeline", {}
    if given:  # the published folder says WanPipeline, and is opened as the other for pictures
        kind, more = "WanImageToVideoPipeline", {"image": Image.fromarray(request.first_frame)}
    latents, frames = stock(kind, ti2v.folder, request, **more)
    mine, shown = made(ti2v, request)
    assert torch.equal(mine, latents) and np.array_equal(shown, frames)


@pytest.fixture
def bernini(plain_folder: Path, tiny_family: Family) -> Model:
    return Model.open(plain_folder, replace(tiny_family, references="streams", pictures=6, picture_guidance=(4.5, 3.6)))


def test_streams_without_pictures_are_stock(bernini: Model, request_for: Requests) -> None:
    request = request_for(pictures=((), ()))
    latents, frames = stock("WanPipeline", bernini.folder, request)
    mine, shown = made(bernini, request)
    assert torch.equal(mine, latents) and np.array_equal(shown, frames)
    network = bernini.network("transformer", torch.float32)
    before = dict(network.named_modules())
    with joined(network, []):
        pass
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in before.values())


def test_a_stream_is_seen_as_concatenated_tokens(bernini: Model) -> None:
    """Against the transformer's parts put together by hand, phases as complex numbers."""
    from diffusers.models.embeddings import get_1d_rotary_pos_embed

    network = bernini.network("transformer", torch.float32)
    draw = torch.Generator().manual_seed(4)
    target, one, two = (
        torch.randn(1, 16, frames, 4, size, generator=draw) for frames, size in ((3, 6), (1, 4), (1, 8))
    )
    text, time = torch.randn(1, 9, 32, generator=draw), torch.tensor([500.0])
    how = {"hidden_states": target, "timestep": time, "encoder_hidden_states": text, "return_dict": False}
    with torch.no_grad(), joined(network, [one, two]):
        seen = network(**how)[0]
    with torch.no_grad():
        alone = network(**how)[0]
        dim = network.config.attention_head_dim
        phase = get_1d_rotary_pos_embed(dim, 8, 10000.0, use_real=False, freqs_dtype=torch.float64)
        tokens, cos, sin = [], [], []
        for number, stream in ((1, one), (2, two), (0, target)):
            tokens.append(network.patch_embedding(stream).flatten(2).transpose(1, 2))
            own = torch.complex(*(each[..., ::2].double() for each in network.rope(stream))) * phase[number]
            cos.append(own.real.repeat_interleave(2, -1).float())
            sin.append(own.imag.repeat_interleave(2, -1).float())
        hidden, count = torch.cat(tokens, 1), tokens[-1].shape[1]
        temb, projected, words, _ = network.condition_embedder(time, text, None)
        for block in network.blocks:
            hidden = block(hidden, words, projected.unflatten(1, (6, -1)), (torch.cat(cos, 1), torch.cat(sin, 1)))
        shift, scale = (network.scale_shift_table + temb.unsqueeze(1)).chunk(2, dim=1)
        flat = network.proj_out(network.norm_out(hidden[:, -count:]) * (1 + scale) + shift)
        by_hand = (
            flat.reshape(1, 3, 2, 3, 1, 2, 2, -1)
            .permute(0, 7, 1, 4, 2, 5, 3, 6)
            .flatten(6, 7)
            .flatten(4, 5)
            .flatten(2, 3)
        )
    assert seen.shape == target.shape and not torch.allclose(seen, alone, atol=1e-3)
    assert torch.allclose(seen, by_hand, atol=1e-4)


def test_phases_tell_streams_apart_and_leave_lengths(bernini: Model) -> None:
    rope = bernini.network("transformer", torch.float32).rope
    own = rope(torch.zeros(1, 16, 1, 4, 4))
    same, other = turned(rope, own, 0), turned(rope, own, 3)
    assert all(torch.equal(a, b) for a, b in zip(own, same, strict=True))
    assert torch.allclose(other[0] ** 2 + other[1] ** 2, torch.ones_like(other[0]), atol=1e-6)
    assert not torch.allclose(other[0], own[0], atol=0.1)


def test_streams_guide_in_two_steps(bernini: Model, request_for: Requests) -> None:
    one, two = ((drawn(1),), (drawn(2),)), ((drawn(2),), (drawn(1),))
    alone = made(bernini, request_for())[0]
    first, again, swapped = (made(bernini, request_for(pictures=each))[0] for each in (one, one, two))
    assert torch.equal(first, again) and not torch.equal(first, swapped) and not torch.allclose(first, alone, atol=1e-2)
    unguided = made(bernini, request_for(pictures=one, guidance=(1.0, 1.0)))[0]
    assert bool(torch.isfinite(unguided).all())


def test_a_damped_step() -> None:
    draw = torch.Generator().manual_seed(0)
    result = torch.randn(1, 4, 2, 3, 3, generator=draw, dtype=torch.float64)
    along = damped(result * 0.1, result)
    assert torch.allclose(along, result * 0.05)  # half of what lies along it is left
    across = torch.randn(result.shape, generator=draw, dtype=torch.float64)
    across -= (across * result).sum((1, 3, 4), keepdim=True) / (result**2).sum((1, 3, 4), keepdim=True) * result
    assert torch.allclose(damped(across, result), across)
    long = damped(across * 1e4, result)
    assert torch.allclose(torch.linalg.vector_norm(long, dim=(1, 3, 4)), torch.full((1, 2), 50.0, dtype=torch.float64))


def test_pictures_are_fitted() -> None:
    assert fitted(drawn(1, 1700, 400), 848).shape == (848, 192, 3)
    assert fitted(drawn(1, 40, 24), 848).shape[0] % 16 == 0
    same = drawn(1, 32, 48)
    assert fitted(same, 848) is same


def test_pictures_and_identity_together(
    folder: Path, tiny_family: Family, request_for: Requests, people: list[Any], voice: Any
) -> None:
    """An adapter helps any family; what it tells by place in the sequence is left out where pictures stand there."""
    model = Model.open(folder, replace(tiny_family, references="streams", pictures=6))
    pictures = ((drawn(1),), (drawn(2),))
    request = request_for(pictures=pictures, voice=voice, sides=("left", "right"))
    with_it, without = (made(model, replace(request, identity_scale=(s, s)), people)[0] for s in (1.0, 0.0))
    assert not torch.equal(with_it, without)


def test_one_expert_is_loaded_once(ti2v: Model, request_for: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    stock_load = Model.network
    monkeypatch.setattr(
        Model, "network", lambda self, name, dtype: (loads.append(name), stock_load(self, name, dtype))[1]
    )
    made(ti2v, request_for(guidance=(4.0, 4.0)))
    assert loads == ["text_encoder", "transformer", "vae"] and not ti2v.held
    loads.clear()
    made(ti2v, request_for(guidance=(4.0, 4.0), first_frame=drawn(2, 32, 48)))
    assert loads == ["text_encoder", "vae", "transformer", "vae"] and not ti2v.held


def test_a_key_follows_the_pictures(vace: Model, request_for: Requests) -> None:
    def key(**changes: Any) -> str:
        with open_stage("references", vace, "cpu") as stage:
            found = stage.key(request_for(**changes), (), "before")
            assert stage.network is None
        return found

    pictures = ((drawn(1),), (drawn(2),))
    base = key(pictures=pictures)
    assert base == key(pictures=pictures, seed=9, prompt="@mia @tom night")
    others = [
        key(pictures=pictures[::-1]),
        key(pictures=pictures, width=32),
        key(pictures=pictures, first_frame=drawn(0, 32, 48)),
    ]
    assert len({base, *others}) == 4


def test_pictures_for_each_or_for_none(request_for: Requests) -> None:
    with pytest.raises(GenerationError, match="the pictures of 1 for 2 characters"):
        request_for(pictures=((drawn(1),),))
