"""The toon experts: two stock `WanTransformer3DModel`s and their identity adapters, by flow matching on drawn latents.

One network learns all noise levels, on pictures and then on clips; then it is cloned and each copy is finished on its own
side of the boundary. Text, identity and voice are dropped now and then, apart and together, so that guidance works.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from generation.adapter import AdapterConfig, IdentityAdapter
from generation.toon.locator import Locator
from generation.toon.references import References
from generation.training.appearances import join
from generation.training.flow import spread
from generation.training.loop import Loop, rank
from generation.training.precision import device, mixed

if TYPE_CHECKING:
    from diffusers import WanTransformer3DModel
    from transformers import UMT5EncoderModel

TRANSFORMER: dict[str, Any] = {
    "patch_size": (1, 2, 2), "num_attention_heads": 4, "attention_head_dim": 48, "in_channels": 16, "out_channels": 16,
    "text_dim": 128, "freq_dim": 256, "ffn_dim": 768, "num_layers": 8, "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 64,
}  # fmt: skip
ID_DIM = 128
SCREEN = 5
STOCK = 0.1
"""Share of the steps that do without the adapter's sense of the screen, so that the experts keep to something alone."""
SIDELESS = 0.15
"""Share of the rows that do not say who is on which side, so that the words alone are heeded too."""
LOCATE = 0.05
"""Weight of the locator's loss."""
HEARD = 0.8
"""Share of the rows in which the voices are known."""
MOVED = 0.5
"""Weight of how the error changes from one latent frame to the next: a mouth that opens, a background that is to be still."""
TEXT_ROWS = 80
"""Text rows in training; the stock pipeline's 512 are the same by a bias on the last (zero) row."""
BOUNDARY = 0.875
RANGES = {"both": (0.0, 1.0), "high": (BOUNDARY - 0.015, 1.0), "low": (0.0, BOUNDARY + 0.025)}
SHIFT = {"pictures": 2.5, "clips": 3.5}
PICTURE_ROWS, CLIP_ROWS = 24, ((3, 9), (8, 3))
"""Pictures of a step; clips of a step and their latent frames: long ones, and more of short ones."""
SIZED_ROWS, SIZED_CLIP_ROWS = 16, ((2, 9), (6, 3))
"""The same at the sizes that the model renders, which have 1.7 times the patches."""
SIZED_SHARES = (0.78, 0.11, 0.11)
"""How often each of these sizes is taken."""
SHORT = 0.4
"""How many of the steps with clips take short ones."""


@dataclass(frozen=True)
class Latents:
    """One drawn set behind the VAE: `x` (N, 16, T, h, w) fp16, normalised; token ids (N, C, L) of C captions each; people (N, 3)
    and their sides of the screen (N, 3), places in SIDES, -1 for nobody; `spots` (N, T, 3, 11) where their joints are, see
    `locator.spots`; levels (N, 3, frames); `weight` (N, T, h/2, w/2) of each patch, more on faces; `channels` (16,) weights, mean
    1; `base` numbers its pictures in the references."""

    x: np.ndarray
    words: np.ndarray
    people: np.ndarray
    sides: np.ndarray
    spots: np.ndarray
    levels: np.ndarray
    weight: np.ndarray
    channels: np.ndarray
    base: int


