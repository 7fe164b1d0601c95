"""Muon (Jordan et al., 2024): momentum whose singular values are all brought to about one.

`torch.optim.Muon` always computes in bfloat16, which takes fifty times as long on a processor that does not multiply in it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from generation.training.precision import quick_type

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic whose iteration raises small singular values fastest."""
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For matrices (m, n) only. The update has AdamW's usual root mean square, so that AdamW's rate serves here too."""

    def __init__(self, matrices: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                held = self.state[p].setdefault("momentum", torch.zeros_like(p))
                held.lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(held, group["momentum"]))
                p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix (m, n) with its singular values near one, by Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    x = matrix.to(quick_type())
    x = x.T if matrix.shape[0] > matrix.shape[1] else x
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.T if matrix.shape[0] > matrix.shape[1] else x).to(matrix.dtype)
