"""Tiny models of the production classes, random, built offline in a second, in the layout of the real ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generation.adapter import AdapterConfig, IdentityAdapter
from generation.families import FAMILIES
from generation.family import Family
from generation.load import Model
from generation.request import ShotRequest, VoiceTrack

FIGURE = 20
TINY = replace(FAMILIES["toon"], sizes=((32, 32), (48, 32)), max_frames=17, text_length=64)
WORDS = [
    "a",
    "the",
    "character1",
    "character2",
    "character3",
    "shot",
    "wide",
    "waves",
    "walks",
    "in",
    "on",
    "left",
    "right",
    "day",
    "night",
    "lamp",
    ".",
    ",",
]


@pytest.fixture(scope="session", autouse=True)
def quiet_and_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One thread, no progress bars, and a cache of hashes of our own."""
    import diffusers
    import transformers

    torch.set_num_threads(1)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def tiny_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import T5TokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    tokenizer.train_from_iterator([" ".join(WORDS)] * 20, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0)


def tiny_transformer(layers: int = 2, channels: int = 16, out: int | None = None, vace: bool = False) -> Any:
    from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

    more: dict[str, Any] = {"vace_layers": [0], "vace_in_channels": 96} if vace else {}
    return (WanVACETransformer3DModel if vace else WanTransformer3DModel)(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels,
        out_channels=out or channels,
        **more,
        text_dim=32,
        ffn_dim=32,
        num_layers=layers,
        rope_max_seq_len=32,
    ).eval()


def tiny_vae(residual: bool) -> Any:
    from diffusers import AutoencoderKLWan

    torch.manual_seed(3)
    if not residual:
        return AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        )
    return AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=16,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        is_residual=True,
        patch_size=2,
        in_channels=12,
        out_channels=12,
        scale_factor_spatial=8,
    )


def build(
    folder: Path,
    *,
    experts: int = 2,
    residual: bool = False,
    expand: bool = False,
    euler: bool = False,
    kind: str = "WanPipeline",
    shift: float = 5.0,
) -> Path:
    """Write a tiny pipeline of the class `kind` with random weights."""
    import diffusers
    from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    text = UMT5EncoderModel(
        UMT5Config(
            vocab_size=len(tokenizer),
            d_model=32,
            d_kv=8,
            d_ff=37,
            num_layers=2,
            num_heads=4,
            relative_attention_num_buckets=8,
            is_encoder_decoder=False,
        )
    ).eval()
    unipc = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)

    def expert() -> Any:
        given = kind == "WanImageToVideoPipeline"
        return tiny_transformer(channels=36 if given else 16, out=16, vace=kind == "WanVACEPipeline")

    more: dict[str, Any] = {"expand_timesteps": expand}
    if kind == "WanImageToVideoPipeline":
        more |= {"image_encoder": None, "image_processor": None}
    elif kind == "WanVACEPipeline":
        more = {}
    pipeline = getattr(diffusers, kind)(
        tokenizer=tokenizer,
        text_encoder=text,
        vae=tiny_vae(residual),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0) if euler else unipc,
        transformer=expert(),
        transformer_2=expert() if experts == 2 else None,
        boundary_ratio=0.875 if experts == 2 else None,
        **more,
    )
    pipeline.save_pretrained(folder)
    return folder


def loud_adapter(transformer: Any, seed: int = 0, **more: Any) -> IdentityAdapter:
    """An adapter that has learned something: its values are no longer zero."""
    torch.manual_seed(seed)
    adapter = IdentityAdapter(AdapterConfig.of(transformer, figure_dim=FIGURE, id_dim=16, **more))
    for block in [*adapter.identity_blocks, *adapter.voice_blocks]:
        torch.nn.init.normal_(block.to_v.weight, std=0.3)
        torch.nn.init.normal_(block.sink, std=0.3)
    return adapter.eval()


@dataclass(frozen=True)
class Person:
    """What a pack would give of a character."""

    face: np.ndarray
    figure: np.ndarray
    weights: np.ndarray

    @classmethod
    def random(cls, seed: int) -> Person:
        draw = np.random.default_rng(seed)
        face, figure = (draw.normal(size=(5, width)).astype(np.float32) for width in (512, FIGURE))
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (face, figure)]
        return cls(unit[0], unit[1], draw.uniform(size=5).astype(np.float32))


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two experts, no adapter."""
    return build(tmp_path_factory.mktemp("models") / "plain")


@pytest.fixture(scope="session")
def folder(plain_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two experts, each with its own adapter."""
    folder = tmp_path_factory.mktemp("models") / "adapted"
    shutil.copytree(plain_folder, folder)
    for seed, name in enumerate(("transformer", "transformer_2")):
        loud_adapter(tiny_transformer(), seed).save(folder / name)
    return folder


@pytest.fixture
def model(folder: Path) -> Model:
    return Model.open(folder, TINY)


@pytest.fixture
def plain_model(plain_folder: Path) -> Model:
    return Model.open(plain_folder, TINY)


@pytest.fixture
def people() -> list[Person]:
    return [Person.random(1), Person.random(2)]


@pytest.fixture
def request_for() -> Callable[..., ShotRequest]:
    """A request with anything changed."""
    base = ShotRequest(
        prompt="wide shot, @mia waves on the left. @tom walks.",
        characters=("mia", "tom"),
        frames=9,
        width=48,
        height=32,
        seed=5,
        steps=6,
        guidance=(4.0, 3.0),
        negative_prompt="night",
    )
    return lambda **changes: replace(base, **changes)


@pytest.fixture
def voice() -> VoiceTrack:
    return VoiceTrack({"tom": np.linspace(0, 1, 9, dtype=np.float32)})


@pytest.fixture(scope="session")
def tiny_family() -> Family:
    return TINY


@pytest.fixture
def make_transformer() -> Callable[..., Any]:
    return tiny_transformer


@pytest.fixture
def make_loud_adapter() -> Callable[..., IdentityAdapter]:
    return loud_adapter


@pytest.fixture(scope="session")
def make_folder() -> Callable[..., Path]:
    return build


@pytest.fixture
def make_person() -> Callable[[int], Person]:
    return Person.random


@pytest.fixture
def make_vae() -> Callable[[bool], Any]:
    return lambda residual: tiny_vae(residual).eval()
