"""What the C2PA library does in silence: emptied sources, files left behind, keys and certificates that it does not take."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assemble import AssembleError
from assemble.marks import AI, given, keys, local, sign
from assemble.marks.manifest import MADE, read_manifest

HOW: dict[str, Any] = {"ident": "0" * 16, "source": AI, "version": "1", "models": {}}


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_file_under_another_name_is_not_emptied(made: Any, tmp_path: Path, link: Any) -> None:
    """It opens the target for writing first."""
    before = made.path.read_bytes()
    (tmp_path / "own.mp4").write_bytes(before)
    link(tmp_path / "own.mp4", tmp_path / "other.mp4")
    with pytest.raises(AssembleError, match="onto itself"):
        sign(tmp_path / "own.mp4", tmp_path / "other.mp4", local(made.keys), **HOW)
    assert (tmp_path / "own.mp4").read_bytes() == before


def test_nothing_is_left_of_a_film_that_cannot_be_signed(made: Any, tmp_path: Path) -> None:
    """A leaf alone, and a root that signs: both are found out only when the file is there."""
    mine = local(made.keys)
    leaf, root = mine.chain.split("-----END CERTIFICATE-----\n")[:2]
    end = "-----END CERTIFICATE-----\n"
    for chain in (root + end + leaf + end, root + end):
        with pytest.raises(AssembleError, match="could not be signed") as caught:
            sign(made.path, tmp_path / "out.mp4", replace(mine, chain=chain), **HOW)
        assert caught.value.mend and not list(tmp_path.iterdir())


def test_one_key_signs_film_after_film_and_every_form_of_key_is_taken(made: Any, tmp_path: Path) -> None:
    """A builder signs once, and takes PKCS#8 alone: a key as openssl writes it is not."""
    from cryptography.hazmat.primitives import serialization

    mine = local(made.keys)
    private: Any = serialization.load_pem_private_key(mine.key.encode(), None)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    old = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    (tmp_path / "key.pem").write_text(old + mine.chain)
    assert "EC PRIVATE KEY" in old and given(tmp_path / "key.pem") == mine
    for name in ("one", "two"):
        sign(made.path, tmp_path / f"{name}.mp4", given(tmp_path / "key.pem"), **HOW)
        assert read_manifest(tmp_path / f"{name}.mp4", keys.anchors(made.keys)).state == "trusted"


def test_that_it_was_made_is_said_by_who_signs(made: Any) -> None:
    """What is written by hand is only "gathered", as if from elsewhere, unless the builder is told, by labels without a version."""
    import c2pa

    with c2pa.Context.from_dict({"verify": {"verify_trust": False}}) as context, c2pa.Reader(str(made.path), context=context) as reader:
        whole = json.loads(reader.detailed_json())
    claim = whole["manifests"][whole["active_manifest"]]["claim"]
    created, gathered = (json.dumps(claim.get(name, [])) for name in ("created_assertions", "gathered_assertions"))
    assert all(label in created and label not in gathered for label in ("c2pa.actions.v2", MADE))
