"""Is a model folder whole? Looked at before anything is loaded, without loading anything.

Only safetensors files are ever read, only from disk: a pickle can run code when it is opened.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from pathlib import Path
from typing import Any

from generation.errors import GenerationError

AGAIN = "Fetch it again: `storyboard models fetch`, or copy the folder from where it is whole."
HEADER_LIMIT = 100_000_000  # bytes; the safetensors format's own limit


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of the model, or a GenerationError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GenerationError("the file is missing", where=str(path), mend=AGAIN) from None
    except ValueError as error:
        raise GenerationError(f"the file is damaged ({error})", where=str(path), mend=AGAIN) from None
    if not isinstance(data, dict):
        raise GenerationError("the file is damaged (not a JSON object)", where=str(path), mend=AGAIN)
    return data


def check_safetensors(path: Path) -> set[str]:
    """The names of the tensors in a file. Refuses one that is missing, cut short or not safetensors: its header must account
    for every byte."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else HEADER_LIMIT + 1
            header = json.loads(file.read(length)) if length <= HEADER_LIMIT else None
        tensors = [value for name, value in header.items() if name != "__metadata__"] if header is not None else []
        end = max((value["data_offsets"][1] for value in tensors), default=0)
    except FileNotFoundError:
        raise GenerationError("the file is missing", where=str(path), mend=AGAIN) from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        header, end = None, 0
    if header is None:
        raise GenerationError("the file is not a whole safetensors file", where=str(path), mend=AGAIN)
    if 8 + length + end != size:
        raise GenerationError(
            f"the file is cut short or damaged: {size} bytes, {8 + length + end} expected", where=str(path), mend=AGAIN
        )
    return set(header) - {"__metadata__"}


def parameters(path: Path) -> int:
    """Numbers that a whole safetensors file holds, by its header."""
    with path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return sum(math.prod(value["shape"]) for name, value in header.items() if name != "__metadata__")


def weight_files(folder: Path, stem: str) -> list[Path]:
    """The safetensors files of a component: `stem`.safetensors, or the shards that its index names. Checked whole."""
    index = folder / f"{stem}.safetensors.index.json"
    files = [folder / f"{stem}.safetensors"]
    names: dict[str, str] = {}
    if not files[0].exists() and index.exists():
        names = read_json(index).get("weight_map") or {}
        files = [folder / name for name in sorted(set(names.values()))]
        if not files or any(file.parent != folder for file in files):
            raise GenerationError("the file is damaged (no shards)", where=str(index), mend=AGAIN)
    elif not files[0].exists() and any(folder.glob("*.bin")) | any(folder.glob("*.pt*")) | any(folder.glob("*.ckpt")):
        raise GenerationError(
            "the weights are pickled, and those are never loaded",
            where=str(folder),
            mend=f"Convert them to {stem}.safetensors, or fetch a copy that has it.",
        )
    for file in files:
        lacking = {name for name, shard in names.items() if shard == file.name} - check_safetensors(file)
        if lacking:
            raise GenerationError(
                f"this is another model's shard: {len(lacking)} weights that {index.name} promises are not in it, "
                f"{min(lacking)} among them",
                where=str(file),
                mend=AGAIN,
            )
    return files


def hash_files(files: list[Path]) -> str:
    """One sha256 of these files' names and contents. Remembered for each file as long as size and time stay."""
    total = hashlib.sha256()
    known = _read_known()
    before = len(known)
    for file in sorted(files):
        stat = file.stat()
        mark = f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
        if mark not in known:
            with file.open("rb") as stream:
                known[mark] = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{file.name}:{known[mark]}\n".encode())
    if len(known) > before:
        _write_known(known)
    return total.hexdigest()


def _cache_file() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "storyboard" / "hashes.json"


def _read_known() -> dict[str, str]:
    try:
        known = json.loads(_cache_file().read_text(encoding="utf-8"))
        return known if isinstance(known, dict) else {}
    except (OSError, ValueError):
        return {}


def _write_known(known: dict[str, str]) -> None:
    path = _cache_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(known), encoding="utf-8")
        part.replace(path)
    except OSError:
        pass  # a cache that cannot be written only costs the time to hash again
