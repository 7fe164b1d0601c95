"""What the families of models say they can make."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.family import Family

EACH = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@EACH
def test_the_facts_hang_together(family: Family) -> None:
    assert FAMILIES[family.name] is family
    assert family.max_frames % 4 == 1 and 0 < family.boundary < 1
    assert all(width % 16 == 0 and height % 16 == 0 for width, height in family.sizes)
    token = 32 if family.vae == "Wan2.2" else 16  # pixels, each way: the stock pipelines cut what is over, with a warning
    assert all(width % token == 0 and height % token == 0 for width, height in family.sizes)
    assert family.slot_word.format(2) != family.slot_word.format(1)


@EACH
def test_a_size_of_its_own_is_kept(family: Family) -> None:
    for width, height in family.sizes:
        assert family.size_for(width, height) == (width, height)
        family.check(width, height, family.max_frames)


@example(family=FAMILIES["Wan2.2-T2V-A14B"], width=534, height=1081)  # near one shape, and nearly as near another
@given(family=st.sampled_from(list(FAMILIES.values())), width=st.integers(-9, 9000), height=st.integers(-9, 9000))
def test_any_size_gives_a_near_shape_or_an_error(family: Family, width: int, height: int) -> None:
    try:
        size = family.size_for(width, height)
    except GenerationError:
        return
    assert size in family.sizes
    ratio = (size[0] / size[1]) / (width / height)
    assert 1 / 1.151 < ratio < 1.151


def test_sizes_people_ask_for() -> None:
    toon, wan = FAMILIES["toon"], FAMILIES["Wan2.2-T2V-A14B"]
    assert toon.size_for(832, 480)[0] > toon.size_for(832, 480)[1]
    assert toon.size_for(1080, 1920)[0] < toon.size_for(1080, 1920)[1]
    assert wan.size_for(1920, 1080) == (1280, 720) and wan.size_for(640, 360) == (832, 480)
    with pytest.raises(GenerationError, match="cannot make 2100x900") as caught:
        wan.size_for(2100, 900)
    assert "832x480" in caught.value.mend


@given(family=st.sampled_from(list(FAMILIES.values())), seconds=st.floats(0.01, 20))
def test_frames_cover_the_time(family: Family, seconds: float) -> None:
    if seconds > family.max_frames / family.fps:
        with pytest.raises(GenerationError, match="cannot make a shot"):
            family.frames_for(seconds)
        return
    frames = family.frames_for(seconds)
    assert frames % 4 == 1 and frames <= family.max_frames
    assert round(seconds * family.fps) <= frames < seconds * family.fps + 4.6


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 99])
def test_times_that_no_shot_has(seconds: float) -> None:
    with pytest.raises(GenerationError, match="cannot make a shot"):
        FAMILIES["toon"].frames_for(seconds)


PUBLISHED = {  # billions of parameters of an expert, and gigabytes of its bf16 weights
    "Wan2.2-T2V-A14B": (14.29, 28.6),
    "Wan2.2-I2V-A14B": (14.29, 28.6),
    "Wan2.2-TI2V-5B": (5.00, 10.0),
    "Wan2.2-VACE-Fun-A14B": (17.34, 34.7),
    "Bernini-R": (14.29, 28.6),
    "Bernini-R-1.3B": (1.42, 2.8),
    "Wan2.1-T2V-1.3B": (1.42, 2.8),
    "Wan2.1-VACE-1.3B": (2.15, 4.3),
}


def test_experts_have_their_published_size() -> None:
    """The official configurations on the meta device: nothing is allocated."""
    import diffusers
    import torch

    assert set(PUBLISHED) == set(FAMILIES) - {"toon"}
    counted: dict[str, int] = {}  # families that share a configuration are built once
    for name, (billions, gigabytes) in PUBLISHED.items():
        family = FAMILIES[name]
        shape = f"{family.transformer} {family.config}"
        if shape not in counted:
            with torch.device("meta"):
                network = getattr(diffusers, family.transformer).from_config(family.config)
            counted[shape] = sum(weight.numel() for weight in network.parameters())
        assert counted[shape] / 1e9 == pytest.approx(billions, abs=0.006)
        assert family.billions == pytest.approx(counted[shape] / 1e9, abs=0.005)
        assert family.gigabytes() == pytest.approx(gigabytes, abs=0.06)
        assert family.gigabytes("fp32") == 2 * family.gigabytes() == 4 * family.gigabytes("fp8")


def test_the_other_networks_have_their_published_size() -> None:
    import torch
    from diffusers import AutoencoderKLWan
    from transformers import UMT5Config, UMT5EncoderModel

    family = FAMILIES["Wan2.2-T2V-A14B"]
    umt5 = UMT5Config(
        vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64, is_encoder_decoder=False
    )
    second = {
        "base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "in_channels": 12, "out_channels": 12,
        "patch_size": 2, "scale_factor_spatial": 16, "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48,
        "temperal_downsample": [False, True, True],
    }  # fmt: skip
    with torch.device("meta"):
        networks = {
            family.text_billions: UMT5EncoderModel(umt5),
            family.vae_billions: AutoencoderKLWan(),
            FAMILIES["Wan2.2-TI2V-5B"].vae_billions: AutoencoderKLWan(**second),
        }
    for billions, network in networks.items():
        assert sum(weight.numel() for weight in network.parameters()) / 1e9 == pytest.approx(billions, rel=0.01)


@pytest.mark.parametrize(
    ("name", "high", "steps"),
    [
        ("Wan2.2-T2V-A14B", 26, 40), ("Wan2.2-I2V-A14B", 15, 40), ("Bernini-R", 13, 40), ("Wan2.2-VACE-Fun-A14B", 32, 50),
    ],
)  # fmt: skip
def test_the_experts_share_the_steps_as_natively(name: str, high: int, steps: int) -> None:
    """The published folders' schedulers say shift 3; the family's own shift counts."""
    from diffusers import UniPCMultistepScheduler

    family = FAMILIES[name]
    assert family.steps == steps
    published = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    own = UniPCMultistepScheduler.from_config(published.config, flow_shift=family.shift)
    own.set_timesteps(steps)
    assert int((own.timesteps >= family.boundary * 1000).sum()) == high


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("Wan2.2-T2V-A14B", (12.0, 40, (4.0, 3.0), 0.875, 16, 81)),
        ("Wan2.2-I2V-A14B", (5.0, 40, (3.5, 3.5), 0.9, 16, 81)),
        ("Wan2.2-TI2V-5B", (5.0, 50, (5.0, 5.0), 0.875, 24, 121)),
        ("Bernini-R", (3.0, 40, (4.0, 3.2), 0.875, 16, 81)),
    ],
)
def test_native_settings(name: str, facts: tuple[object, ...]) -> None:
    family = FAMILIES[name]
    assert (family.shift, family.steps, family.guidance, family.boundary, family.fps, family.max_frames) == facts


@given(
    family=st.sampled_from([each for each in FAMILIES.values() if each.pictures]),
    characters=st.integers(0, 3),
    frames=st.integers(0, 20),
)
def test_pictures_are_shared_fairly(family: Family, characters: int, frames: int) -> None:
    counts = family.picture_counts(characters, 4 * frames + 1)
    assert len(counts) == characters and list(counts) == sorted(counts, reverse=True)
    if characters:
        assert counts[-1] >= 1 and counts[0] - counts[-1] <= 1
        assert sum(counts) <= max(characters, min(family.pictures, frames + 1))


def test_what_takes_no_pictures_gets_none() -> None:
    assert FAMILIES["toon"].picture_counts(2, 61) == (0, 0)
    assert FAMILIES["toon"].stages == ("encode", "layout", "detail", "decode")
    assert FAMILIES["Bernini-R"].stages == ("encode", "references", "layout", "detail", "decode")
    needing = [name for name, family in FAMILIES.items() if family.needs_frame]
    assert needing == ["Wan2.2-I2V-A14B"]
