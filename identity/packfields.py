"""The fields of a pack.json and of its arrays, each checked against what it may hold: people edit packs by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.records import EXEMPLARS, LeftOut, Record, is_name

ARRAYS = ("faces", "figures", "bodies")
CENTRES = ("centre_face", "centre_figure", "centre_body")
_KNOWN = {
    "schema", "name", "encoders", "licence", "consent", "holds", "sources", "source_hashes", "embeddings", "notes",
    "exemplars", "frames", "left_out",
}  # fmt: skip
_ROWS = {"frames": Record, "left_out": LeftOut}


def parsed_pack(plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The fields of an IdentityPack, less its pictures, from a pack.json of this version and its arrays.

    Raises ValueError, TypeError, KeyError or AttributeError, saying what is wrong.
    """
    records = tuple(_row(Record, row) for row in _list(plain["frames"]))
    check_arrays(arrays, len(records))
    exemplars = tuple(_whole(number, len(records)) for number in _list(plain["exemplars"]))
    if not 1 <= len(set(exemplars)) == len(exemplars) <= EXEMPLARS:
        raise ValueError(f"its exemplars are {list(exemplars)}, not 1 to {EXEMPLARS} different frames")
    name = _text(plain["name"])
    if not is_name(name):
        raise ValueError(f"{name!r} is no name for a character")
    return {
        "name": name,
        "encoders": _texts(plain["encoders"]),
        **{key: arrays[key] for key in (*ARRAYS, *CENTRES)},
        "exemplars": exemplars,
        "records": records,
        "left_out": tuple(_row(LeftOut, row) for row in _list(plain["left_out"])),
        "sources": tuple(_text(source) for source in _list(plain["sources"])),
        "notes": tuple(_text(note) for note in _list(plain["notes"])),
        "consent": _text(plain["consent"]),
        "licence": _text(plain["licence"]),
        "source_hashes": _texts(plain["source_hashes"]),
        "unknown": _unknown(plain),
    }


def check_arrays(arrays: Mapping[str, NDArray[Any]], count: int) -> None:
    """Raises ValueError unless the arrays are float32 rows of length 1 (or 0), one a frame, and centres like them."""
    if count < 1:
        raise ValueError("it has no frames")
    for name, centre in zip(ARRAYS, CENTRES, strict=True):
        rows, middle = arrays[name], arrays[centre]
        if rows.ndim != 2 or len(rows) != count or not rows.shape[1] or middle.shape != rows.shape[1:]:
            raise ValueError(f"{name} has shape {rows.shape} for {count} frames")
        if rows.dtype != np.float32 or middle.dtype != np.float32:
            raise ValueError(f"{name} is {rows.dtype} and its centre {middle.dtype}, not float32")
        length = np.linalg.norm(np.vstack([rows, middle[None]]).astype(np.float64), axis=1)
        if not np.all((np.abs(length - 1) < 0.01) | (length == 0)):
            raise ValueError(f"{name} has rows that are not of length 1")


def with_unknown(plain: dict[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
    """A pack.json with the fields put back that this version does not know."""
    rows = {
        key: [row | extra for row, extra in zip(plain[key], unknown[key], strict=True)]
        for key in _ROWS
        if key in unknown and len(unknown[key]) == len(plain[key])  # else the pack's frames were changed since
    }
    return plain | rows | {key: value for key, value in unknown.items() if key not in _KNOWN}


def _unknown(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a pack.json that this version does not know, laid out like it; whoever wrote them finds them again
    after the pack was saved."""
    found = {key: value for key, value in plain.items() if key not in _KNOWN}
    for key, kind in _ROWS.items():
        known = {field.name for field in fields(kind)}
        extras = [{name: value for name, value in row.items() if name not in known} for row in plain[key]]
        if any(extras):
            found[key] = extras
    return found


def _row(kind: type[Any], row: dict[str, Any]) -> Any:
    """A Record or LeftOut from JSON."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        value = row[field.name]
        if field.type == "str":
            value = _text(value)
        elif field.name == "box":
            value = tuple(_number(part) for part in _list(value))
            if len(value) != 4:
                raise ValueError("a box has four numbers")
        elif field.name == "neighbours":
            value = tuple(_text(label) for label in _list(value))
        elif field.name == "index":
            value = None if value is None else _whole(value, 1 << 40)
        else:
            value = None if value is None and "None" in field.type else _number(value)
        if field.name == "quality" and not 0 <= value <= 1:
            raise ValueError(f"a quality of {value} is not in 0..1")
        values[field.name] = value
    return kind(**values)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return {_text(key): _text(each) for key, each in value.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _whole(value: object, end: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < end:
        raise ValueError(f"{value!r} is not a whole number below {end}")
    return value
