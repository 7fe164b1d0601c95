"""The marks of a film, as a section of the report."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def marks_table(marks: Mapping[str, Any] | None) -> str:
    """What run.json says of the marks, in a table; nothing when no film was made."""
    if marks is None:
        return ""
    if not marks["marked"]:
        return f'<section><h2>Marks</h2><p class="review">{escape(marks["owed"][0].upper() + marks["owed"][1:])}.</p></section>'
    label = {"start": "at the start", "throughout": "throughout"}.get(
        marks["label"] or "", "none: --label burns one in"
    )
    rows = [
        ("id", marks["id"]),
        ("watermark", " and ".join(marks["layers"])),
        ("digital source type", marks["source"]),
        ("signed by", marks["signed_by"]),
        ("time stamp", marks["timestamp"] or "none"),
        ("visible label", label),
        ("sha256 of the film", marks["sha256"]),
    ]
    body = "".join(
        f'<tr><th>{escape(name)}</th><td class="mono">{escape(str(value))}</td></tr>' for name, value in rows
    )
    return (
        '<section><h2>Marks</h2><p class="soft">What the film says of itself; storyboard verify reads it back.</p>'
        f'<div class="wide"><table>{body}</table></div></section>'
    )
