"""The folder of an encoder set: which files it must hold, and that they are the ones it names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from identity.errors import IdentityError

SHIPPED = Path(__file__).parent / "toon"
TASKS = ("detection", "recognition", "person_detection", "person_reid")
CLIP_FILES = ("open_clip_config.json", "model.safetensors")


@dataclass(frozen=True)
class EncoderSet:
    """A checked folder: absolute paths of its files, sha256 by encoder, and the manifest's tasks."""

    folder: Path
    tasks: dict[str, dict[str, Any]]
    hashes: dict[str, str]

    def file(self, task: str) -> Path:
        return self.folder / str(self.tasks[task]["file"])

    @property
    def figure(self) -> Path:
        """The open_clip folder."""
        return self.folder / "figure"

    @property
    def thresholds(self) -> Path:
        return self.folder / "thresholds.json"

    @property
    def detection_size(self) -> tuple[int, int]:
        """(width, height) at which faces are looked for."""
        height, width = self.tasks["detection"].get("input_size", (640, 640))
        return int(width), int(height)


def open_set(folder: Path | None = None) -> EncoderSet:
    """Check a folder (None: the shipped toon set) before any library sees it.

    A name that is no folder must never reach insightface or open_clip, since both would try to download it.
    Raises IdentityError for a missing folder or file, and for a file that is not the one the manifest names.
    """
    folder = SHIPPED if folder is None else Path(folder)
    if not folder.is_dir():
        raise IdentityError(
            "there is no such encoder folder", where=str(folder), mend="Name a folder with a manifest.json."
        )
    folder = folder.resolve()
    tasks = _tasks(folder / "manifest.json")
    hashes = {}
    for task in TASKS:
        path = _inside(folder, tasks[task].get("file"), task)
        hashes[task] = _sha256(path)
        if tasks[task].get("sha256") != hashes[task]:
            raise IdentityError(
                "the file is not the one that the manifest names (sha256 differs)",
                where=str(path),
                mend="It is damaged or from another set: copy the whole set again.",
            )
    figure = hashlib.sha256()
    for name in CLIP_FILES:
        figure.update(_inside(folder, f"figure/{name}", "figure").read_bytes())
    hashes["figure"] = figure.hexdigest()
    return EncoderSet(folder, tasks, hashes)


def _tasks(path: Path) -> dict[str, dict[str, Any]]:
    mend = "Copy the whole set again; it is a folder with an insightface manifest of version 2."
    if not path.is_file():
        raise IdentityError("the encoder set has no manifest.json", where=str(path.parent), mend=mend)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        tasks = document["tasks"]
        sound = document["manifest_version"] == 2 and all(isinstance(tasks[task], dict) for task in TASKS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IdentityError(f"the manifest cannot be read ({error!r})", where=str(path), mend=mend) from error
    if not sound:
        raise IdentityError(f"the manifest is not of version 2 with {', '.join(TASKS)}", where=str(path), mend=mend)
    return {task: dict(tasks[task]) for task in TASKS}


def _inside(folder: Path, name: object, task: str) -> Path:
    path = (folder / str(name)).resolve()
    if not isinstance(name, str) or not path.is_relative_to(folder) or not path.is_file():
        raise IdentityError(f"the encoder set lacks its {task} file", where=str(path), mend="Copy the whole set again.")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
