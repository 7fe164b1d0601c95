"""Decoupled cross-attention: the text attention of a Wan block, plus attention to identity and voice tokens.

The three share the query and the output projection. diffusers does not pass `attention_kwargs` on to the blocks, so
each processor holds its block's projections and reads the conditioning of the moment from a shared `Live`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor, _get_qkv_projections
from torch import Tensor, nn

from generation.screen import SideBias


@dataclass
class Conditioning:
    """What one forward of the transformer is told beside the text. Every field is a tensor or absent.

    tokens (B, N, D); scale (B, N, 1), by which each token's value is multiplied; keep (B, 1, 1, N+1) bool, which keys
    exist, the sink last; voice (B, F, S, D), voice_scale (B, 1, S, 1), voice_keep (B, 1, 1, S+1) likewise;
    text_bias (1 or B, 1, 1, L), added to the text attention's logits; screen (N, P), where on the screen each position
    of the sequence lies; sides (B, N+1, 3), 1 for the side of the screen that a token's character is on; voice_sides
    (B, S+1, 3) likewise.
    """

    tokens: Tensor | None = None
    scale: Tensor | None = None
    keep: Tensor | None = None
    voice: Tensor | None = None
    voice_scale: Tensor | None = None
    voice_keep: Tensor | None = None
    text_bias: Tensor | None = None
    screen: Tensor | None = None
    sides: Tensor | None = None
    voice_sides: Tensor | None = None


class Live:
    """The conditioning of the forward that is running, or None."""

    def __init__(self) -> None:
        self.now: Conditioning | None = None


class KeyValue(nn.Module):
    """One block's own key and value of a kind of token.

    The value starts at zero, so a fresh adapter changes nothing. A sink, a learned key whose value is always zero,
    lets a position attend to nobody.
    """

    def __init__(self, token_dim: int, inner_dim: int, eps: float) -> None:
        super().__init__()
        self.to_k = nn.Linear(token_dim, inner_dim, bias=False)
        self.to_v = nn.Linear(token_dim, inner_dim, bias=False)
        self.norm_k = nn.RMSNorm(inner_dim, eps=eps, elementwise_affine=True)
        self.sink = nn.Parameter(torch.zeros(inner_dim))
        nn.init.zeros_(self.to_v.weight)

    def forward(self, tokens: Tensor, scale: Tensor | None) -> tuple[Tensor, Tensor]:
        """Key and value (..., N+1, inner_dim) of tokens (..., N, D); scale (..., N, 1) multiplies the values."""
        tokens = tokens.to(self.to_k.weight.dtype)
        key = self.norm_k(self.to_k(tokens))
        value = self.to_v(tokens)
        if scale is not None:
            value = value * scale.to(value.dtype)
        sink = self.sink.to(key.dtype).expand(*key.shape[:-2], 1, -1)
        return torch.cat([key, sink], dim=-2), torch.cat([value, torch.zeros_like(sink, dtype=value.dtype)], dim=-2)


class IdentityProcessor(WanAttnProcessor):
    """Stands in the place of `WanAttnProcessor` in a block's `attn2`; with nothing live it is that processor.

    A plain object, not a module: the projections belong to the adapter, so the transformer's own state dict and
    checkpoint never contain them. Without projections it attends to the text alone, as short as the other blocks have it.
    """

    def __init__(
        self,
        live: Live,
        identity: KeyValue | None = None,
        voice: KeyValue | None = None,
        screen: nn.Linear | None = None,
        sides: SideBias | None = None,
        voice_sides: SideBias | None = None,
    ) -> None:
        super().__init__()
        self.identity = identity
        self.voice = voice
        self.screen = screen
        self.sides = sides
        self.voice_sides = voice_sides
        self.live = live

    def __call__(
        self,
        attn: WanAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        now = self.live.now
        if now is None:
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb)

        assert encoder_hidden_states is not None  # attn2 always has a text
        image = None
        if attn.add_k_proj is not None:
            # The stock rule: the last 512 rows are text, those before them an image.
            image, encoder_hidden_states = encoder_hidden_states[:, :-512], encoder_hidden_states[:, -512:]
        query, key, value = _get_qkv_projections(attn, hidden_states, encoder_hidden_states)
        query = attn.norm_q(query).unflatten(2, (attn.heads, -1))
        key = attn.norm_k(key).unflatten(2, (attn.heads, -1))
        value = value.unflatten(2, (attn.heads, -1))
        if now.text_bias is not None:
            out = self._attend(query, key, value, now.text_bias.to(query.dtype))
        else:
            out = dispatch_attention_fn(query, key, value, backend=self._attention_backend)
            out = out.flatten(2, 3).type_as(query)
        if image is not None:
            key = attn.norm_added_k(attn.add_k_proj(image)).unflatten(2, (attn.heads, -1))
            value = attn.add_v_proj(image).unflatten(2, (attn.heads, -1))
            seen = dispatch_attention_fn(query, key, value, backend=self._attention_backend)
            out = out + seen.flatten(2, 3).type_as(query)
        if now.tokens is not None and self.identity is not None:
            key, value = self.identity(now.tokens, now.scale)
            key, value = key.unflatten(2, (attn.heads, -1)), value.unflatten(2, (attn.heads, -1))
            out = out + self._attend(query, key, value, _mask(now.keep, self.sides, now.sides, now.screen))
        if now.voice is not None and self.voice is not None:
            key, value = self.voice(now.voice, now.voice_scale)
            out = out + self._attend_by_frame(query, key, value, now)
        if now.screen is not None and self.screen is not None:
            out = out + self.screen(now.screen.to(self.screen.weight.dtype)).type_as(out)
        return attn.to_out[1](attn.to_out[0](out))

    @staticmethod
    def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        # Always the native kernel: the keys are few, and the fast backends drop a mask without a word.
        key, value = key.to(query.dtype), value.to(query.dtype)
        if mask is not None and mask.dtype != torch.bool:
            mask = mask.to(query.dtype)
        out = dispatch_attention_fn(query, key, value, attn_mask=mask, backend=AttentionBackendName.NATIVE)
        return out.flatten(2, 3).type_as(query)

    def _attend_by_frame(self, query: Tensor, key: Tensor, value: Tensor, now: Conditioning) -> Tensor:
        """A position hears only the voices of its own latent frame: fold the frames into the batch."""
        batch, frames = key.shape[:2]
        heads = query.shape[2]
        key = key.flatten(0, 1).unflatten(2, (heads, -1))
        value = value.flatten(0, 1).unflatten(2, (heads, -1))
        folded = query.unflatten(1, (frames, -1)).flatten(0, 1)
        screen = None if now.screen is None else now.screen[: folded.shape[1]]  # each frame's positions are the same
        mask = _mask(now.voice_keep, self.voice_sides, now.voice_sides, screen)
        if mask is not None:
            mask = mask.expand(batch, -1, -1, -1).repeat_interleave(frames, dim=0)
        return self._attend(folded, key, value, mask).unflatten(0, (batch, frames)).flatten(1, 2)


def _mask(keep: Tensor | None, bias: SideBias | None, sides: Tensor | None, screen: Tensor | None) -> Tensor | None:
    """Which tokens exist, and how well each fits each position's side of the screen."""
    if bias is None or sides is None or screen is None:
        return keep
    fit = bias(screen, sides)
    return fit if keep is None else fit.masked_fill(~keep, -torch.inf)
