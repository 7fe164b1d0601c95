"""What every training of ours shares: a schedule, a moving average of the weights, and checkpoints to resume from."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from generation.training.muon import Muon


def aloud(line: str) -> None:
    """A line on stdout, at once."""
    print(line, flush=True)


class Loop:
    """One training run in a folder: `for step in loop:` goes on where the last run stopped.

    AdamW with a cosine learning rate after a short warm-up; gradients are clipped; `ema` holds the averaged weights.
    `muon` says by name and tensor which parameters Muon moves instead, at AdamW's rate. A checkpoint is written every
    `save_minutes`, at the end, and atomically. What it has to say goes to `tell` and into a log.
    """

    def __init__(
        self, folder: Path, name: str, modules: nn.Module, *, steps: int, rate: float, betas: tuple[float, float] = (0.9, 0.98),
        decay: float = 0.0, ema: float = 0.9985, clip: float = 1.0, warmup: int = 200, save_minutes: float = 2.0,
        muon: Callable[[str, torch.Tensor], bool] = lambda name, tensor: False,
        tell: Callable[[str], object] = aloud,
    ) -> None:  # fmt: skip
        self.path, self.name, self.modules, self.tell = folder / f"{name}.pt", name, modules, tell
        self.steps, self.rate, self.clip, self.warmup, self.save_minutes = steps, rate, clip, warmup, save_minutes
        named = [(n, p) for n, p in modules.named_parameters() if p.requires_grad]
        self.parameters = [p for _, p in named]
        self.matrices = [p for n, p in named if muon(n, p)]
        others = [p for n, p in named if not muon(n, p)]
        self.optimiser = torch.optim.AdamW(others, lr=rate, betas=betas, weight_decay=decay, fused=True)
        self.muon = Muon(_own(self.matrices), rate) if self.matrices else None
        self.decay = ema
        self.average = [p.detach().clone() for p in self.parameters]
        self.step, self.seconds = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{name}.log"
        if self.path.exists():
            self._load()

    @property
    def done(self) -> bool:
        return self.step >= self.steps

    def __iter__(self) -> Iterator[int]:
        self._saved = self._began = time.monotonic()
        while not self.done:
            yield self.step
            self.step += 1
            if rank() == 0 and (time.monotonic() - self._saved > self.save_minutes * 60 or self.done):
                self.save()

    def learning_rate(self) -> float:
        share = min(1.0, self.step / self.steps)
        return (
            self.rate * min(1.0, (self.step + 1) / self.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        )

    def update(self, loss: torch.Tensor) -> None:
        """One optimiser step for this loss."""
        loss.backward()
        _share_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip, foreach=True)
        for optimiser in filter(None, (self.optimiser, self.muon)):
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate()
            optimiser.step()
        self.modules.zero_grad(set_to_none=True)
        _share_weights(self.matrices)
        keep = min(self.decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - keep)

    def say(self, text: str) -> None:
        if rank():
            return
        minutes = (self.seconds + time.monotonic() - self._began) / 60
        line = f"{self.name} {self.step}/{self.steps} {minutes:.1f} min: {text}"
        self.tell(line)
        with self.log.open("a") as log:
            log.write(line + "\n")

    def use_average(self) -> None:
        """Puts the averaged weights into the modules."""
        with torch.no_grad():
            for p, a in zip(self.parameters, self.average, strict=True):
                p.copy_(a)

    def save(self) -> None:
        now = time.monotonic()
        self.seconds, self._began, self._saved = self.seconds + now - self._began, now, now
        # Muon's momentum is not kept: it is made anew within twenty steps, and each process has only its own part.
        state = {"step": self.step, "seconds": self.seconds, "optimiser": self.optimiser.state_dict(), "average": self.average,
                 "weights": [p.detach() for p in self.parameters]}  # fmt: skip
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, self.path)

    def _load(self) -> None:
        state = torch.load(self.path, weights_only=True)
        self.step, self.seconds = state["step"], state["seconds"]
        self.optimiser.load_state_dict(state["optimiser"])
        with torch.no_grad():
            for p, w, a, b in zip(self.parameters, state["weights"], self.average, state["average"], strict=True):
                p.copy_(w)
                a.copy_(b)


def rank() -> int:
    """This process's number among those that train together; 0 when alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def _own(matrices: list[nn.Parameter]) -> list[nn.Parameter]:
    """The part of them whose update this process computes; the parts are of about one size."""
    world = dist.get_world_size() if dist.is_initialized() else 1
    return sorted(matrices, key=torch.numel)[rank() :: world]


def _share_weights(matrices: list[nn.Parameter]) -> None:
    """Every process's own matrices, to all the others."""
    if not matrices or not dist.is_initialized():
        return
    own = {id(p) for p in _own(matrices)}
    flat = torch.cat([(p.detach() if id(p) in own else torch.zeros_like(p)).flatten() for p in matrices])
    dist.all_reduce(flat)
    with torch.no_grad():
        for p, part in zip(matrices, flat.split([p.numel() for p in matrices]), strict=True):
            p.copy_(part.view_as(p))


def _share_gradients(parameters: list[nn.Parameter]) -> None:
    """The mean of all processes' gradients. On few cores, single-thread processes that average beat one with many threads."""
    if not dist.is_initialized():
        return
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for p, part in zip(parameters, flat.split([g.numel() for g in gradients]), strict=True):
        p.grad = part.view_as(p)
