"""Packs broken in every way that comes to mind: each is one clear error, and none becomes half a pack."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import load_file, save_file

from identity import IdentityError, IdentityPack
from identity.pack import LARGEST

GOLDEN = Path(__file__).parent / "golden" / "pack-1"
FILES = ("pack.json", "embeddings.safetensors", "frames/000.webp", "frames/002.webp", "contact.png", "frames")
ARRAYS = ("faces", "figures", "bodies", "centre_face", "centre_figure", "centre_body")

values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=4),
    st.just({}), st.just([[]]), st.sampled_from(["../../outside/secret", "a\0b", "\ud800", "\x1b[2J", " ", "x" * 5000, 10**400, -1, 1e308]),
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole pack of this version."""
    folder = tmp_path_factory.mktemp("whole") / "mia"
    IdentityPack.load(GOLDEN).save(folder)
    return folder


def _edit_json(folder: Path, data: st.DataObject) -> None:
    """Put a value at a random place of pack.json, or take the place away."""
    path = folder / "pack.json"
    spot = plain = json.loads(path.read_text())
    while True:
        key = data.draw(st.sampled_from(sorted(spot) if isinstance(spot, dict) else range(len(spot))))
        if isinstance(spot[key], dict | list) and spot[key] and data.draw(st.booleans()):
            spot = spot[key]
            continue
        if data.draw(st.integers(0, 3)) == 0:
            del spot[key]
        else:
            spot[key] = data.draw(values)
        break
    path.write_text(json.dumps(plain))


def _edit_arrays(folder: Path, data: st.DataObject) -> None:
    """Change an array, and make pack.json believe that it was always so."""
    arrays, name = load_file(folder / "embeddings.safetensors"), data.draw(st.sampled_from(ARRAYS))
    edits: list[Callable[[np.ndarray], np.ndarray]] = [
        lambda a: a[..., None], lambda a: a.astype(np.float64), lambda a: a.astype(np.int8), lambda a: np.full_like(a, np.nan), lambda a: np.full_like(a, np.inf),
        lambda a: a * 3, lambda a: a[:-1], lambda a: a[:0], lambda a: a[..., :-1], lambda a: a[..., :0], lambda a: a * 0, np.ravel,
        lambda a: a.astype(bool),
    ]  # fmt: skip
    edit = data.draw(st.sampled_from([None, *edits]))
    if edit is None:
        del arrays[name]
    else:
        arrays[name] = np.ascontiguousarray(edit(arrays[name]))
    save_file(arrays, folder / "embeddings.safetensors")
    path = folder / "pack.json"
    plain = json.loads(path.read_text())
    plain["embeddings"] = hashlib.sha256((folder / "embeddings.safetensors").read_bytes()).hexdigest()
    path.write_text(json.dumps(plain))


def _edit_bytes(folder: Path, data: st.DataObject) -> None:
    path = folder / data.draw(st.sampled_from(FILES[:-1]))
    held = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        held[data.draw(st.integers(0, min(600, len(held)) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(held[: data.draw(st.integers(0, len(held)))])


def _edit_files(folder: Path, data: st.DataObject) -> None:
    """Take a file away, or put something else in its place."""
    path = folder / data.draw(st.sampled_from(FILES))
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    kind = data.draw(st.sampled_from(["nothing", "folder", "pipe", "loop", "outside", "device", "inside"]))
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "nothing":
        goals = {"loop": path, "outside": GOLDEN / path.relative_to(folder), "device": "/dev/zero", "inside": folder / "contact.png"}
        path.symlink_to(goals[kind])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_pack_broken_at_random_is_one_clear_error(whole: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    room = tmp_path_factory.mktemp("room")
    folder = Path(shutil.copytree(whole, room / "mia"))
    data.draw(st.sampled_from([_edit_json, _edit_arrays, _edit_bytes, _edit_files]))(folder, data)
    found, fault = None, None
    try:
        found = IdentityPack.load(folder)
    except IdentityError as error:
        fault = error
    assert [path.name for path in room.iterdir()] == ["mia"]
    if found is None:
        assert fault is not None and fault.mend and ("broken" in fault.what or "no identity pack" in fault.what)
        return
    tokens = found.tokens_input()  # what loads can be used
    assert np.isfinite(tokens.face).all() and ((tokens.weights >= 0) & (tokens.weights <= 1)).all()
    try:
        assert 1 <= len(found.best_pictures(2)) <= 2
        found.save(room / "again")
    except IdentityError as error:
        fault = error
    if fault is not None:
        assert "picture of the pack cannot be read" in fault.what and [path.name for path in room.iterdir()] == ["mia"]
        return
    again = IdentityPack.load(room / "again")
    assert again.records == found.records and np.array_equal(again.figures, found.figures)
    assert sorted(path.name for path in room.iterdir()) == ["again", "mia"]


@pytest.mark.parametrize("fault", ["picture", "frames", "embeddings", "pack.json"])
def test_links_out_of_the_pack_are_refused(whole: Path, tmp_path: Path, fault: str) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "mia"))
    path = folder / {"picture": "frames/001.webp", "embeddings": "embeddings.safetensors"}.get(fault, fault)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IdentityError, match="points outside"):
        IdentityPack.load(folder)


def test_a_link_to_the_whole_pack_is_fine(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "mia").symlink_to(whole)
    assert IdentityPack.load(tmp_path / "mia").name == "mia"


def test_embeddings_of_another_pack_are_noticed(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "mia"))
    arrays = load_file(folder / "embeddings.safetensors")
    save_file({name: array[..., ::-1].copy() for name, array in arrays.items()}, folder / "embeddings.safetensors")
    with pytest.raises(IdentityError, match="not the file that the pack was saved with"):
        IdentityPack.load(folder)


@pytest.mark.parametrize("name", ["", "../mia", " mia", "mia\n", "\x1b[31mmia", "mia\u202etxt"])
def test_names_that_are_none(whole: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "mia"))
    path = folder / "pack.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"name": name}))
    with pytest.raises(IdentityError, match="no name for a character"):
        IdentityPack.load(folder)


def _picture(kind: str, size: tuple[int, int]) -> bytes:
    out = BytesIO()
    Image.new("RGB", size).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (_picture("PNG", (16, 16)), "another kind"),
        (_picture("WEBP", (LARGEST + 1, 2)), "larger than"),
        (b"", "another kind"),
        (_picture("WEBP", (16, 16))[:-4], "cut short"),
    ],
    ids=["png", "huge", "empty", "cut"],
)
def test_pictures_that_are_none(whole: Path, tmp_path: Path, held: bytes, why: str) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "mia"))
    (folder / "frames" / "001.webp").write_bytes(held)
    pack: Any = IdentityPack.load(folder)
    for use in (lambda: pack.picture(1), lambda: pack.best_pictures(3), lambda: pack.save(tmp_path / "new")):
        with pytest.raises(IdentityError, match=r"001\.webp: a picture of the pack cannot be read"):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["mia"], why
