"""No test writes to the ledger or the keys of whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_marks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("marks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORYBOARD_LEDGER", str(folder / "ledger.sqlite"))
        patch.setenv("STORYBOARD_KEYS", str(folder / "keys"))
        yield
