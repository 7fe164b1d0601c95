"""How characters reach a model beside the identity adapter: one module for each way, chosen by the family's `references`."""

from __future__ import annotations

from generation.references.condition import Condition
from generation.references.keyframe import Keyframe
from generation.references.pictures import Pictures
from generation.references.streams import Streams

KINDS: dict[str, type[Condition]] = {
    "tokens": Condition,
    "pictures": Pictures,
    "streams": Streams,
    "keyframe": Keyframe,
}

__all__ = ["KINDS", "Condition", "Keyframe", "Pictures", "Streams"]
