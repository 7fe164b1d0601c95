"""What a model weighs and what it needs to work, from its configuration alone: nothing is loaded, nothing need be there.

Reference pictures are counted as many as the family may put into a shot, as large as they may be: a latent frame each beside
those of VACE's shots, a stream of tokens each in Bernini-R. VACE's side branch is done before the first block of the others, and
what it found for each of them waits.

Parameters are counted in closed form; tests compare them with the real classes on the meta device. What a network needs to
work is measured on a CPU, and a tenth is put on top. WORKING is for a `WanTransformerBlock` at its widest place: the hidden
states, their norm, query, key and value, and the rotary product in float32. A published peak agrees: Bernini-R, of A14B's
shape, takes 18.8 GB for 832x480x81 in fp8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generation.families import Family
from generation.folder import parameters
from generation.load import EXPERTS, Model
from generation.references.streams import SIDE

WORKING = {2: 30, 4: 52}  # bytes for each token and channel, by the bytes of a number; 26.7 and 46.5 were measured
DECODING = 20  # float32 numbers for each pixel of a chunk of frames and channel of the decoder's last level; 18.1 measured
TILE = 256  # pixels a side of a tile of the VAE
CHUNK = 4  # frames that the VAE makes of a latent frame

_A14B = {"num_attention_heads": 40, "attention_head_dim": 128, "ffn_dim": 13824, "num_layers": 40, "text_dim": 4096}
_T5 = {"vocab_size": 256384, "d_model": 4096, "num_layers": 24, "num_heads": 64, "d_kv": 64, "d_ff": 10240}
_VAE_1, _VAE_2 = {"base_dim": 96, "z_dim": 16}, {"base_dim": 160, "decoder_base_dim": 256, "patch_size": 2, "z_dim": 48}
_VAE_2["scale_factor_spatial"] = 16

# Of models that are not on disk: the published configurations, as far as they differ from the classes' defaults.
OFFICIAL: dict[str, dict[str, Any]] = {
    "Wan2.2-T2V-A14B": {"transformer": _A14B, "vae": _VAE_1, "vae_parameters": 126_892_531},
    "Wan2.2-I2V-A14B": {"transformer": {**_A14B, "in_channels": 36}, "vae": _VAE_1, "vae_parameters": 126_892_531},
    "Wan2.2-TI2V-5B": {
        "transformer": {
            **_A14B, "num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30, "in_channels": 48, "out_channels": 48,
        },
        "vae": _VAE_2, "vae_parameters": 704_688_668,
    },
    "Wan2.1-T2V-1.3B": {
        "transformer": {**_A14B, "num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
        "vae": _VAE_1, "vae_parameters": 126_892_531,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Network:
    """Parameters of one network: of all of it, and of one of its blocks, which can come and go one at a time."""

    parameters: int
    block: int
    blocks: int

    @property
    def rest(self) -> int:
        """Parameters outside the blocks."""
        return self.parameters - self.block * self.blocks


@dataclass(frozen=True)
class Footprint:
    """A model in numbers. `width` is the transformer's, `patch` (frames, rows, columns) latent positions of a token."""

    expert: Network
    experts: int
    text: Network
    vae: int  # parameters
    width: int
    patch: tuple[int, int, int]
    space: int  # pixels of a latent position, each way
    last: float  # channels of the VAE's last level for each pixel of a frame
    quantised: int = 0  # bytes of an expert's file whose weights stay quantised while it works; 0 where they do not
    sides: int = 0  # blocks of VACE's side branch
    family: Family | None = None  # which says what pictures a shot may have
    half: bool = False  # whether a CPU computes in bfloat16, too

    @classmethod
    def of(cls, model: Model | Family) -> Footprint | None:
        """Of a model on disk, or of a family that is not here; None for a family whose figures are not known."""
        if isinstance(model, Model):
            parts: dict[str, Any] = {name: model.config(name) for name in ("transformer", "text_encoder", "vae")}
            vae, experts = _stored(model), 2 if "transformer_2" in model.files else 1
        elif model.repository:
            alike = OFFICIAL["Wan2.2-T2V-A14B" if model.vae == "Wan2.1" else "Wan2.2-TI2V-5B"]
            parts = {"text_encoder": _T5, **OFFICIAL.get(model.name, {**alike, "transformer": model.config})}
            vae, experts = parts["vae_parameters"], model.experts
        else:
            return None
        config, codec = parts["transformer"], parts["vae"]
        patch = codec.get("patch_size") or 1
        return cls(
            expert=transformer(config), experts=experts, text=umt5(parts["text_encoder"]), vae=vae, width=_width(config),
            patch=tuple(config.get("patch_size", (1, 2, 2))), space=codec.get("scale_factor_spatial") or 8,
            last=(codec.get("decoder_base_dim") or codec.get("base_dim", 96)) / patch**2,
            quantised=_quantised(model) if isinstance(model, Model) else 0, sides=len(config.get("vace_layers") or ()),
            family=model.family if isinstance(model, Model) else model,
            half=isinstance(model, Model) and model.speed.halves,
        )  # fmt: skip

    def precision(self, device: str) -> tuple[int, str]:
        """Bytes of a number that text encoder and experts compute with, and the name of the precision."""
        return (4, "fp32") if device == "cpu" and not self.half else (2, "bf16")

    def tokens(self, width: int, height: int, frames: int) -> int:
        """Tokens that the transformer makes of a shot."""
        a, b, c = self.patch
        return ((frames - 1) // CHUNK + 1) // a * (height // self.space // b) * (width // self.space // c)

    def working(self, width: int, height: int, frames: int, item: int) -> int:
        """Bytes that a forward of an expert needs beside its weights; `item` bytes a number."""
        waiting = (self.sides + 1) * item if self.sides else 0
        return self.sequence(width, height, frames) * self.width * (WORKING[item] + waiting)

    def sequence(self, width: int, height: int, frames: int) -> int:
        """Tokens of a shot and, at most, of the reference pictures beside it."""
        own, count = self.tokens(width, height, frames), self.pictures(frames)
        if not count or self.family is None:
            return own
        square = min(SIDE, max(width, height))
        each = self.tokens(square, square, 1) if self.family.references == "streams" else self.tokens(width, height, 1)
        return own + count * each

    def pictures(self, frames: int) -> int:
        """Reference pictures that a shot may have."""
        return self.family.most_pictures(frames) if self.family else 0

    def decoding(self, width: int, height: int) -> int:
        """Bytes that the VAE needs beside its weights to decode frames of this size, in float32."""
        return int(width * height * CHUNK * self.last * DECODING)


def transformer(config: dict[str, Any]) -> Network:
    """A `WanTransformer3DModel` of this configuration."""
    d, ffn = _width(config), config.get("ffn_dim", 13824)
    text, freq = config.get("text_dim", 4096), config.get("freq_dim", 256)
    patch = 1
    for side in config.get("patch_size", (1, 2, 2)):
        patch *= side
    attention = 4 * (d * d + d) + 2 * d
    block = 2 * attention + (d * ffn + ffn) + (ffn * d + d) + 6 * d + 2 * d * bool(config.get("cross_attn_norm", True))
    if config.get("added_kv_proj_dim"):
        block += 2 * (config["added_kv_proj_dim"] * d + d) + d
    rest = (config.get("in_channels", 16) * patch * d + d) + (d * patch * config.get("out_channels", 16))
    rest += patch * config.get("out_channels", 16) + 2 * d  # the way out: its bias, and its scale and shift
    rest += (freq * d + d) + (d * d + d) + (d * 6 * d + 6 * d) + (text * d + d) + (d * d + d)
    if image := config.get("image_dim"):
        rest += 2 * image + (image * image + image) + (image * d + d) + 2 * d
    blocks = config.get("num_layers", 40)
    if sides := config.get("vace_layers"):
        rest += config.get("vace_in_channels", 96) * patch * d + d + len(sides) * (block + d * d + d) + d * d + d
    return Network(blocks * block + rest, block, blocks)


def umt5(config: dict[str, Any]) -> Network:
    """A `UMT5EncoderModel` of this configuration."""
    d, heads = config["d_model"], config["num_heads"]
    inner, buckets = heads * config["d_kv"], config.get("relative_attention_num_buckets", 32)
    block = 4 * d * inner + buckets * heads + 3 * d * config["d_ff"] + 2 * d
    layers = config["num_layers"]
    return Network(config["vocab_size"] * d + layers * block + d, block, layers)


def _width(config: dict[str, Any]) -> int:
    return int(config.get("num_attention_heads", 40) * config.get("attention_head_dim", 128))


def _quantised(model: Model) -> int:
    experts = (file for name, files in model.files.items() if name in EXPERTS for file in files)
    return max((file.stat().st_size for file in experts if file.suffix == ".gguf"), default=0)


def _stored(model: Model) -> int:
    """Parameters of the VAE, as the headers of its files count them."""
    return sum(parameters(file) for file in model.files["vae"] if file.suffix == ".safetensors")
