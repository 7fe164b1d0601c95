"""Models in other forms than the published folders, and models that are broken, on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "generation"))
from experts import in_one_file

SCRIPT = """---
size: 96x64
seed: 7
---
# INT. SHOP - DAY

## Shot: wide, static, 0.5s
A bell hangs from the ceiling.

## Shot: wide, static, 0.5s
A cat sleeps.
"""


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Wan2.2-T2V-A14B, tiny."""
    from generation.families import FAMILIES

    tiny = replace(
        FAMILIES["Wan2.2-T2V-A14B"], layers=2, width=24, heads=2, ffn=32, text_width=32, sizes=((48, 32),), max_frames=17,
        text_length=256, steps=4,
    )  # fmt: skip
    monkeypatch.setitem(FAMILIES, tiny.name, tiny)
    return tiny


@pytest.fixture
def folder(make_folder: Callable[..., Path], family: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "script.md").write_text(SCRIPT)
    return make_folder(tmp_path / "model")


def shown(film: Path) -> list[Any]:
    """The frames of each shot, as they were decoded."""
    from safetensors.numpy import load_file

    found = {}
    for note in (film.with_suffix(".run") / "artefacts").glob("decode-*.record"):
        found[json.loads(note.read_text())["shot"]] = load_file(note.with_suffix(".safetensors"))["frames"].astype(int)
    return [found[shot] for shot in sorted(found)]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["gguf", "safetensors"])
def test_a_film_with_experts_in_one_file(ending: str, folder: Path, tmp_path: Path, run: Any) -> None:
    films = {}
    for name in ("whole", "single"):
        if name == "single":
            in_one_file(folder, ending)
        films[name] = tmp_path / f"{name}.mp4"
        code, out, err = run("render", tmp_path / "script.md", "-o", films[name], "--model", folder, "--json")
        assert code in (0, 3), err
        assert json.loads(out)["model"]["name"] == "Wan2.2-T2V-A14B"
    for whole, single in zip(*(shown(film) for film in films.values()), strict=True):
        assert np.abs(whole - single).max() <= (16 if ending == "gguf" else 1) and whole.std() > 1
    code, out, _ = run("models", "check", folder)
    assert code == 0 and "Wan2.2-T2V-A14B" in out
