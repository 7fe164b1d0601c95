"""`--encoders DIR`: another set than the shipped one, named on the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assemble import write_clip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def faces_only(tiny_encoders: Path, painter: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny set's face models under the names of buffalo_l, without a manifest and without a figure model."""
    from identity import calibrate

    folder = tmp_path_factory.mktemp("sets") / "mine"
    folder.mkdir()
    shutil.copy(tiny_encoders / "detection.onnx", folder / "det_10g.onnx")
    shutil.copy(tiny_encoders / "recognition.onnx", folder / "w600k_r50.onnx")
    calibrate(folder, {f"p{seed}": painter._views(painter.make_person(seed)) for seed in range(100, 104)})
    return folder


def test_prepare_and_score_with_another_set(run: Run, faces_only: Path, painter: Any, tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    for third in range(3):
        Image.fromarray(painter.draw([(painter.make_person(7), third)], shift=third)).save(tmp_path / f"refs/{third}.png")
    pack = tmp_path / "mia"
    words = ["refs", "prepare", tmp_path / "refs", "--name", "mia", "-o", pack]
    code, _, err = run(*words, "--encoders", faces_only)
    assert code == 0
    assert err.count("non-commercial research only") == 1  # the licence, said once
    assert "knows cartoons only" in err and "finds faces only" in err

    code, out, err = run("refs", "score", tmp_path / "refs/1.png", pack, "--encoders", faces_only, "--json")
    assert code in (0, 3) and json.loads(out)["characters"]["mia"]["present"] == 1
    code, _, err = run("refs", "score", tmp_path / "refs/1.png", pack)
    assert code == 2 and "other encoders" in err

    film = tmp_path / "film.mp4"
    write_clip((painter.draw([(painter.make_person(7), 1)]) for _ in range(12)), film, 12)
    said = ["check", film, "--pack", f"mia={pack}", "--expect", "1:mia", "--json"]
    code, out, err = run(*said, "--encoders", faces_only)
    assert code in (0, 3) and json.loads(out)["shots"][0]["characters"]["mia"]["present"] == 1
    code, _, err = run(*said)
    assert code == 2 and "other encoders" in err


@pytest.mark.parametrize("command", [["refs", "prepare", "x.png", "--name", "mia", "-o", "pack"], ["refs", "score", "x.mp4", "pack"]])
def test_a_name_is_no_folder_and_nothing_is_fetched(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*command, "--encoders", "buffalo_l")
    assert code == 2
    assert "there is no such encoder folder" in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_says_which_set_is_in_use(run: Run, faces_only: Path, tmp_path: Path) -> None:
    def told(*words: object) -> list[dict[str, Any]]:
        return [each for each in json.loads(run("doctor", *words, "--json")[1]) if each["name"] == "encoders"]

    (shipped,) = told()
    assert shipped["good"] and "toon" in shipped["what"] and "Apache-2.0" in shipped["what"]
    first, *remarks = told("--encoders", faces_only)
    assert first["good"] and "buffalo_l" in first["what"] and "non-commercial research only" in first["what"]
    assert len(remarks) == 3
    bare = tmp_path / "bare"
    shutil.copytree(faces_only, bare)
    (bare / "thresholds.json").unlink()
    (missing,) = told("--encoders", bare)
    assert not missing["good"] and "thresholds" in missing["what"] and missing["mend"]
