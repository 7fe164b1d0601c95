"""Flow matching for an identity adapter: at x = (1-s) x0 + s e the expert, with the adapter in it, is to say e - x0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from generation.adapter import IdentityAdapter, short_text
from generation.load import Model
from generation.references import KINDS
from generation.training.appearances import join
from generation.training.footage import Encoded

if TYPE_CHECKING:
    from identity import IdentityPack

WORDLESS = 0.1
"""Share of the steps with the negative prompt in the place of the prompt, so that identity does not lean on words."""
MISSING = 0.1
"""Share of the times that a character's identity is left out, so that its place may be nobody's."""


@dataclass(frozen=True)
class Conditions:
    """What one step is told: the order of slots (its place in `orders`), the slots left out, whether words and identity are there
    at all, and the rows of each pack that stand for the character, None for the pack's own tokens."""

    order: int = 0
    absent: tuple[int, ...] = ()
    words: bool = True
    identity: bool = True
    rows: tuple[np.ndarray, ...] | None = None

    @classmethod
    def drawn(cls, one: Encoded, packs: Mapping[str, IdentityPack], rng: np.random.Generator) -> Conditions:
        """Words and characters dropped at random, and each character as some of its pack's frames, as if they were all of it."""
        order = int(rng.integers(len(one.orders)))
        names = one.orders[order]
        absent = tuple(np.flatnonzero(rng.random(len(names)) < MISSING).tolist())
        rows = tuple(rng.permutation(len(packs[name]))[: int(rng.integers(1, 7))] for name in names)
        return cls(order, absent, bool(rng.random() >= WORDLESS), True, rows)


def spread(u: Tensor, low: float, high: float, shift: float) -> Tensor:
    """Noise levels in low..high for u in 0..1, dense where a solver with this shift takes its steps."""
    first, last = (s / (shift - (shift - 1) * s) for s in (low, high))
    u = u * (last - first) + first
    return shift * u / (1 + (shift - 1) * u)


class Flow:
    """The loss of one expert with an adapter, on encoded footage."""

    def __init__(
        self,
        model: Model,
        network: Any,
        adapter: IdentityAdapter,
        packs: Mapping[str, IdentityPack],
        device: str,
        dtype: torch.dtype,
    ) -> None:
        self.model, self.network, self.adapter, self.packs = model, network, adapter, packs
        self.device, self.dtype = device, dtype

    @contextmanager
    def loss(self, one: Encoded, level: float, noise: int, told: Conditions) -> Iterator[Tensor]:
        """The weighed squared error at this noise level (0..1), with noise of this seed. The backward pass belongs inside: with
        gradient checkpointing it goes through the blocks once more."""
        made = one.load()
        made["prompt"] = made.pop(f"prompt.{told.order}") if told.words else made["negative"]
        request = replace(one.request, characters=one.orders[told.order])
        condition = KINDS[self.model.family.references](self.model, request, made, self.device, self.dtype)
        x0 = condition.whole(made["latents"].to(self.device))
        e = torch.randn(x0.shape, generator=torch.Generator().manual_seed(noise)).to(self.device)
        hidden, time = condition.seen((1 - level) * x0 + level * e, torch.tensor(level * 1000.0, device=self.device))
        text, bias = self._text(made["prompt"])
        identity = self._identity(told, one.orders[told.order]) if told.identity else {}
        if self.adapter.config.screen and not condition.apart:
            sizes = zip(hidden.shape[2:], self.network.config.patch_size, strict=True)
            identity["grid"] = tuple(size // patch for size, patch in sizes)
        told_apart = self.adapter.conditioning(**identity, text_bias=bias)
        mixed = nullcontext() if self.device == "cpu" else torch.autocast(self.device.partition(":")[0], torch.bfloat16)
        with mixed, told_apart, condition.around(self.network, True):
            hidden = hidden.to(self.dtype)
            out = self.network(hidden, time, text, return_dict=False, **condition.more)[0]
            error = (out.float() - (e - x0)).square().mean(1)[:, condition.frames + condition.given :]
            weight = made["weight"].to(self.device)[:, condition.given :]
            yield (error * weight).sum() / weight.sum()

    def _text(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        rows = rows.to(self.device, self.dtype)
        rest = self.model.family.text_length - len(rows)
        if not rest:
            return rows[None], None
        return short_text(torch.cat([rows, rows.new_zeros(rest, rows.shape[1])])[None], len(rows) + 1)

    def _identity(self, told: Conditions, names: tuple[str, ...]) -> dict[str, Any]:
        if not names:
            return {}
        held = []
        for place, name in enumerate(names):
            pack = self.packs[name]
            if told.rows is None:
                own = pack.tokens_input()
                held.append((own.face, own.figure, own.weights))
            else:
                held.append(join(pack.faces[told.rows[place]], pack.figures[told.rows[place]]))
        face, figure, weights = (torch.from_numpy(np.stack(each))[None].to(self.device) for each in zip(*held, strict=True))
        present = torch.tensor([[place not in told.absent for place in range(len(names))]], device=self.device)
        return {"tokens": self.adapter.tokens(face, figure, weights), "present": present}
