"""Where things are on the screen: what tells a position of the sequence its place, and a character's side its positions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from generation.request import SIDES

SIDE_GAIN = 8.0
"""The unit of a side's logits: an optimiser moves weights by thousandths a step, and a mask is made of whole numbers."""


def screen_waves(grid: tuple[int, int, int], count: int) -> Tensor:
    """Where each position of a (frames, rows, columns) grid lies on the screen: (F*H*W, 2 + 4 * count) in -1..1, for height and
    width the distance from the middle and `count` sines and cosines of it."""
    frames, *sides = grid
    axes = []
    for side in sides:
        middle = (torch.arange(side) * 2 + 1) / side - 1
        angle = middle[:, None] * torch.arange(1, count + 1) * (math.pi / 2)
        axes.append(torch.cat([middle[:, None], angle.sin(), angle.cos()], dim=1))
    rows, columns = axes
    down = rows[:, None].expand(-1, len(columns), -1)
    across = columns[None].expand(len(rows), -1, -1)
    return torch.cat([down, across], dim=-1).flatten(0, 1).repeat(frames, 1)


def width(count: int) -> int:
    """How many numbers `screen_waves` gives a position."""
    return 2 + 4 * count


def screen_layer(count: int, inner_dim: int) -> nn.Linear:
    """From a position's waves to a block's width; it starts at zero."""
    layer = nn.Linear(width(count), inner_dim, bias=False)
    nn.init.zeros_(layer.weight)
    return layer


class SideBias(nn.Module):
    """How much a position of the screen looks at the characters of each side, learned for each head: logits of the attention to
    their identities, or to their voices. Without it a small model finds both characters of a shot everywhere, draws two mixtures
    of them, and moves both mouths when one speaks."""

    def __init__(self, count: int, heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(len(SIDES), heads, width(count)))

    def forward(self, screen: Tensor, sides: Tensor) -> Tensor:
        """Logits (B, heads, positions, N) of screen (positions, P) and sides (B, N, 3); 0 where a token's side is unknown."""
        fit = torch.einsum("np,shp->shn", screen.to(self.weight.dtype), self.weight * SIDE_GAIN)
        return torch.einsum("bks,shn->bhnk", sides.to(fit.dtype), fit)


def sides_by_key(sides: Tensor, each: int) -> Tensor:
    """Sides (B, S) of the slots as (B, N+1, 3), 1 at the side of each token's character; the sink, last, is on none."""
    known = (sides[..., None] == torch.arange(len(SIDES), device=sides.device)).float()
    known = known.repeat_interleave(each, dim=1)
    return torch.cat([known, known.new_zeros(len(known), 1, len(SIDES))], dim=1)
