"""How the encoders run: on which device, on how many threads."""

from __future__ import annotations

import os
from typing import Any

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def providers() -> list[str]:
    """onnxruntime's execution providers, best first: CUDA where there is one, and the processor."""
    import onnxruntime

    return [name for name in (CUDA, CPU) if name in onnxruntime.get_available_providers()]


def context() -> int:
    """insightface's number of the device: 0 for the GPU, -1 for the processor."""
    return 0 if providers()[0] == CUDA else -1


def workers() -> int:
    """Frames looked at at the same time. Detectors are small: a frame on each core beats all cores on one frame."""
    return max(1, min(4, cores()))


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def options(threads: int) -> Any:
    """onnxruntime session options that leave idle cores alone."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return settings
