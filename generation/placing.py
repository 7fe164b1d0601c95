"""Putting a loaded network where its placement says. Streaming is written for a card, and has not met one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generation.errors import StageError

if TYPE_CHECKING:
    from generation.memory import Placement


def place(network: Any, placement: Placement | None, device: str) -> None:
    """Bring a network, just loaded and on the CPU, to where it computes."""
    if placement is None:
        network.to(device)
        return
    import torch

    if placement.precision == "fp8":  # adapters and LoRAs are there before: nothing fits into fp8 later
        computes = torch.float32 if device == "cpu" else torch.bfloat16
        network.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=computes)
    if placement.how in ("whole", "tiled"):
        network.to(device)
        return
    from diffusers.hooks import apply_group_offloading

    # In UMT5 the blocks lie deeper than block_level looks.
    level = (
        {"offload_type": "leaf_level"}
        if placement.stage == "encode"
        else {"offload_type": "block_level", "num_blocks_per_group": 1}
    )
    apply_group_offloading(
        network,
        onload_device=torch.device(device),
        offload_device=torch.device("cpu"),
        use_stream=device != "cpu",
        non_blocking=device != "cpu",
        **level,
    )


def ran_out(error: BaseException) -> bool:
    """Whether it was memory that was short."""
    if isinstance(error, MemoryError):
        return True
    said = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)


def short(stage: str, next_one: tuple[Placement, int] | None) -> StageError:
    """What to say when it was: what is finished is kept, and which set-up to try."""
    mend = "What is finished is kept: the same command goes on from here. Free some memory, or make the shot shorter."
    if next_one is not None:
        way, size = next_one
        enough = -(-size // 10**6) / 1000
        mend = f"What is finished is kept. The next smaller set-up is {way}: render again with --memory {enough:g}"
    return StageError("memory ran out", where=stage, mend=mend)
