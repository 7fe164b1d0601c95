"""One training loop for all encoders: AdamW on a cosine, bf16 forward, checkpoints and resume."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from generation.training.precision import mixed

SAVE_EVERY = 120.0
"""Seconds between checkpoints."""
REPORT_EVERY = 25

Loss = Callable[[np.random.Generator], dict[str, Tensor]]


def fit(
    name: str, net: nn.Module, loss: Loss, work: Path, *, steps: int, rate: float, decay: float = 0.02,
    say: Callable[[str], None] = print,
) -> nn.Module:  # fmt: skip
    """Train `net` in place for `steps` steps and return it in eval mode.

    `loss` draws its own batch from the generator it is given (seeded by name and step) and gives named terms, whose sum falls.
    A checkpoint under `work` is taken up again; a finished one is only loaded.
    """
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{name}.pt"
    heavy = [p for p in net.parameters() if p.ndim > 1]
    light = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-7)
    step = _resume(path, net, optimiser)
    net.train()
    started = saved = time.monotonic()
    first, means = step, dict[str, float]()
    while step < steps:
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / (0.05 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
        rng = np.random.default_rng([int.from_bytes(name.encode()[:6], "little"), step])
        torch.manual_seed(step)
        with (
            mixed(),
            sdpa_kernel([SDPBackend.MATH]),
        ):  # the fused kernel is slow on few tokens
            terms = loss(rng)
            total = torch.stack(list(terms.values())).sum()
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        for key, value in terms.items():
            now = float(value.detach())
            means[key] = 0.95 * means.get(key, now) + 0.05 * now
        if step % REPORT_EVERY == 0 or step == steps:
            pace = (time.monotonic() - started) / (step - first)
            say(f"{name} {step}/{steps} {pace:.2f} s  " + "  ".join(f"{k} {v:.3f}" for k, v in means.items()))
        if time.monotonic() - saved > SAVE_EVERY or step == steps:
            saved = time.monotonic()
            _save(path, net, optimiser, step)
    return net.eval()


def _resume(path: Path, net: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _save(path: Path, net: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    part = path.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, part)
    os.replace(part, path)
