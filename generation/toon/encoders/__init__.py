"""The toon identity encoders: face and figure detectors and embedders, trained on drawn pictures and packed for insightface and open_clip."""

from __future__ import annotations

from typing import Any

__all__ = ["train_encoders"]


def __getattr__(name: str) -> Any:
    if name == "train_encoders":
        from generation.toon.encoders.training import train_encoders

        return train_encoders
    raise AttributeError(name)
