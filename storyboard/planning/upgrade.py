"""Versions of the board's schema, and how an older board becomes a newer one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storyboard.errors import StoryboardError

SCHEMA = "storyboard/1"
# How to bring an older board up by one version: {from: function from the old JSON object to the new one}.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def upgraded(data: Any, where: str) -> dict[str, Any]:
    """The JSON object of a board, brought up to this version. StoryboardError when it is no board, or of another time."""
    said = data.get("schema") if isinstance(data, dict) else None
    name, _, number = said.partition("/") if isinstance(said, str) else ("", "", "")
    if not isinstance(data, dict) or name != "storyboard" or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise StoryboardError(
            "this JSON is no storyboard",
            where=where,
            mend=f'a storyboard has "schema": "{SCHEMA}"; make one with storyboard plan SCRIPT -o board.json',
        )
    version, newest = int(number), int(SCHEMA.partition("/")[2])
    if version > newest:
        raise StoryboardError(
            f"this is a {said}, made by a newer storyboard", where=where, mend=f"update storyboard; this one reads up to {SCHEMA}"
        )
    while version < newest:
        if version not in UPGRADES:
            raise StoryboardError(f"there never was a {said}", where=where, mend=f'write "schema": "{SCHEMA}"')
        data, version = UPGRADES[version](data), version + 1
    return data
