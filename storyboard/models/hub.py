"""What a repository on the hub holds: its files with their sizes and digests, at one commit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storyboard.errors import FetchError
from storyboard.models.catalogue import HUB, KINDS, File
from storyboard.models.web import Web, mirrored

_COMMIT = re.compile(r"[0-9a-f]{40}")


def listing(web: Web, repository: str, takes: Callable[[str], bool]) -> tuple[File, ...]:
    """The files of a repository's main branch whose paths `takes` accepts, those of other kinds than ever loaded left out.

    Their addresses name the commit: what is fetched later belongs to what was fetched before.
    """
    url = f"{HUB}/api/models/{repository}/revision/main?blobs=true"
    said = web.json(url)
    try:
        commit = said["sha"]
        if not _COMMIT.fullmatch(commit):
            raise ValueError(f"{commit!r} is no commit")
        folder = f"{HUB}/{repository}/resolve/{commit}"
        names = {entry["rfilename"]: entry for entry in said["siblings"]}
        files = [_file(entry, folder) for name, entry in names.items() if takes(name) and Path(name).suffix in KINDS]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FetchError(
            f"the list of files cannot be used ({error})", where=mirrored(url),
            mend="another server may answer there: look at the address in a browser",
        ) from None  # fmt: skip
    if not any(file.path.endswith(".safetensors") for file in files):
        raise FetchError(
            f"{repository} holds no safetensors, and nothing else is taken", where=mirrored(url),
            mend="an update of storyboard may know where the model lies now",
        )  # fmt: skip
    return tuple(files)


def _file(entry: dict[str, Any], folder: str) -> File:
    path, large = entry["rfilename"], entry.get("lfs")
    if large:
        return File(path, large["size"], f"sha256:{large['sha256']}", f"{folder}/{path}")
    return File(path, entry["size"], f"git:{entry['blobId']}", f"{folder}/{path}")
