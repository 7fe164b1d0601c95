"""A solver's memory as tensors, so that a shot can be laid out by one process and finished by another.

UniPC looks back over several steps: the last outputs of the network, the last sample, the order it had reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = "solver."
LISTS = ("model_outputs", "timestep_list")
NUMBERS = ("lower_order_nums", "this_order", "_step_index")


def snapshot(scheduler: Any) -> dict[str, Tensor]:
    """What the scheduler remembers of the steps it has made, as named tensors on the CPU."""
    import torch

    state: dict[str, Tensor] = {}
    for name in LISTS:
        for place, value in enumerate(getattr(scheduler, name, ())):
            if value is not None:
                state[f"{PREFIX}{name}.{place}"] = torch.as_tensor(value).cpu()
    if getattr(scheduler, "last_sample", None) is not None:
        state[f"{PREFIX}last_sample"] = scheduler.last_sample.cpu()
    for name in NUMBERS:
        if getattr(scheduler, name, None) is not None:
            state[PREFIX + name] = torch.tensor(getattr(scheduler, name))
    return state


def restore(scheduler: Any, state: dict[str, Tensor], device: str) -> None:
    """Give a scheduler, its timesteps set, the memory of another one."""
    for full, value in state.items():
        if not full.startswith(PREFIX):
            continue
        name, _, place = full[len(PREFIX) :].partition(".")
        if place:
            getattr(scheduler, name)[int(place)] = value.to(device)
        elif name in NUMBERS:
            setattr(scheduler, name, int(value))
        else:
            setattr(scheduler, name, value.to(device))
