"""Packs on disk: whole or not at all, refused when broken or foreign."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from identity import EXEMPLARS, Encoders, IdentityError, IdentityPack, prepare

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], object]


@pytest.fixture(scope="module")
def pack(encoders: Encoders, painter: Painter, person: Maker, tmp_path_factory: pytest.TempPathFactory) -> IdentityPack:
    refs = tmp_path_factory.mktemp("refs")
    for number in range(6):
        frame = painter([(person(7), number % 3)], scale=1 - 0.09 * number, light=9 * number, face=number % 3 != 2)
        Image.fromarray(frame).save(refs / f"{number}.png")
    return prepare([refs], "mia", encoders, consent="Mia said yes on Monday.")


@pytest.fixture
def folder(pack: IdentityPack, tmp_path: Path) -> Path:
    pack.save(tmp_path / "mia")
    return tmp_path / "mia"


def test_round_trip(pack: IdentityPack, folder: Path, encoders: Encoders) -> None:
    again = IdentityPack.load(folder, encoders)
    for name in ("faces", "figures", "bodies", "centre_face", "centre_figure", "centre_body"):
        assert np.array_equal(getattr(again, name), getattr(pack, name))
    for name in ("name", "encoders", "exemplars", "records", "left_out", "sources", "notes", "consent", "licence", "source_hashes"):
        assert getattr(again, name) == getattr(pack, name)
    assert np.array_equal(again.picture(0), pack.picture(0))
    for name in ("contact.png", "spread.png"):
        with Image.open(folder / name) as sheet:
            assert min(sheet.size) > 100
    plain = json.loads((folder / "pack.json").read_text())
    assert plain["schema"] == "identity-pack/2"
    assert plain["consent"] == "Mia said yes on Monday."
    assert "biometric" in plain["holds"]


def test_tokens(pack: IdentityPack) -> None:
    tokens = pack.tokens_input()
    assert tokens.face.shape == (EXEMPLARS + 1, 512)
    assert tokens.figure.shape == (EXEMPLARS + 1, pack.figures.shape[1])
    assert tokens.weights.shape == (EXEMPLARS + 1,)
    assert {tokens.face.dtype, tokens.figure.dtype, tokens.weights.dtype} == {np.dtype(np.float32)}
    present = tokens.weights > 0
    assert tokens.weights[0] == 1
    assert present.sum() == 1 + len(pack.exemplars)
    assert np.linalg.norm(tokens.figure, axis=1) == pytest.approx(present.astype(float), abs=1e-4)
    assert ((tokens.weights >= 0) & (tokens.weights <= 1)).all()


def test_saving_again_replaces_a_pack_and_nothing_else(pack: IdentityPack, folder: Path, tmp_path: Path) -> None:
    (folder / "frames" / "999.webp").write_bytes(b"old")
    IdentityPack.load(folder).save(folder)
    assert not (folder / "frames" / "999.webp").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mia"]
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "novel.txt").write_text("years of work")
    with pytest.raises(IdentityError, match="something else"):
        pack.save(tmp_path / "work")
    assert (tmp_path / "work" / "novel.txt").exists()


def test_saving_leaves_what_somebody_else_put_into_a_pack(pack: IdentityPack, folder: Path) -> None:
    (folder / "novel.txt").write_text("years of work")
    with pytest.raises(IdentityError, match=r"also holds novel\.txt"):
        pack.save(folder)
    assert (folder / "novel.txt").exists() and len(IdentityPack.load(folder)) == len(pack)
    (folder / "novel.txt").unlink()
    (folder / "pack.json").write_text("torn")  # a broken pack is made again in its place
    pack.save(folder)
    assert len(IdentityPack.load(folder)) == len(pack)


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("broken", ["fsync 1", "fsync 4", "fsync 8", "rename 1", "rename 2", "mkdir 2"])
def test_a_save_that_fails_half_way_leaves_the_old_pack(
    pack: IdentityPack, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = _tree(folder)
    call, place = broken.split()
    real, calls = getattr(os, call), []

    def full(*given: object, **named: object) -> object:
        calls.append(given)
        if len(calls) == int(place):
            raise OSError(28, "No space left on device")
        return real(*given, **named)

    monkeypatch.setattr(f"os.{call}", full)
    with pytest.raises(OSError, match="No space"):
        pack.save(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["mia"]
    assert _tree(folder) == before
    calls.clear()
    if broken != "rename 2":  # where nothing was before there is one
        with pytest.raises(OSError, match="No space"):
            pack.save(tmp_path / "new")
        assert [path.name for path in tmp_path.iterdir()] == ["mia"]


def test_a_pack_is_saved_through_a_link_and_under_any_file_name(pack: IdentityPack, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    odd = replace(pack, sources=(os.fsdecode(b"refs/\xff\n"),), licence="none", source_hashes={"refs": "0" * 64})
    odd.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    again = IdentityPack.load(folder)
    assert (again.sources, again.licence, again.source_hashes) == (odd.sources, "none", {"refs": "0" * 64})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "mia"]
    with pytest.raises(IdentityError, match="no name"):
        replace(pack, name="a\nb").save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_other_encoders_are_refused_with_the_command(folder: Path, encoders: Encoders) -> None:
    other = encoders.hashes | {"figure": "0" * 64}
    with pytest.raises(IdentityError, match="other encoders") as caught:
        IdentityPack.load(folder, other)
    assert f"storyboard refs prepare {IdentityPack.load(folder).sources[0]} --name mia -o {folder}" in caught.value.mend


def test_no_pack(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="no identity pack"):
        IdentityPack.load(tmp_path)


@pytest.mark.parametrize("fault", ["shape", "type", "nan", "length", "absent", "rows"])
def test_arrays_edited_by_hand(folder: Path, fault: str) -> None:
    path = folder / "embeddings.safetensors"
    arrays = load_file(path)
    edit = {
        "shape": lambda a: a[:, :, None],
        "type": lambda a: a.astype(np.float16),
        "nan": lambda a: a * np.nan,
        "length": lambda a: a * 3,
        "rows": lambda a: a[:-1],
    }
    if fault == "absent":
        del arrays["figures"]
    else:
        arrays["figures"] = edit[fault](arrays["figures"])
    save_file(arrays, path)
    with pytest.raises(IdentityError, match="not the file that the pack was saved with"):
        IdentityPack.load(folder)
    plain = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps(plain | {"embeddings": ""}))
    with pytest.raises(IdentityError, match=r"broken \(.*figures"):
        IdentityPack.load(folder)
