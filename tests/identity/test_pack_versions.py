"""Packs of other versions, and what this version does not know."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from identity import IdentityError, IdentityPack
from identity.upgrade import UPGRADES, upgraded

GOLDEN = Path(__file__).parent / "golden" / "pack-1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the pack that version 1 wrote."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "old"))


def _edit(folder: Path, **changes: Any) -> None:
    path = folder / "pack.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_pack_of_version_1_loads_and_is_saved_as_this_one(old: Path) -> None:
    first = IdentityPack.load(old)
    assert (first.name, len(first), first.licence, first.source_hashes, first.unknown) == ("mia", 3, "", {}, {})
    assert first.records[1].quality == 0.91 and first.records[1].size == "wide" and first.records[1].face_size == 0
    assert first.left_out[0].reason == "blurred (0.81 of 1)" and first.left_out[0].neighbours == ()
    assert first.tokens_input().weights.tolist() == pytest.approx([1, 0.87, 0.91, 0, 0])

    first.save(old)
    plain = json.loads((old / "pack.json").read_text())
    assert plain["schema"] == "identity-pack/2" and len(plain["embeddings"]) == 64
    again = IdentityPack.load(old)
    assert again.records == first.records and again.left_out == first.left_out and again.encoders == first.encoders
    assert np.array_equal(again.faces, first.faces) and np.array_equal(again.picture(2), first.picture(2))


def test_every_older_version_has_an_upgrade() -> None:
    assert sorted(UPGRADES) == [1]
    plain = json.loads((GOLDEN / "pack.json").read_text())
    before = json.dumps(plain)
    assert upgraded(upgraded(plain)) == upgraded(plain)
    assert json.dumps(plain) == before


def test_unknown_fields_survive(old: Path) -> None:
    plain = json.loads((old / "pack.json").read_text())
    plain["frames"][1]["star"] = [5]
    plain["left_out"][0]["who"] = "tom"
    _edit(old, rating={"by": "Ann", "stars": 4}, frames=plain["frames"], left_out=plain["left_out"])
    for _ in range(2):
        IdentityPack.load(old).save(old)
    saved = json.loads((old / "pack.json").read_text())
    assert saved["rating"] == {"by": "Ann", "stars": 4}
    assert [frame.get("star") for frame in saved["frames"]] == [None, [5], None]
    assert saved["left_out"][0]["who"] == "tom"
    assert saved["schema"] == "identity-pack/2"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("identity-pack/3", "made by a newer storyboard"),
        ("identity-pack/0", "there never was"),
        ("storyboard/1", "its schema is"),
        (1, "its schema is"),
        ("identity-pack/²", "its schema is"),
    ],
)
def test_packs_of_no_known_version(old: Path, schema: object, said: str) -> None:
    _edit(old, schema=schema)
    with pytest.raises(IdentityError, match=said):
        IdentityPack.load(old)