class Painter(nn.Module):
    """What trains together: text encoder, transformer, adapter, and the locator, which only training has."""

    text_encoder: UMT5EncoderModel
    transformer: WanTransformer3DModel
    adapter: IdentityAdapter
    locator: Locator

    def __init__(
        self, text_encoder: UMT5EncoderModel, transformer: WanTransformer3DModel, adapter: IdentityAdapter, locator: Locator
    ) -> None:
        super().__init__()
        self.text_encoder, self.transformer, self.adapter, self.locator = text_encoder, transformer, adapter, locator

    def embed(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Text rows (B, L, D) with padding zeroed as the stock pipeline does, and the bias that stands for its other rows."""
        mask = (words != 0).long()
        rows = self.text_encoder(words, attention_mask=mask).last_hidden_state * mask[..., None]
        bias = torch.zeros(1, words.shape[1], device=words.device)
        bias[0, -1] = float(np.log(512 - words.shape[1] + 1))
        return rows, bias


def make_painter(text_encoder: UMT5EncoderModel, figure_dim: int) -> Painter:
    """Fresh networks where training computes."""
    from diffusers import WanTransformer3DModel

    transformer = WanTransformer3DModel(**TRANSFORMER)
    adapter = IdentityAdapter(AdapterConfig.of(transformer, figure_dim=figure_dim, id_dim=ID_DIM, screen=SCREEN))
    adapter.attach(transformer)
    locator = Locator(adapter.config.inner_dim)
    locator.attach(transformer)
    return Painter(text_encoder, transformer, adapter, locator).to(device())


def load_painter(painter: Painter, model: Path, expert: str) -> None:
    """Put one expert of a model folder, `transformer` or `transformer_2`, its adapter and the text encoder into a painter of the
    same shape."""
    from safetensors.torch import load_file

    for part, path in (
        (painter.transformer, f"{expert}/diffusion_pytorch_model.safetensors"),
        (painter.adapter, f"{expert}/identity_adapter.safetensors"),
        (painter.text_encoder, "text_encoder/model.safetensors"),
    ):
        known = {name: value.float() for name, value in load_file(model / path).items()}
        missing, surplus = part.load_state_dict(known, strict=False)  # tied weights are saved once
        tied = part is painter.text_encoder and all("embed_tokens" in name for name in missing)
        if surplus or (missing and not tied):
            raise ValueError(f"{model / path} holds another shape: {[*missing, *surplus][:3]}")


def clone(painter: Painter) -> Painter:
    """A copy with its own transformer, adapter and locator."""
    transformer, adapter, locator = copy.deepcopy((painter.transformer, painter.adapter, painter.locator))
    adapter.attach(transformer)  # the locator's hook is copied with the transformer
    return Painter(painter.text_encoder, transformer, adapter, locator)


class Batches:
    """Draws training rows from a set of latents."""

    def __init__(self, latents: Latents, references: References) -> None:
        self.latents, self.references = latents, references
        self.rows = references.by_identity()

    def take(self, rng: np.random.Generator, count: int, frames: int | None = None) -> dict[str, Tensor]:
        """`count` random rows, with identities from other drawings than the row's own, and conditions dropped at random.

        `frames`: only so many latent frames of each, from its start.
        """
        return self.rows_of(rng.integers(len(self.latents.x), size=count), rng, frames)

    def rows_of(
        self, index: np.ndarray, rng: np.random.Generator, frames: int | None = None, *, dropping: bool = True
    ) -> dict[str, Tensor]:
        """The rows of these numbers; with `dropping` some without their words, identities, voices or sides."""
        data, count = self.latents, len(index)
        frames = frames or data.x.shape[2]
        face = np.zeros((count, 3, 5, self.references.face.shape[1]), np.float32)
        figure = np.zeros((count, 3, 5, self.references.figure.shape[1]), np.float32)
        weights = np.zeros((count, 3, 5), np.float32)
        present = np.zeros((count, 3), bool)
        heard = np.zeros((count, 3), bool)
        sides, spots = data.sides[index], data.spots[index, :frames]
        words = data.words[index, rng.integers(data.words.shape[1], size=count)]
        for b, i in enumerate(index):
            lot = rng.random() if dropping else 1.0
            all_dropped, no_identity, no_text = lot < 0.1, 0.1 <= lot < 0.17, 0.17 <= lot < 0.21
            if all_dropped or no_text:
                words[b] = 0
                words[b, 0] = 1  # the end mark alone: the empty prompt
                spots[b] = -1
            for slot, seed in enumerate(data.people[i]):
                if seed < 0 or all_dropped or no_identity:
                    continue
                rows = self.rows.get(int(seed), np.empty(0, int))
                others = rows[self.references.picture[rows] != data.base + i]
                rows = others if len(others) else rows
                if not len(rows):
                    continue
                some = rng.permutation(rows)[: int(rng.integers(1, 7))]
                face[b, slot], figure[b, slot], weights[b, slot] = join(
                    self.references.face[some], self.references.figure[some]
                )
                present[b, slot] = True
            if present[b].any() and (rng.random() < HEARD or not dropping):
                heard[b] = present[b]
            if rng.random() < SIDELESS and dropping:
                sides[b] = -1
        made = {
            "x": data.x[index, :, :frames], "levels": data.levels[index, :, : 4 * frames - 3],
            "weight": data.weight[index, :frames], "words": words, "face": face, "figure": figure, "weights": weights,
            "present": present, "heard": heard, "sides": sides, "spots": spots, "channels": data.channels,
        }  # fmt: skip
        return {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in made.items()}


class Sizes:
    """Draws each step's rows from one of several sets, by their shares: a step is of one size."""

    def __init__(self, sets: Sequence[Batches], shares: Sequence[float]) -> None:
        self.sets, self.shares = sets, shares

    def take(self, rng: np.random.Generator, count: int, frames: int | None = None) -> dict[str, Tensor]:
        return self.sets[int(rng.choice(len(self.sets), p=self.shares))].take(rng, count, frames)


def losses(
    painter: Painter, batch: dict[str, Tensor], side: str, shift: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Flow matching: at x = (1-s) x0 + s e the network is to say e - x0; and how badly it knows where the joints are.

    s follows the shifted uniform law on the side's range.
    """
    batch = {name: value.to(device(), non_blocking=True) for name, value in batch.items()}
    x0 = batch["x"].float()
    low, high = RANGES[side]
    s = spread(torch.rand(len(x0), generator=generator).to(x0.device), low, high, shift)
    noise = torch.randn(x0.shape, generator=generator).to(x0.device)
    mix = s.view(-1, 1, 1, 1, 1)
    placed = float(torch.rand((), generator=generator)) >= STOCK
    out = velocity(painter, batch, (1 - mix) * x0 + mix * noise, s, placed=placed)
    error = out - (noise - x0)
    channels = batch["channels"].view(1, -1, 1, 1, 1)
    weight = batch["weight"].repeat_interleave(2, -1).repeat_interleave(2, -2)
    weight = weight / weight.mean()
    lost = ((error.square() * channels).mean(1) * weight).mean()
    if x0.shape[2] > 1:
        lost = lost + MOVED * ((error.diff(dim=2).square() * channels).mean(1) * weight[:, 1:]).mean()
    return lost, painter.locator.loss(batch["spots"].long())


def velocity(painter: Painter, batch: dict[str, Tensor], x: Tensor, s: Tensor, *, placed: bool = True) -> Tensor:
    """What the network says at x (B, 16, T, h, w) of noise levels s (B,), told what `batch` knows; and, if `placed`, where on the
    screen its positions are."""
    frames, height, width = x.shape[2:]
    with mixed():
        text, bias = painter.embed(batch["words"].long())
        tokens = painter.adapter.tokens(batch["face"], batch["figure"], batch["weights"])
        voice = painter.adapter.voice(batch["levels"])
        with painter.adapter.conditioning(
            tokens, present=batch["present"], voice=voice, heard=batch["heard"], text_bias=bias,
            grid=(frames, height // 2, width // 2) if placed else None, sides=batch["sides"],
        ):  # fmt: skip
            out: Tensor = painter.transformer(x, s * 1000, text, return_dict=False)[0]
    return out.float()


def expert_loop(work: Path, name: str, painter: Painter, steps: int, rate: float) -> Loop:
    """The loop of one stretch of expert training. In 400 steps Muon took .018 off the loss where AdamW took .010."""
    return Loop(work, name, painter, steps=steps, rate=rate, betas=(0.9, 0.98), ema=0.999, warmup=100, muon=_hidden)


def _hidden(name: str, tensor: Tensor) -> bool:
    """The matrices inside the networks, as Muon is meant for; neither what reads in nor what writes out."""
    outer = ("embed", "shared", "proj_out", "slot", "relative_attention_bias")
    return tensor.ndim == 2 and min(tensor.shape) >= 64 and not any(part in name for part in outer)


def train_stage(
    loop: Loop, painter: Painter, pictures: Batches | Sizes, clips: Batches | Sizes, *, side: str, seed: int, clip_share: float
) -> None:  # fmt: skip
    """One stretch of training on one side of the boundary; each step takes pictures or, in a `clip_share` of them, clips."""
    sized = isinstance(pictures, Sizes)
    picture_rows, clip_rows = (SIZED_ROWS, SIZED_CLIP_ROWS) if sized else (PICTURE_ROWS, CLIP_ROWS)
    painter.train()
    kept: dict[str, float] = {}
    for step in loop:
        rng = np.random.default_rng([seed, step, rank()])
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        # every process takes the same kind, so that none waits for another
        lot = np.random.default_rng([seed, step]).random()
        kind, source, rows, frames = "pictures", pictures, picture_rows, None
        if lot < clip_share:
            rows, frames = clip_rows[int(lot < SHORT * clip_share)]
            kind, source = "clips", clips
        # The fused attention kernel's bf16 backward pass is many times slower on a CPU than plain matrix products.
        with sdpa_kernel(SDPBackend.MATH) if device().type == "cpu" else nullcontext():
            lost, apart = losses(painter, source.take(rng, rows, frames), side, SHIFT[kind], generator)
            loop.update(lost + LOCATE * apart)
        for name, loss in ((kind, lost.detach()), (f"joints in {kind}", apart.detach())):
            kept[name] = 0.98 * kept.get(name, float(loss)) + 0.02 * float(loss)
        if step % 50 == 0:
            loop.say(" ".join(f"{k} {v:.4f}" for k, v in kept.items()))


def save_expert(painter: Painter, folder: Path) -> None:
    """The transformer in diffusers layout as fp16, the adapter beside it."""
    transformer, adapter = copy.deepcopy((painter.transformer, painter.adapter))
    transformer.half().save_pretrained(folder)
    adapter.half().save(folder)
