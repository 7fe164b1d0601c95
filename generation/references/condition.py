"""What the references of a shot change in the denoising loop. The condition here changes nothing: the text says it all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from generation.family import Family
from generation.load import Model
from generation.request import ShotRequest

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

Encoder = Callable[["Tensor"], "Tensor"]
"""Pixels (1, 3, T, H, W) in -1..1 to normalised latents (1, C, F, h, w)."""
PREFIXES = ("reference.", "condition.")
"""What the names begin with of the tensors that a condition makes and the experts then need."""


class Condition:
    """The references of one shot, ready for the loop: made for a request from what `encode` made of it before."""

    frames = 0
    """Latent frames that stand before the shot's own while it is denoised."""

    apart = False
    """Whether the network's sequence is not the shot's own grid of tokens alone."""

    given = 0
    """Latent frames at the shot's start that are not made, but given."""

    def __init__(
        self, model: Model, request: ShotRequest, inputs: dict[str, Tensor], device: str, dtype: torch.dtype
    ) -> None:
        self.model, self.request = model, request
        self.device, self.dtype = device, dtype
        self.made = {name: value.to(device) for name, value in inputs.items() if name.startswith(PREFIXES)}

    @staticmethod
    def encode(family: Family, request: ShotRequest, encoder: Encoder) -> dict[str, Tensor]:
        """The tensors that the experts will need, made of the request's pictures. `encoder` loads the VAE when first used."""
        return {}

    @property
    def ways(self) -> tuple[tuple[str, bool], ...]:
        """The forwards of a guided step: which text, and whether the references are seen."""
        return ("prompt", True), ("negative", True)

    @property
    def more(self) -> dict[str, Any]:
        """Further arguments of every forward."""
        return {}

    def seen(self, latents: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """What the network gets of the latents (1, C, F, h, w): its input, and the time of it or of each of its tokens."""
        if self.model.expands:
            grid = latents[0, 0, :, ::2, ::2]
            return latents, (grid.new_ones(grid.shape) * time).flatten()[None]
        return latents, time.expand(1)

    def around(self, network: Any, live: bool) -> AbstractContextManager[None]:
        """What a forward happens in; `live` says whether it sees the references."""
        return nullcontext()

    def guided(self, latents: Tensor, sigma: Tensor, velocities: list[Tensor], guidance: float, side: int) -> Tensor:
        """One velocity of those of `ways`: classifier-free guidance. `side` is 0 for the high-noise expert."""
        if len(velocities) == 1:
            return velocities[0]
        return velocities[1] + guidance * (velocities[0] - velocities[1])

    def done(self, latents: Tensor) -> Tensor:
        """The shot's own latents, as the decoder takes them."""
        return latents

    def whole(self, latents: Tensor) -> Tensor:
        """A finished shot's latents, with what stands before them while it is denoised: what training starts from."""
        return latents


def passed_on(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """What layout hands on of its own inputs, for detail needs it too: the text and the references."""
    return {name: each for name, each in inputs.items() if name in ("prompt", "negative") or name.startswith(PREFIXES)}


def pixels(picture: np.ndarray) -> Tensor:
    """A picture (H, W, 3) uint8 RGB as (1, 3, 1, H, W) float32 in -1..1."""
    import torch

    flat = torch.from_numpy(picture.astype("float32") / 255.0).permute(2, 0, 1)
    return (2.0 * flat - 1.0)[None, :, None]
