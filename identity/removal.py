"""Removing a pack, with nothing left behind and nothing of anybody else's touched."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from identity.errors import IdentityError
from identity.upgrade import version_of

_OWN = ("pack.json", "embeddings.safetensors", "contact.png", "spread.png")
_DESKTOP = (".DS_Store", "Thumbs.db", "desktop.ini")  # file managers drop these everywhere


def parts_of(folder: Path) -> list[Path]:
    """The files of a pack, also of a broken one, `pack.json` last.

    Raises IdentityError for a folder that is no pack, or holds other files too.
    """
    home = folder.resolve()
    if not (home / "pack.json").is_file():
        raise IdentityError("there is no identity pack", where=str(folder), mend="Name the folder with its pack.json.")
    try:
        version_of(json.loads((home / "pack.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise IdentityError(
            f"its pack.json is none of a pack ({error})", where=str(folder), mend="If you are sure, remove the folder yourself."
        ) from error
    return files_of(home)


def files_of(home: Path) -> list[Path]:
    """The files in the folder of a pack, `pack.json` last. Raises IdentityError when it holds others too."""
    frames = home / "frames"
    real = frames.is_dir() and not frames.is_symlink()
    pictures = sorted(frames.iterdir()) if real else []
    files = [path for path in sorted(home.iterdir()) if path != frames or not real] + pictures
    for path in files:
        picture = path.parent == frames and path.suffix == ".webp"
        ours = picture or path.name in _DESKTOP or path.name in _OWN or path == frames
        if not ours or (path.is_dir() and not path.is_symlink()):
            raise IdentityError(
                f"the folder also holds {path.relative_to(home)}, which is not the pack's",
                where=str(home),
                mend="Move it elsewhere, or remove it yourself.",
            )
    return sorted(files, key=lambda path: path == home / "pack.json")


def remove_pack(folder: Path) -> list[Path]:
    """Remove a pack, also a broken one, and what a killed save left beside it; returns the paths that are gone.

    Links are removed, never what they point to; only a link to the pack's whole folder goes together with it. Raises
    IdentityError, with nothing removed, as `parts_of` does. An interrupted removal can be run again.
    """
    home, files = folder.resolve(), parts_of(folder)
    half = re.compile(rf"\.{re.escape(home.name)}\.\d+\.(new|old)")
    halves = [path for path in sorted(home.parent.iterdir()) if half.fullmatch(path.name) and path.is_dir()]
    for path in halves:
        shutil.rmtree(path)
    for path in files[:-1]:
        path.unlink()
    if (home / "frames").is_dir():
        (home / "frames").rmdir()
    files[-1].unlink()
    home.rmdir()
    if folder.is_symlink():
        folder.unlink()
        return [home, folder, *halves]
    return [home, *halves]
