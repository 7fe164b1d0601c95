"""The models folder: a folder for each model and encoder set that was fetched, and in it the record of where it is from.

    models/Wan2.2-T2V-A14B/
      origin.json                  name, licence and its acceptance, and each file with size, digest and address
      model_index.json  transformer/  ...
      vae/diffusion_pytorch_model.safetensors.part      on its way
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storyboard.errors import FetchError
from storyboard.files import gigabytes, part_of, size_of, write_text
from storyboard.models.catalogue import File, offers

SCHEMA = "storyboard-origin/1"
RECORD = "origin.json"
VARIABLE = "STORYBOARD_MODELS"


def shelf(to: Path | None = None) -> Path:
    """The models folder: `to`, else what STORYBOARD_MODELS names, else the platform's place for a user's data."""
    said = to or os.environ.get(VARIABLE)
    if said:
        return Path(said).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("storyboard", appauthor=False) / "models"


@dataclass(frozen=True)
class Record:
    """Where the contents of a folder are from. `accepted` is when the licence was, in ISO 8601."""

    name: str
    licence: str
    accepted: str
    files: tuple[File, ...]

    @classmethod
    def load(cls, folder: Path) -> Record | None:
        """The record in a folder, None when there is none. FetchError when it cannot be read."""
        path = folder / RECORD
        if not path.is_file():
            return None
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if data["schema"] != SCHEMA:
                raise ValueError(f"its schema is {data['schema']!r}, not {SCHEMA}")
            files = tuple(File(**each) for each in data["files"])
            other = [file.path for file in files if not file.loadable]
            if other:
                raise ValueError(f"{other[0]} is of a kind that is never loaded")
            return cls(str(data["name"]), str(data["licence"]), str(data["accepted"]), files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            mend = f"move {folder} away, and fetch anew"
            raise FetchError(f"the record cannot be read ({error})", where=str(path), mend=mend) from None

    def save(self, folder: Path) -> None:
        """Write the record, whole or not at all."""
        write_text(folder / RECORD, json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class State:
    """What is here of a model: its folder, and bytes of how many. `whole` goes by names and sizes, not by contents."""

    folder: Path
    here: int
    size: int
    whole: bool


def state(name: str, to: Path | None = None) -> State | None:
    """What is here of a model or an encoder set, None when nothing is. FetchError when its record cannot be read.

    A folder that somebody put here, without a record, counts as whole: it is looked at when it is opened.
    """
    folder = shelf(to) / name
    record = Record.load(folder)
    if record is None:
        size = sum(size_of(path) for path in folder.rglob("*") if path.is_file())
        return State(folder, size, size, whole=True) if size else None
    whole = all(size_of(folder / file.path) == file.size for file in record.files)
    archive = offers()[name].archive
    files = [*record.files, *([archive] if archive and not whole else [])]
    here = sum(size_of(folder / file.path) + size_of(part_of(folder / file.path)) for file in files)
    return State(folder, here, sum(file.size for file in files), whole)


def located(model: str | Path) -> str | Path:
    """The folder of the model or encoder set of this name in the models folder, else `model` as it is.

    FetchError when it was not fetched to the end.
    """
    name = str(model)
    found = state(name) if name in offers() else None
    if found is None:
        return model
    if not found.whole:
        raise FetchError(
            f"{name} is not whole yet: {gigabytes(found.here)} of {gigabytes(found.size)} are here",
            where=str(found.folder),
            mend=f"go on with: storyboard models fetch {name}",
        )
    return found.folder


def checked(model: str | Path) -> dict[str, Any]:
    """Name, folder and digests by part of a model or a fetched set whose every byte is right.

    Raises FetchError naming the first file that is not what was fetched, GenerationError for a folder that is no model.
    """
    from generation.load import Model

    folder = Path(located(model))
    record = Record.load(folder)
    if record is None:
        opened = Model.open(folder)
        return {"name": opened.family.name, "folder": str(opened.folder), "hashes": opened.hashes}
    wrong = [file.path for file in record.files if not file.fits(folder / file.path)]
    if wrong:
        raise FetchError(
            f"{len(wrong)} of {len(record.files)} files are not what was fetched: {', '.join(wrong[:3])}",
            where=str(folder),
            mend=f"storyboard models fetch {record.name} brings them anew",
        )
    return {"name": record.name, "folder": str(folder), "hashes": {file.path: file.digest for file in record.files}}
