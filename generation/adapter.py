"""The identity adapter: tokens of up to three characters, and their voices, into any `WanTransformer3DModel`.

    adapter = IdentityAdapter(AdapterConfig.of(transformer, figure_dim=256, id_dim=128))
    adapter.attach(transformer)
    with adapter.conditioning(adapter.tokens(face, figure, weights), present=present, voice=adapter.voice(levels)):
        velocity = transformer(latents, timestep, text, return_dict=False)[0]

A fresh adapter changes nothing, bit for bit. Its weights live in the adapter alone and are saved apart from the base.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from generation.adapter_files import CONFIG, WEIGHTS, check
from generation.attention import Conditioning, IdentityProcessor, KeyValue, Live
from generation.errors import GenerationError
from generation.projector import IdentityProjector, VoiceProjector
from generation.screen import SideBias, screen_layer, screen_waves, sides_by_key

if TYPE_CHECKING:
    from diffusers import WanTransformer3DModel
    from diffusers.models.transformers.transformer_wan import WanAttnProcessor

SCHEMA = "identity_adapter/1"


@dataclass(frozen=True)
class AdapterConfig:
    """Widths and counts. `inner_dim` and `num_blocks` must be the transformer's own.

    A voice token is narrow in any model: it holds four numbers and a slot. `screen` counts the waves that tell a position
    of the sequence where on the screen it lies, 0 for none: Wan knows only relative positions, and a small model is slow to
    find out the rest. With it goes `heads`, the transformer's own count, each of which learns to heed a character's side.
    """

    figure_dim: int
    id_dim: int
    inner_dim: int
    num_blocks: int
    face_dim: int = 512
    tokens_per_character: int = 8
    slots: int = 3
    voice_dim: int = 128
    screen: int = 0
    heads: int = 0
    eps: float = 1e-6

    @classmethod
    def of(
        cls,
        transformer: WanTransformer3DModel,
        *,
        figure_dim: int,
        id_dim: int,
        tokens_per_character: int = 8,
        screen: int = 0,
    ) -> AdapterConfig:
        """The configuration that fits this `WanTransformer3DModel`."""
        config = transformer.config
        return cls(
            figure_dim=figure_dim,
            id_dim=id_dim,
            inner_dim=config.num_attention_heads * config.attention_head_dim,
            num_blocks=config.num_layers,
            tokens_per_character=tokens_per_character,
            screen=screen,
            heads=config.num_attention_heads if screen else 0,
            eps=config.eps,
        )


class IdentityAdapter(nn.Module):
    """Projectors of identity and voice, and for each block of the transformer its own keys and values."""

    def __init__(self, config: AdapterConfig) -> None:
        super().__init__()
        self.config = config
        self.projector = IdentityProjector(
            config.face_dim, config.figure_dim, config.id_dim, config.tokens_per_character, config.slots
        )
        self.voice_projector = VoiceProjector(config.voice_dim, config.slots)
        blocks, inner, eps = range(config.num_blocks), config.inner_dim, config.eps
        self.identity_blocks = nn.ModuleList(KeyValue(config.id_dim, inner, eps) for _ in blocks)
        self.voice_blocks = nn.ModuleList(KeyValue(config.voice_dim, inner, eps) for _ in blocks)
        self.screen_blocks = nn.ModuleList(screen_layer(config.screen, inner) for _ in blocks if config.screen)
        self.side_blocks = nn.ModuleList(SideBias(config.screen, config.heads) for _ in blocks if config.heads)
        self.voice_side_blocks = nn.ModuleList(SideBias(config.screen, config.heads) for _ in blocks if config.heads)
        self._live = Live()

    def tokens(self, face: Tensor, figure: Tensor, weights: Tensor) -> Tensor:
        """Identity tokens (B, S*T, id_dim) of face (B, S, R, 512), figure (B, S, R, F) and weights (B, S, R)."""
        return self.projector(face, figure, weights)

    def voice(self, levels: Tensor) -> Tensor:
        """Voice tokens (B, latent frames, S, voice_dim) of the loudness (B, S, 4k+1) in 0..1 of each video frame."""
        return self.voice_projector(levels)

    @contextmanager
    def conditioning(
        self,
        tokens: Tensor | None = None,
        *,
        present: Tensor | None = None,
        scale: Tensor | float = 1.0,
        voice: Tensor | None = None,
        voice_scale: float = 1.0,
        heard: Tensor | None = None,
        text_bias: Tensor | None = None,
        grid: tuple[int, int, int] | None = None,
        sides: Tensor | None = None,
    ) -> Iterator[None]:
        """Within it, forwards of the attached transformer attend to these tokens.

        present (B, S) bool: which slots hold a character (all, if not given); a row with none is left as it was.
        scale: a number, or (B, S): each character's own strength; 0 changes nothing, and silences it.
        voice_scale: the strength of all voices.
        heard (B, S) bool: which slots have a voice track; those that are present, if not given.
        text_bias (L,), (1, L) or (B, L): added to the text attention's logits, see `short_text`.
        grid: frames, rows and columns of the sequence, for an adapter that tells each position its place on the screen.
        sides (B, S) int: each character's side of the screen, a place in SIDES or -1 for unknown; needs `grid`.
        With gradient checkpointing the backward pass recomputes the blocks, so it belongs inside as well.
        """
        before = self._live.now
        self._live.now = self._prepare(tokens, present, scale, voice, voice_scale, heard, text_bias, grid, sides)
        try:
            yield
        finally:
            self._live.now = before

    def _prepare(
        self,
        tokens: Tensor | None,
        present: Tensor | None,
        scale: Tensor | float,
        voice: Tensor | None,
        voice_scale: float,
        heard: Tensor | None,
        text_bias: Tensor | None,
        grid: tuple[int, int, int] | None,
        sides: Tensor | None,
    ) -> Conditioning | None:
        if isinstance(scale, (int, float)) and scale == 0:
            tokens = voice = grid = None  # exactly nothing, and nothing to compute
        grid = grid if self.config.screen else None
        if tokens is None and voice is None and text_bias is None and grid is None:
            return None
        weight = torch.tensor([[float(scale)]]) if isinstance(scale, (int, float)) else scale
        now = Conditioning(tokens=tokens, voice=voice)
        if text_bias is not None:
            now.text_bias = text_bias.reshape(-1, 1, 1, text_bias.shape[-1])
        if grid is not None:
            now.screen = screen_waves(grid, self.config.screen).to(self.projector.slot.device)
        if tokens is not None:
            each, keep = _by_key(tokens, self.config.tokens_per_character, weight, present)
            now.scale, now.keep = None if each is None else each[:, :, None], keep
            if sides is not None and self.side_blocks:
                now.sides = sides_by_key(sides.to(tokens.device), self.config.tokens_per_character)
        if voice is not None:
            each, keep = _by_key(voice, 1, voice_scale * (weight != 0), present if heard is None else heard)
            now.voice_scale, now.voice_keep = None if each is None else each[:, None, :, None], keep
            if sides is not None and self.voice_side_blocks:
                now.voice_sides = sides_by_key(sides.to(voice.device), 1)
        return now

    def attach(self, transformer: WanTransformer3DModel) -> IdentityAdapter:
        """Give every block of this `WanTransformer3DModel` the adapter's attention; `detach` takes it away again.

        The side branch of a VACE model reads the same text, which may be cut short, and gets no more than that.
        """
        blocks = transformer.blocks
        heads = transformer.config.num_attention_heads
        inner = heads * transformer.config.attention_head_dim
        if (len(blocks), inner) != (self.config.num_blocks, self.config.inner_dim) or self.config.heads not in (0, heads):
            raise GenerationError(
                f"this adapter is for {self.config.num_blocks} blocks of width {self.config.inner_dim}"
                + (f" with {self.config.heads} heads" if self.config.heads else "")
                + f", the transformer has {len(blocks)} of width {inner} with {heads} heads",
                mend="Use the adapter that was trained for this checkpoint.",
            )
        none = [None] * len(blocks)
        own = (self.identity_blocks, self.voice_blocks, self.screen_blocks, self.side_blocks, self.voice_side_blocks)
        for block, *parts in zip(blocks, *(each or none for each in own), strict=True):
            processor = IdentityProcessor(self._live, *parts)
            _exchange(block, processor)
        for block in _side_branch(transformer):
            _exchange(block, IdentityProcessor(self._live))
        return self

    @staticmethod
    def detach(transformer: WanTransformer3DModel) -> None:
        """Give the blocks their stock attention back."""
        from diffusers.models.transformers.transformer_wan import WanAttnProcessor

        for block in (*transformer.blocks, *_side_branch(transformer)):
            _exchange(block, WanAttnProcessor())

    def check_pack(self, name: str, face_dim: int, figure_dim: int) -> None:
        """Refuse the identity of @name when its embeddings are of other widths."""
        if (face_dim, figure_dim) != (self.config.face_dim, self.config.figure_dim):
            raise GenerationError(
                f"@{name}'s pack was made by encoders of another width: {face_dim} and {figure_dim} numbers for face and figure, "
                f"the identity adapter takes {self.config.face_dim} and {self.config.figure_dim}",
                mend="Make it again with `storyboard refs prepare`.",
            )

    def save(self, folder: Path | str) -> None:
        """Write the weights and the configuration into `folder`."""
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: value.contiguous() for name, value in self.state_dict().items()}
        save_file(state, folder / WEIGHTS)
        text = json.dumps({"schema": SCHEMA, **asdict(self.config)}, indent=2) + "\n"
        (folder / CONFIG).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path | str, dtype: torch.dtype | None = None) -> IdentityAdapter:
        """Read an adapter from `folder`, in eval mode, as `dtype` (as saved, if not given)."""
        from safetensors.torch import load_file

        folder = Path(folder)
        check(folder)
        state = load_file(folder / WEIGHTS)
        with torch.device("meta"):
            adapter = cls(read_config(folder))
        try:
            adapter.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise GenerationError(
                f"the adapter's weights do not fit its configuration ({str(error).splitlines()[-1].strip()})",
                where=str(folder / WEIGHTS),
                mend=f"{WEIGHTS} and {CONFIG} belong together: copy both from where they were trained.",
            ) from None
        return adapter.to(dtype).eval().requires_grad_(False)


def _side_branch(transformer: Any) -> Any:
    """The blocks beside the transformer's own, of a VACE model."""
    return getattr(transformer, "vace_blocks", ())


