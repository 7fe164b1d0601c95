"""The toon identity encoders: detectors and embedders of faces and figures, for insightface and open_clip."""

from __future__ import annotations

from typing import Any

__all__ = ["train_encoders"]


def __getattr__(name: str) -> Any:
    if name == "train_encoders":
        from generation.toon.encoders.training import train_encoders

        return train_encoders
    raise AttributeError(name)
