"""Packs on disk: whole or not at all, refused when broken or foreign."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
    for name in ("name", "encoders", "exemplars", "records", "left_out", "sources", "notes", "consent"):
        assert getattr(again, name) == getattr(pack, name)
    assert np.array_equal(again.picture(0), pack.picture(0))
    with Image.open(folder / "contact.png") as sheet:
        assert min(sheet.size) > 100
    plain = json.loads((folder / "pack.json").read_text())
    assert plain["schema"] == "identity-pack/1"
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


def test_best_pictures(pack: IdentityPack) -> None:
    pictures = pack.best_pictures(3)
    assert len(pictures) == 3
    assert all(p.dtype == np.uint8 and p.ndim == 3 for p in pictures)


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


def test_a_failing_disk_leaves_the_old_pack(
    pack: IdentityPack, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "pack.json").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("identity.packfolder.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        pack.save(folder)
    with pytest.raises(OSError, match="No space"):
        pack.save(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["mia"]
    assert (folder / "pack.json").read_bytes() == before


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
    with pytest.raises(IdentityError, match="broken"):
        IdentityPack.load(folder)


json_values = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=4), st.lists(st.integers(), max_size=2), st.just({})
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), json_values)
def test_packs_broken_at_random_never_raise_anything_else(folder: Path, seed: int, value: object) -> None:
    rng = random.Random(seed)
    whole = {path: path.read_bytes() for path in (folder / "pack.json", folder / "embeddings.safetensors")}
    plain = json.loads(whole[folder / "pack.json"])
    spot = plain
    while True:  # walk to a random place and put the value there, or take the place away
        key = rng.choice(sorted(spot)) if isinstance(spot, dict) else rng.randrange(len(spot))
        if rng.random() < 0.5 and isinstance(spot[key], dict | list) and spot[key]:
            spot = spot[key]
            continue
        if rng.random() < 0.3:
            del spot[key]
        else:
            spot[key] = value
        break
    try:
        (folder / "pack.json").write_text(json.dumps(plain))
        if rng.random() < 0.3:
            data = bytearray(whole[folder / "embeddings.safetensors"])
            for _ in range(3):
                data[rng.randrange(min(400, len(data)))] ^= 1 << rng.randrange(8)
            (folder / "embeddings.safetensors").write_bytes(data[: rng.randrange(len(data) // 2, len(data) + 1)])
        found, fault = IdentityPack.load(folder), None
        found.tokens_input()
    except IdentityError as error:
        found, fault = None, error
    finally:
        for path, data in whole.items():
            path.write_bytes(data)
    assert fault is None or ("broken" in str(fault) and fault.mend)
    assert found is None or len(found.faces) == len(found) == len(found.pictures)
