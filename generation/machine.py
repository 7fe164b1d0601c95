"""The machine that renders: what it computes on, and how much memory is free there."""

from __future__ import annotations

import os
from pathlib import Path


def free_memory() -> tuple[str, int, int]:
    """("cuda" or "cpu", bytes free where it computes, bytes free of the host's memory)."""
    import torch

    host = free_host()
    if torch.cuda.is_available():
        return "cuda", torch.cuda.mem_get_info()[0], host
    return "cpu", host, host


def has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16. Without them it is slower than full precision."""
    import torch

    return any(there for name, there in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def free_host() -> int:
    """Bytes of the host's memory that can be had, counting what it only keeps files in."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):  # nobody says: what there is, then, is not what stops a render
        return 1 << 62
