"""What one family of models is: its facts as data, so that no code asks which model it works with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from generation.errors import GenerationError
from generation.preset import Preset
from generation.request import SLOTS

CROP = 1.15  # a size asked for may differ from a native shape by this factor; past it, too much would be cut away
SAME_SHAPE = 0.03  # shapes that differ by less are one: 832x480 is taken for 16:9


BYTES = {"fp32": 4.0, "bf16": 2.0, "fp8": 1.0, "nf4": 0.53}
"""Bytes of a weight in each precision; nf4 with its scales."""
STAGES = ("encode", "layout", "detail", "decode")
PARTS = ("camera", "place", "light", "action", "style")
"""The parts of a prompt, in the embedded model's order."""


@dataclass(frozen=True)
class Family:
    """What one family of models is made of, what it can make, and how it likes to be asked.

    `experts`, `transformer` (the class), `layers`, `width` and `channels` (of its input) are how a folder is recognised;
    where two families share all that, by `hint`, a word in its names. `boundary` is the share of the noise above which
    the high-noise expert works; families of one expert have it too, as the place where layout hands over to detail. `shift` is
    the native flow shift and replaces the scheduler's own, None keeps it. `guidance` is (high-noise, low-noise).
    `sizes` are (width, height) in pixels. `billions` are the parameters of one expert, `text_billions` and `vae_billions` those
    of text encoder and VAE.

    `references` says how characters reach the model, beside an identity adapter, which any family may have: "tokens" only so;
    "pictures" as pictures beside the shot (VACE); "streams" as token streams of their own (Bernini-R), `picture_guidance` strong;
    "keyframe" as the shot's first frame. At most `pictures` of them go into a shot.

    In a prompt `parts` is the order of its parts, `prefix` stands before it, and `naming` says how @name is written: "slot" by
    `slot_word` for character 1, 2, 3; "looks" by name and looks; "order" so, with the numbers of the character's pictures.

    `layout_gate` is the likeness under which a character of a layout, at first sight, is not worth finishing, as
    `benchmarks.gate` measures it; None where nobody has measured it yet. `identity_scale` is the strength of identity at the
    (high-noise, low-noise) expert, 1 as in training; `retake_scale` the same at both in the takes after the first, where the
    words may give way to it. `voice_scale` is how strongly mouths heed their voices, 1 as in training.
    `cache` is what each expert may leave out at the speed "cached", None for nothing, and little where nobody has measured it.
    `presets` are for step-distilled LoRAs; `preset` is the one in use.
    """

    name: str
    repository: str
    pipeline: str
    experts: int
    layers: int
    width: int
    channels: int
    boundary: float
    shift: float | None
    steps: int
    guidance: tuple[float, float]
    fps: float
    max_frames: int
    sizes: tuple[tuple[int, int], ...]
    licence: str
    billions: float
    heads: int
    ffn: int
    transformer: str = "WanTransformer3DModel"
    vace_layers: tuple[int, ...] = ()
    latents: int = 16
    vae: str = "Wan2.1"
    text_width: int = 4096
    text_billions: float = 5.68
    vae_billions: float = 0.127
    references: str = "tokens"
    pictures: int = 0
    picture_guidance: tuple[float, float] = (1.0, 1.0)
    hint: str = ""
    text_length: int = 512
    naming: str = "looks"
    slot_word: str = "character{}"
    parts: tuple[str, ...] = ("action", "place", "light", "camera", "style")
    prefix: str = ""
    negative_prompt: str = ""
    layout_gate: float | None = None
    identity_scale: tuple[float, float] = (1.0, 1.0)
    retake_scale: float = 1.0
    voice_scale: float = 1.0
    cache: tuple[float, float] | None = (0.05, 0.05)
    presets: tuple[Preset, ...] = ()
    preset: Preset | None = None

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of a take. Pictures go through the VAE before the experts come."""
        return STAGES if self.references == "tokens" else (STAGES[0], "references", *STAGES[1:])

    def with_preset(self, name: str) -> Family:
        """This family, asked as one of its presets says."""
        for preset in self.presets:
            if preset.name == name:
                return replace(self, preset=preset, steps=preset.steps, shift=preset.shift, guidance=preset.guidance)
        known = ", ".join(preset.name for preset in self.presets)
        raise GenerationError(
            f'{self.name} has no preset "{name}"', where="--preset", mend=f"Write one of: {known}." if known else "Leave it out."
        )

    @property
    def needs_frame(self) -> bool:
        """Whether it only ever goes on from a first frame: its input has room for one beside the noise."""
        return self.channels > self.latents

    @property
    def takes_frame(self) -> bool:
        """Whether a shot can start from a given first frame."""
        return self.references in ("keyframe", "pictures")

    def picture_counts(self, characters: int, frames: int, place: int = 0) -> tuple[int, ...]:
        """How many pictures of each character go into a shot beside `place` of its place: together `pictures` at most and as
        many as it has latent frames, each of which costs as much as a picture; one of each character at least."""
        if not characters or not self.pictures:
            return (0,) * characters
        most = max(characters, self._most(frames) - place)
        return tuple(most // characters + (slot < most % characters) for slot in range(characters))

    def most_pictures(self, frames: int) -> int:
        """The most that go into a shot, whoever is in it."""
        return max(SLOTS, self._most(frames)) if self.pictures else 0

    def place_count(self, characters: int, frames: int) -> int:
        """How many pictures of its place a shot has room for beside one of each character."""
        return max(0, self._most(frames) - characters)

    def _most(self, frames: int) -> int:
        return min(self.pictures, (frames - 1) // 4 + 1)

    def gigabytes(self, precision: str = "bf16") -> float:
        """The size of one expert's weights, in 10^9 bytes; `precision` is one of BYTES."""
        return self.billions * BYTES[precision]

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of an expert's transformer, for weights that come without one."""
        shape: dict[str, Any] = {
            "num_attention_heads": self.heads, "attention_head_dim": self.width // self.heads, "num_layers": self.layers,
            "ffn_dim": self.ffn, "in_channels": self.channels, "out_channels": self.latents, "text_dim": self.text_width,
            "freq_dim": 256, "cross_attn_norm": True, "qk_norm": "rms_norm_across_heads", "eps": 1e-6,
            "patch_size": [1, 2, 2], "rope_max_seq_len": 1024, "image_dim": None, "added_kv_proj_dim": None,
        }  # fmt: skip
        return shape | ({"vace_layers": list(self.vace_layers), "vace_in_channels": 96} if self.vace_layers else {})

    @property
    def summary(self) -> str:
        """How characters reach it, in words."""
        if self.references == "keyframe":
            return "goes on from a first frame" if self.needs_frame else "may go on from a first frame"
        said = {"pictures": "takes {} reference pictures a shot", "streams": "takes {} reference pictures a shot"}
        return said.get(self.references, "knows characters through an identity adapter").format(self.pictures)

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        """The native size (width, height) whose shape is nearest; of like shapes the one nearest in pixels."""
        if width <= 0 or height <= 0:
            raise GenerationError(f"{width}x{height} is not a size", mend="Give width and height in pixels: 832x480.")
        far = {size: abs(math.log(size[0] / size[1] * height / width)) for size in self.sizes}
        nearest = min(far.values())
        if nearest > math.log(CROP):
            raise GenerationError(
                f"{self.name} cannot make {width}x{height}: no size of its own is near that shape",
                mend=f"Ask for a size shaped like one of these: {self.size_list}.",
            )
        alike = [size for size in self.sizes if far[size] <= min(nearest + SAME_SHAPE, math.log(CROP))]
        return min(alike, key=lambda size: abs(math.log(size[0] * size[1] / (width * height))))

    def frames_for(self, seconds: float) -> int:
        """The fewest frames of the form 4k+1 that last `seconds` at the family's own rate."""
        if not 0 < seconds <= self.max_frames / self.fps:
            raise GenerationError(
                f"{self.name} cannot make a shot of {seconds:g} s",
                mend=f"A shot lasts more than 0 and at most {self.max_frames / self.fps:.1f} s; split longer ones.",
            )
        wanted = max(1, round(seconds * self.fps))
        return min(1 + 4 * math.ceil((wanted - 1) / 4), self.max_frames)

    def check(self, width: int, height: int, frames: int) -> None:
        """Refuse a size or a length that the model was not made for."""
        if (width, height) not in self.sizes:
            raise GenerationError(
                f"{self.name} cannot make {width}x{height}",
                mend=f"It makes {self.size_list}; the film is scaled after.",
            )
        if frames % 4 != 1 or not 1 <= frames <= self.max_frames:
            raise GenerationError(
                f"{self.name} cannot make {frames} frames",
                mend=f"Ask for 4k+1 frames (1, 5, 9 ...), at most {self.max_frames}.",
            )

    @property
    def size_list(self) -> str:
        """The native sizes as a person reads them: 1280x720, 720x1280."""
        return ", ".join(f"{width}x{height}" for width, height in self.sizes)
