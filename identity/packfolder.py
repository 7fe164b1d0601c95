"""A pack as a folder on disk.

mia/
  pack.json                schema identity-pack/2: encoders and their licence, where each frame came from, its scores,
                           the consent note, sha256 of the sources and of the embeddings
  embeddings.safetensors   faces, figures, bodies (a row a frame) and the three centres
  frames/000.webp ...      the character cut out of each kept frame
  contact.png              all of them on one sheet
  spread.png               all of them placed by how alike they are
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from identity.errors import IdentityError
from identity.packfields import ARRAYS, CENTRES, parsed_pack, with_unknown
from identity.records import is_name
from identity.removal import files_of
from identity.upgrade import SCHEMA, upgraded

if TYPE_CHECKING:
    from identity.pack import IdentityPack

HOLDS = "pictures and embeddings of faces and figures: biometric data. Remove this folder to remove all of it."


def write_pack(pack: IdentityPack, folder: Path) -> None:
    """Write beside the place and rename, so that the folder holds a whole pack or what it held before."""
    if not is_name(pack.name):
        raise IdentityError(f"{pack.name!r} is no name for a character", mend="Give a short name such as mia.")
    folder = folder.resolve()  # a link to a pack: the pack is replaced, not the link
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / "pack.json").is_file()):
        raise IdentityError(
            "there is something else than a pack", where=str(folder), mend="Name a new folder for the pack."
        )
    if (folder / "pack.json").is_file():
        files_of(folder)  # an older pack is replaced, but nobody's notes in its folder
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
    from identity.plot import spread_plot

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "frames").mkdir(parents=True)
    for number, held in enumerate(pack.pictures):
        _write_whole(_picture(folder, number), held if isinstance(held, bytes) else held.read_bytes())
    arrays = save({name: np.ascontiguousarray(getattr(pack, name), np.float32) for name in (*ARRAYS, *CENTRES)})
    _write_whole(folder / "embeddings.safetensors", arrays)
    _write_whole(folder / "contact.png", contact_sheet(pack))
    _write_whole(folder / "spread.png", spread_plot(pack))
    plain = {
        "schema": SCHEMA,
        "name": pack.name,
        "encoders": pack.encoders,
        "licence": pack.licence,
        "consent": pack.consent,
        "holds": HOLDS,
        "sources": list(pack.sources),
        "source_hashes": dict(pack.source_hashes),
        "embeddings": hashlib.sha256(arrays).hexdigest(),
        "notes": list(pack.notes),
        "exemplars": list(pack.exemplars),
        "frames": [asdict(record) for record in pack.records],
        "left_out": [asdict(frame) for frame in pack.left_out],
    }
    text = json.dumps(with_unknown(plain, pack.unknown), indent=1, ensure_ascii=False) + "\n"
    # A file's name may hold bytes that are no text; as JSON escapes they come back as they were.
    _write_whole(folder / "pack.json", text.encode("utf-8", "backslashreplace"))


def read_pack(folder: Path) -> dict[str, Any]:
    """The fields of the pack in a folder. Raises IdentityError for one that is no pack or a broken one."""
    try:
        there = (folder / "pack.json").is_file()
    except (OSError, ValueError):  # a name too long for the disk, or one with a zero byte
        there = False
    if not there:
        mend = "Make one: storyboard refs prepare SOURCE... --name NAME -o PACK"
        raise IdentityError("there is no identity pack", where=str(folder), mend=mend)
    try:
        return _read(folder)
    except Exception as error:  # a pack may have been edited by hand into anything
        said = str(error) or type(error).__name__
        raise IdentityError(f"the pack is broken ({said})", where=str(folder), mend="Make it again.") from error


def _read(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load

    plain = upgraded(json.loads(_inside(folder, folder / "pack.json").read_text(encoding="utf-8")))
    data = _inside(folder, folder / "embeddings.safetensors").read_bytes()
    if plain["embeddings"] not in ("", hashlib.sha256(data).hexdigest()):
        raise ValueError("embeddings.safetensors is not the file that the pack was saved with")
    pictures = tuple(_inside(folder, _picture(folder, number)) for number in range(len(plain["frames"])))
    return {**parsed_pack(plain, load(data)), "pictures": pictures}


def _picture(folder: Path, number: int) -> Path:
    return folder / "frames" / f"{number:03}.webp"


def _inside(folder: Path, path: Path) -> Path:
    """A file of the pack; one that is missing, or a link to a place outside of it, makes the pack broken."""
    if not path.is_file():
        raise ValueError(f"{path.relative_to(folder)} is missing")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{path.relative_to(folder)} is a link that points outside")
    return path


def _write_whole(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
