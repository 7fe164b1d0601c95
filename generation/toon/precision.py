"""The number format that training computes in."""

from __future__ import annotations

from functools import cache

import torch


@cache
def quick_type() -> torch.dtype:
    """What this processor multiplies fastest in: bfloat16 where it has instructions for it, else float32.

    Without them bfloat16 is emulated and takes fifty times as long.
    """
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def mixed() -> torch.autocast:
    """Within it, matrix products run in that format."""
    return torch.autocast("cpu", torch.bfloat16, enabled=quick_type() == torch.bfloat16)
