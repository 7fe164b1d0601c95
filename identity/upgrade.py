"""Versions of the pack's schema, and how an older pack.json becomes a newer one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SCHEMA = "identity-pack/2"


def _to_2(plain: dict[str, Any]) -> dict[str, Any]:
    """Version 1 measured no pose, face, occlusion or compression, named no neighbours, and knew neither the licence of
    its encoders nor hashes of its files. All of these are then "not known", which 0 and "" stand for."""
    frames = [
        {"face_size": 0.0, "yaw": 0.0, "pitch": 0.0, "face_blur": 0.0, "occluded": 0.0, "compressed": 0.0} | row
        for row in plain["frames"]
    ]
    left_out = [{"neighbours": []} | row for row in plain["left_out"]]
    fresh = {"licence": "", "source_hashes": {}, "embeddings": ""}
    return fresh | plain | {"schema": "identity-pack/2", "frames": frames, "left_out": left_out}


# How to bring an older pack.json up by one version: {from: function from the old object to the new one}.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _to_2}


def version_of(plain: Any) -> int:
    """The schema version that the JSON of a pack.json states. Raises ValueError when it is none of a pack."""
    said = plain.get("schema") if isinstance(plain, dict) else None
    name, _, number = said.partition("/") if isinstance(said, str) else ("", "", "")
    if name != "identity-pack" or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise ValueError(f"its schema is {said!r}, not {SCHEMA!r}")
    return int(number)


def upgraded(plain: Any) -> dict[str, Any]:
    """The JSON object of a pack.json, brought up to this version. Raises ValueError for one that is none, or of a
    version that is not known."""
    version, newest = version_of(plain), int(SCHEMA.partition("/")[2])
    if version > newest:
        raise ValueError(f"it is an identity-pack/{version}, made by a newer storyboard; this one reads up to {SCHEMA}")
    while version < newest:
        if version not in UPGRADES:
            raise ValueError(f"there never was an identity-pack/{version}")
        plain, version = UPGRADES[version](plain), version + 1
    return dict(plain)
