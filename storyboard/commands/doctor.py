"""Is all there that a render needs? What is found, and what to do about what is not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

ROOM = 2  # gigabytes of disk that a short film and its run folder may take
MEMORY = 3  # gigabytes that the embedded model renders in


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` says what to do when it is not good."""

    name: str
    good: bool
    what: str
    mend: str = ""


def examine(model: str = "toon", encoders: Path | None = None) -> list[Finding]:
    """Look at Python, the libraries, the model and the encoders, the device, the disk and the memory."""
    here = [*_python(), *_libraries(), *_model(model), *_encoders(encoders)]
    return [*here, *_device(), *_disk(), *_memory(), *_plans(model)]


def _python() -> Iterator[Finding]:
    said = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Finding("python", good, f"Python {said}", "" if good else "storyboard needs Python 3.11 or newer")


def _libraries() -> Iterator[Finding]:
    try:
        lines = requires("storyboard") or []
    except PackageNotFoundError:
        yield Finding("libraries", False, "storyboard is not installed", "install it: make film, or pip install -e .")
        return
    found, missing = [], []
    for line in lines:
        if "extra ==" in line:
            continue
        name = line.split(";")[0].split("<")[0].split(">")[0].split("=")[0].split("[")[0].split("!")[0].strip()
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if "opencv-python" in missing and _there("opencv-python-headless"):
        missing.remove("opencv-python")
    if missing:
        yield Finding("libraries", False, f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    else:
        main = ", ".join(each for each in found if each.startswith(("torch ", "diffusers ")))
        yield Finding("libraries", True, f"{len(found)} libraries, with {main}")


def _model(name: str) -> Iterator[Finding]:
    from generation import GenerationError, Model, check_weights
    from storyboard.models.shelf import located

    try:
        model = Model.open(located(name))
    except ValueError as error:
        yield Finding("model", False, f"{name}: {getattr(error, 'what', error)}", getattr(error, "mend", ""))
        return
    size = sum(file.stat().st_size for files in model.files.values() for file in files) / 1e6
    yield Finding("model", True, f"the model {model.family.name} is whole ({size:.0f} MB)")
    try:
        check_weights(model)
    except GenerationError as error:
        yield Finding("weights", False, f"{error.where}: {error.what}", error.mend)
        return
    yield Finding("weights", True, "its weights fit its configurations")


def _encoders(folder: Path | None) -> Iterator[Finding]:
    from identity.encoderset import open_set
    from identity.likeness import read_thresholds

    try:
        found = open_set(folder)
        read_thresholds(found.thresholds, found.hashes)
    except ValueError as error:
        yield Finding("encoders", False, f"the identity encoders: {getattr(error, 'what', error)}", getattr(error, "mend", ""))
        return
    yield Finding("encoders", True, f"the identity encoders are whole: {found.name} (licence: {found.licence})")
    yield from (Finding("encoders", True, remark) for remark in found.remarks)


def _device() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError, RuntimeError) as error:
        yield Finding("device", False, f"torch cannot be loaded: {error}", "install torch again")
        return
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        yield Finding("device", True, f"renders on {torch.cuda.get_device_name(0)}, {memory:.0f} GB")
    else:
        yield Finding("device", True, f"no GPU: renders on {os.cpu_count()} processor cores")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    good = free >= ROOM
    yield Finding("disk", good, f"{free:.0f} GB free here", "" if good else f"free some space: a render may take {ROOM} GB")


def _memory() -> Iterator[Finding]:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (ValueError, OSError):
        return
    good = whole >= MEMORY
    mend = "" if good else f"the embedded model needs {MEMORY} GB"
    yield Finding("memory", good, f"{whole:.0f} GB of memory, {free:.0f} GB unused", mend)


def _plans(name: str) -> Iterator[Finding]:
    from generation.families import FAMILIES
    from generation.load import Model
    from storyboard.models.shelf import located
    from storyboard.shooting.memory import here, on_cards

    try:
        model: Any = Model.open(located(name))
    except ValueError:
        if name not in FAMILIES:
            return
        model = FAMILIES[name]  # not fetched: is it worth fetching?
    yield Finding("plan", *here(model))
    if name != "toon":  # which fits any card
        yield from (Finding("plan", True, line) for line in on_cards(model))


def _there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
