"""Step-distilled models: few steps without guidance, on the very noise levels that they were distilled at.

A scheduler's own few-step grid is another: with shift 5 and 4 steps diffusers' Euler takes 1000, 909.7, 717.3, 24.4 where the
models know 1000, 937.5, 833.3, 625.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """How a family is asked with a distilled LoRA in its experts. `lora` is where such a LoRA is published."""

    name: str
    steps: int
    shift: float
    lora: str
    guidance: tuple[float, float] = (1.0, 1.0)


def exact_grid(shift: float) -> Any:
    """A scheduler of Euler steps whose n noise levels are 1, 1 - 1/n ... 1/n before the shift, exactly."""
    import numpy as np
    from diffusers import FlowMatchEulerDiscreteScheduler

    class ExactGrid(FlowMatchEulerDiscreteScheduler):
        def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
            levels = np.linspace(1.0, 1.0 / num_inference_steps, num_inference_steps)
            super().set_timesteps(sigmas=levels.tolist(), device=device)

    return ExactGrid(shift=shift)
