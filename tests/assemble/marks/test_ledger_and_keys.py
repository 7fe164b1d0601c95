"""The ledger only grows; keys are made right at first use, and those that are given must fit."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from assemble import AssembleError
from assemble.marks import Ledger, given, keys, local

IDENT, DIGEST = "0123456789abcdef", "a" * 64


def test_a_ledger_grows_and_never_else(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "deep" / "ledger.sqlite")
    assert ledger.ids() == []
    assert not ledger.path.exists()
    ledger.add(IDENT, DIGEST, "storyboard 1")
    ledger.add("f" * 16, DIGEST, "storyboard 1")
    assert ledger.ids() == ["f" * 16, IDENT]
    assert [entry.sha256 for entry in ledger.entries(IDENT)] == [DIGEST]
    base = sqlite3.connect(ledger.path)
    for change in ("DELETE FROM films", "UPDATE films SET id = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            base.execute(change)
    base.close()
    with pytest.raises(AssembleError):
        ledger.add("no id", DIGEST, "")


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is no data base, though it is long enough to be one" * 20)
    for use in (Ledger(path).ids, lambda: Ledger(path).add(IDENT, DIGEST, "")):
        with pytest.raises(AssembleError, match="no ledger"):
            use()


def test_keys_are_made_once_and_are_for_the_owner_alone(tmp_path: Path) -> None:
    first = local(tmp_path / "keys")
    assert local(tmp_path / "keys") == first
    assert (tmp_path / "keys" / keys.KEY).stat().st_mode & 0o077 == 0
    assert first.algorithm == "es256"
    assert first.chain.count("BEGIN CERTIFICATE") == 2
    assert "BEGIN CERTIFICATE" in keys.anchors(tmp_path / "keys")
    with pytest.raises(AssembleError, match="already"):
        keys.make(tmp_path / "keys")


def test_a_studios_key_comes_in_one_file_or_two(tmp_path: Path) -> None:
    made = local(tmp_path / "keys")
    one = tmp_path / "one.pem"
    for text in (made.key + made.chain, made.chain + made.key):
        one.write_text(text)
        assert given(one) == made


def test_a_key_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    first, second = local(tmp_path / "a"), local(tmp_path / "b")
    path = tmp_path / "key.pem"
    for text, said in (
        (first.key + second.chain, "not that of the key"),
        (first.key, "no key"),
        ("nonsense", "no key"),
    ):
        path.write_text(text)
        with pytest.raises(AssembleError, match=said):
            given(path)
    with pytest.raises(AssembleError, match="cannot be read"):
        given(tmp_path / "none.pem")
