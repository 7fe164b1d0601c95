"""A pack as a folder on disk.

mia/
  pack.json                schema identity-pack/1: encoders, where each frame came from, its scores, the consent note
  embeddings.safetensors   faces, figures, bodies (a row a frame) and the three centres
  frames/000.webp ...      the character cut out of each kept frame
  contact.png              all of them on one sheet
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identity.errors import IdentityError
from identity.records import EXEMPLARS, LeftOut, Record

if TYPE_CHECKING:
    from identity.pack import IdentityPack

SCHEMA = "identity-pack/1"
_ARRAYS = ("faces", "figures", "bodies")
_CENTRES = ("centre_face", "centre_figure", "centre_body")


def write_pack(pack: IdentityPack, folder: Path) -> None:
    """Write beside the place and rename, so that the folder holds a whole pack or what it held before."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / "pack.json").is_file()):
        raise IdentityError(
            "there is something else than a pack", where=str(folder), mend="Name a new folder for the pack."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        _write(pack, fresh)
        if folder.is_dir():
            os.rename(folder, aside)
        try:
            os.rename(fresh, folder)
        except OSError:
            if aside.is_dir():
                os.rename(aside, folder)
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def _write(pack: IdentityPack, folder: Path) -> None:
    from safetensors.numpy import save

    from identity.contact import contact_sheet

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "frames").mkdir(parents=True)
    for number, held in enumerate(pack.pictures):
        _write_whole(_picture(folder, number), held if isinstance(held, bytes) else held.read_bytes())
    arrays = {name: np.ascontiguousarray(getattr(pack, name), np.float32) for name in (*_ARRAYS, *_CENTRES)}
    _write_whole(folder / "embeddings.safetensors", save(arrays))
    _write_whole(folder / "contact.png", contact_sheet([pack.picture(i) for i in range(len(pack))], pack.exemplars))
    plain = {
        "schema": SCHEMA,
        "name": pack.name,
        "encoders": pack.encoders,
        "consent": pack.consent,
        "holds": "pictures and embeddings of faces and figures: biometric data. Remove this folder to remove all of it.",
        "sources": list(pack.sources),
        "notes": list(pack.notes),
        "exemplars": list(pack.exemplars),
        "frames": [asdict(record) for record in pack.records],
        "left_out": [asdict(frame) for frame in pack.left_out],
    }
    _write_whole(folder / "pack.json", (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode())


def read_pack(folder: Path) -> dict[str, Any]:
    """The fields of the pack in a folder. Raises IdentityError for one that is no pack or a broken one."""
    if not (folder / "pack.json").is_file():
        mend = "Make one: storyboard refs prepare SOURCE... --name NAME -o PACK"
        raise IdentityError("there is no identity pack", where=str(folder), mend=mend)
    try:
        return _read(folder)
    except Exception as error:  # a pack may have been edited by hand into anything
        raise IdentityError(f"the pack is broken ({error})", where=str(folder), mend="Make it again.") from error


def _read(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    plain = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    if plain["schema"] != SCHEMA:
        raise ValueError(f"its schema is {plain['schema']!r}, not {SCHEMA!r}")
    records = tuple(_parsed(Record, row) for row in plain["frames"])
    arrays = load_file(folder / "embeddings.safetensors")
    _check_arrays(arrays, len(records))
    pictures = tuple(_picture(folder, number) for number in range(len(records)))
    missing = next((path for path in pictures if not path.is_file()), None)
    if missing is not None:
        raise ValueError(f"{missing.name} is missing")
    exemplars = tuple(_whole(number, len(records)) for number in plain["exemplars"])
    if not 1 <= len(exemplars) <= EXEMPLARS:
        raise ValueError(f"it names {len(exemplars)} exemplars, not 1 to {EXEMPLARS}")
    return dict(
        name=_text(plain["name"]),
        encoders={_text(key): _text(value) for key, value in plain["encoders"].items()},
        **{name: arrays[name] for name in (*_ARRAYS, *_CENTRES)},
        exemplars=exemplars,
        records=records,
        pictures=pictures,
        left_out=tuple(_parsed(LeftOut, row) for row in plain["left_out"]),
        sources=tuple(_text(source) for source in plain["sources"]),
        notes=tuple(_text(note) for note in plain["notes"]),
        consent=_text(plain["consent"]),
    )


def _picture(folder: Path, number: int) -> Path:
    return folder / "frames" / f"{number:03}.webp"


def _check_arrays(arrays: Mapping[str, NDArray[Any]], count: int) -> None:
    if count < 1:
        raise ValueError("it has no frames")
    for name, centre in zip(_ARRAYS, _CENTRES, strict=True):
        rows, middle = arrays[name], arrays[centre]
        if rows.dtype != np.float32 or rows.ndim != 2 or len(rows) != count or middle.shape != rows.shape[1:]:
            raise ValueError(f"{name} has shape {rows.shape} for {count} frames")
        length = np.linalg.norm(np.vstack([rows, middle[None]]), axis=1)
        if not np.all((np.abs(length - 1) < 0.01) | (length == 0)):
            raise ValueError(f"{name} has rows that are not of length 1")


def _parsed(kind: type[Any], row: dict[str, Any]) -> Any:
    """A Record or LeftOut from JSON, each value checked against what its field may hold."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        value = row[field.name]
        if field.type == "str":
            value = _text(value)
        elif field.name == "box":
            value = tuple(_number(part) for part in value)
            if len(value) != 4:
                raise ValueError("a box has four numbers")
        elif field.name == "neighbours":
            value = tuple(_text(label) for label in value)
        elif field.name == "index":
            value = None if value is None else _whole(value, 1 << 40)
        else:
            value = None if value is None and "None" in field.type else _number(value)
        values[field.name] = value
    return kind(**values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _whole(value: object, end: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < end:
        raise ValueError(f"{value!r} is not a whole number below {end}")
    return value


def _write_whole(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
