"""References as token streams of their own: the Bernini-R way.

The network is a plain Wan transformer. Each picture's latent is a stream of tokens before the shot's, on the same rotary grid
that starts at 0, turned by a constant phase that tells the streams apart; what the network makes of them is dropped at the
end. Guidance goes in two steps, nothing -> pictures -> pictures and prompt, each with its part along the result damped
(adaptive projected guidance, Sadat et al. 2024). Without pictures all of this is exactly the stock network and guidance.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from generation.family import Family
from generation.references.condition import Condition, Encoder, pixels
from generation.request import ShotRequest

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

SIDE = 848  # longer side of a reference picture, pixels
STEP = 16  # its sides are multiples of this: a token's reach
THETA = 10000.0
NORM = 50.0  # the most that a step of guidance moves a latent frame
ALONG = 0.5  # share that is kept of the part along the result


class Streams(Condition):
    """Makes `reference.0`, `reference.1` ...: the latent (1, C, 1, h, w) of each picture, in slot order."""

    @staticmethod
    def encode(family: Family, request: ShotRequest, encoder: Encoder) -> dict[str, Tensor]:
        most = min(SIDE, max(request.width, request.height))
        chosen = request.all_pictures
        return {f"reference.{place}": encoder(pixels(fitted(picture, most))) for place, picture in enumerate(chosen)}

    @property
    def apart(self) -> bool:  # type: ignore[override]
        return bool(self.made)

    @property
    def latents(self) -> list[Tensor]:
        """The streams' latents."""
        return [self.made[f"reference.{place}"] for place in range(len(self.made))]

    @property
    def ways(self) -> tuple[tuple[str, bool], ...]:
        return (("prompt", True), ("negative", True), ("negative", False)) if self.made else super().ways

    def around(self, network: Any, live: bool) -> AbstractContextManager[None]:
        return joined(network, [each.to(self.dtype) for each in self.latents]) if live and self.made else nullcontext()

    def guided(self, latents: Tensor, sigma: Tensor, velocities: list[Tensor], guidance: float, side: int) -> Tensor:
        if len(velocities) < 3:
            return super().guided(latents, sigma, velocities, guidance, side)
        noise, at = latents.double(), sigma.double().to(latents.device)
        both, pictures, nothing = (noise - at * each.double() for each in velocities)
        shown = self.model.family.picture_guidance[side]
        result = nothing + shown * damped(pictures - nothing, pictures) + guidance * damped(both - pictures, both)
        return ((noise - result) / at).to(latents.dtype)


def fitted(picture: np.ndarray, most: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 RGB with its longer side at most `most` and both sides multiples of STEP, nothing cut off."""
    import numpy as np
    from PIL import Image

    height, width = picture.shape[:2]
    scale = min(1.0, most / max(height, width))
    size = tuple(max(STEP, round(side * scale / STEP) * STEP) for side in (width, height))
    if size == (width, height):
        return picture
    return np.asarray(Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.LANCZOS))


def damped(step: Tensor, result: Tensor) -> Tensor:
    """A step of guidance (1, C, F, h, w), clipped to NORM in each latent frame, with the part along `result` weakened."""
    import torch

    dims = (-1, -2, -4)
    size = torch.linalg.vector_norm(step, dim=dims, keepdim=True)
    step = step * (NORM / size.clamp_min(1e-12)).clamp(max=1.0)
    way = result / torch.linalg.vector_norm(result, dim=dims, keepdim=True).clamp_min(1e-12)
    along = (step * way).sum(dim=dims, keepdim=True) * way
    return step - along + ALONG * along


@contextmanager
def joined(network: Any, streams: list[Tensor]) -> Iterator[None]:
    """Within it, forwards of this `WanTransformer3DModel` see the streams (1, C, 1, h, w) before their own tokens.

    The transformer stays as it is: hooks put the tokens before its first block, their phases to the rotary embedding that all
    blocks share, and take the tokens away after the last block.
    """
    import torch

    blocks, rope = network.blocks, network.rope
    count = 0

    def turn(_: Any, __: Any, own: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        phases = [turned(rope, rope.forward(each), number) for number, each in enumerate(streams, start=1)]
        cos, sin = (torch.cat([*(each[part] for each in phases), own[part]], dim=1) for part in (0, 1))
        return cos, sin

    def enter(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        nonlocal count
        # Only now: where weights come and go, they are sure to be there within the network's own forward alone.
        tokens = [network.patch_embedding(each).flatten(2).transpose(1, 2) for each in streams]
        count = sum(each.shape[1] for each in tokens)
        return torch.cat([*tokens, args[0]], dim=1), *args[1:]

    def leave(_: Any, __: Any, hidden: Tensor) -> Tensor:
        return hidden[:, count:]

    hooks = [
        rope.register_forward_hook(turn),
        blocks[0].register_forward_pre_hook(enter),
        blocks[-1].register_forward_hook(leave),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def turned(rope: Any, own: tuple[Tensor, Tensor], number: int) -> tuple[Tensor, Tensor]:
    """Rotary cosines and sines (1, N, 1, D) turned by the phase of stream `number`: its place on a line over all D numbers."""
    import torch

    dim = rope.attention_head_dim
    cos, sin = (each.double() for each in own)
    angle = number * THETA ** (-torch.arange(0, dim, 2, dtype=torch.float64, device=cos.device) / dim)
    by_cos, by_sin = (each.repeat_interleave(2) for each in (angle.cos(), angle.sin()))
    return (cos * by_cos - sin * by_sin).to(own[0].dtype), (sin * by_cos + cos * by_sin).to(own[1].dtype)
