"""Where training computes, and in which number format."""

from __future__ import annotations

from functools import cache

import torch


@cache
def device() -> torch.device:
    """This process's own GPU, or the processor where there is none."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


@cache
def quick_type() -> torch.dtype:
    """What is multiplied fastest here: bfloat16 on a GPU and on a processor with instructions for it, else float32.

    Without them bfloat16 is emulated and takes fifty times as long.
    """
    if device().type == "cuda":
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def mixed() -> torch.autocast:
    """Within it, matrix products run in that format."""
    return torch.autocast(device().type, torch.bfloat16, enabled=quick_type() == torch.bfloat16)
