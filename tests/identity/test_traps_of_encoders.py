"""What insightface and open_clip do in silence: a second look, the first file of several, random weights, a question to the hub."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from identity import Encoders, IdentityError
from identity.encoderset import CLIP_WEIGHTS, open_set
from identity.facemodels import ArcFace, Scrfd

sys.path.insert(0, str(Path(__file__).parent))
from test_encoders_sets import write_recogniser, write_scrfd

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], object]


@pytest.fixture
def copy(toy_folder: Path, tmp_path: Path) -> Path:
    """An encoder set to change."""
    shutil.copytree(toy_folder, tmp_path / "set")
    return tmp_path / "set"


def bare(copy: Path) -> Path:
    """The same as insightface's packs come, without a manifest."""
    for name in ("manifest.json", "person_detection.onnx", "person_reid.onnx"):
        (copy / name).unlink()
    return copy


@pytest.mark.parametrize("manifest", [True, False])
def test_nothing_is_asked_of_the_network(manifest: bool, copy: Path, painter: Painter, person: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no folder would be downloaded, without a time limit."""

    def refused(*_: Any) -> Any:
        raise AssertionError("somebody asked the network")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    encoders = Encoders(open_set(copy if manifest else bare(copy)), None)
    assert len(encoders.observe(painter([(person(1), 0)]))) == 1


def test_a_words_tower_of_the_hub_is_refused(copy: Path) -> None:
    """open_clip would ask the hub for its configuration, whatever weights lie here."""
    path = copy / "figure" / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["text_cfg"] |= {"hf_model_name": "xlm-roberta-base"}
    path.write_text(json.dumps(config))
    with pytest.raises(IdentityError, match="xlm-roberta-base") as caught:
        open_set(copy)
    assert caught.value.mend and "open_clip_config.json" in caught.value.where


def test_of_several_recognisers_the_one_is_taken_that_insightface_takes(copy: Path) -> None:
    from insightface.app import FaceAnalysis

    for name in ("z_last", "a_first"):
        write_recogniser(bare_once(copy) / f"{name}.onnx", 512)
        write_scrfd(copy / f"{name}_det.onnx")
    app = FaceAnalysis(name=str(copy), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"])
    theirs = {task: Path(model.model_file) for task, model in app.models.items()}
    assert open_set(copy).files == theirs and theirs["recognition"].name == "a_first.onnx"


def bare_once(copy: Path) -> Path:
    return bare(copy) if (copy / "manifest.json").exists() else copy


def test_a_frame_is_looked_at_once(tmp_path: Path) -> None:
    """Left to itself insightface looks twice, at 128 and at 640 pixels."""
    write_scrfd(tmp_path / "det.onnx")
    write_recogniser(tmp_path / "rec.onnx", 512)
    finder, sizes = Scrfd(open_set(tmp_path)), []
    stock = finder._model._detect_candidates
    finder._model._detect_candidates = lambda image, size, least: (sizes.append(tuple(size)), stock(image, size, least))[1]
    for height, width in ((192, 320), (320, 192), (300, 300)):
        finder.rows(np.zeros((height, width, 3), np.uint8))
    assert sizes == [(640, 384), (384, 640), (640, 640)]


def test_a_recogniser_of_one_crop_at_a_time(tmp_path: Path) -> None:
    crops, rows = [np.random.default_rng(seed).integers(0, 255, (112, 112, 3), dtype=np.uint8) for seed in range(3)], []
    for name, several in (("many", True), ("one", False)):
        (tmp_path / name).mkdir()
        write_scrfd(tmp_path / name / "det.onnx")
        write_recogniser(tmp_path / name / "rec.onnx", 512, several=several)
        rows.append(ArcFace(open_set(tmp_path / name)).features(crops))
    assert rows[0].shape == rows[1].shape == (3, 512) and np.allclose(*rows, atol=1e-4)


def test_the_weights_that_are_read_are_those_that_are_named(copy: Path, painter: Painter, person: Maker) -> None:
    """Of several files open_clip takes one by its name; the hash by which packs know their encoders must be of that one."""
    frame, figure, found = painter([(person(1), 0)]), copy / "figure", []
    for number, name in enumerate(reversed(CLIP_WEIGHTS)):
        state = load_file(figure / CLIP_WEIGHTS[-1])
        state["visual.proj"] = state["visual.proj"].flip(number % 2) * (-1) ** number
        if name != CLIP_WEIGHTS[-1]:
            save_file({key: value.contiguous() for key, value in state.items()}, figure / name)
        source = open_set(copy)
        (seen,) = Encoders(source, None).observe(frame)
        found.append((source.hashes["figure"], seen.embedding))
    assert len({each for each, _ in found}) == len(CLIP_WEIGHTS)
    assert all(not np.allclose(found[a][1], found[b][1], atol=1e-3) for a, b in ((0, 1), (1, 2), (0, 2)))
    save_file({"logit_scale": state["logit_scale"]}, figure / CLIP_WEIGHTS[0])  # most of them lacking: not filled up at random
    with pytest.raises(IdentityError, match="cannot be loaded"):
        Encoders(open_set(copy), None)