def _exchange(block: Any, processor: WanAttnProcessor) -> None:
    """Put another processor into a block's text attention, with the backend of the one that was there."""
    processor._attention_backend = block.attn2.processor._attention_backend
    block.attn2.set_processor(processor)


def _by_key(
    tokens: Tensor, each: int, scale: Tensor | None, there: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """Scale (B, N) of each token's value and mask (B, 1, 1, N+1) of its key, from those of the slots (B, S)."""
    batch, slots = tokens.shape[0], tokens.shape[-2] // each
    if scale is not None:
        scale = scale.to(tokens.device).expand(batch, slots).repeat_interleave(each, dim=1)
    if there is not None:
        there = there.to(tokens.device).bool().expand(batch, slots).repeat_interleave(each, dim=1)
        there = torch.cat([there, there.new_ones(batch, 1)], dim=1)[:, None, None, :]  # the sink is always there
    return scale, there


def read_config(folder: Path) -> AdapterConfig:
    """The configuration in `folder`, or a GenerationError."""
    path = folder / CONFIG
    mend = "Copy the adapter's folder again, or train it with `storyboard train identity`."
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = data.pop("schema")
        if schema == SCHEMA:
            return AdapterConfig(**data)
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise GenerationError(f"no readable adapter configuration ({error})", where=str(path), mend=mend) from None
    raise GenerationError(f"an adapter of schema {schema!r}, this version reads {SCHEMA}", where=str(path), mend=mend)


def short_text(embeds: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Text embeddings (B, L, D), zero from row `length - 1` on, as the equal (B, length, D) and bias (1, length).

    All zero rows have one key and one value, so a single one of them with log(count) added to its logit weighs as
    much as all: the same attention (to rounding) at a fraction of the cost.
    """
    rest = embeds.shape[1] - length
    if rest < 0 or bool(embeds[:, length - 1 :].any()):
        raise ValueError(f"only text whose rows from {length - 1} on are zero can be cut to {length} rows")
    bias = embeds.new_zeros(1, length, dtype=torch.float32)
    bias[:, -1] = math.log(rest + 1)
    return embeds[:, :length], bias
