"""The seam: a checked folder, the real libraries, and figures out of frames."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from identity import Encoders, IdentityError
from identity.boxes import figure_around, grown, iou, match
from identity.encoders import _without_parts
from identity.encoderset import open_set

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], object]


def test_the_set_loads_in_insightface_itself(toy_folder: Path, tmp_path: Path, painter: Painter, person: Maker) -> None:
    from insightface.app import FaceAnalysis, PersonAnalysis

    frame = painter([(person(1), 0), (person(2), 2)])[..., ::-1].copy()
    faces = FaceAnalysis(
        name=str(toy_folder), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"]
    )
    faces.prepare(ctx_id=-1, det_size=(320, 192))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert len(faces.get(frame)) == 2
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy").symlink_to(toy_folder)
    with PersonAnalysis(name="toy", root=tmp_path) as people:
        assert len(people.detector.detect(frame)) == 2


def test_figures_with_faces(encoders: Encoders, painter: Painter, person: Maker) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = encoders.observe(painter([(person(1), 0), (person(2), 2)]))
    assert len(found) == 2
    for figure, left in zip(sorted(found, key=lambda f: f.box[0]), (27, 240), strict=True):
        assert np.abs(figure.box - (left, 20, left + 52, 170)).max() <= 1
        assert figure.face is not None
        assert figure.face.kps.shape == (5, 2)
        assert figure.face.embedding.shape == (512,)
        assert figure.body.shape == (256,)
        for vector in (figure.face.embedding, figure.embedding, figure.body):
            assert vector.dtype == np.float32
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_many_is_one_by_one_in_order(encoders: Encoders, painter: Painter, person: Maker) -> None:
    frames = [painter([(person(k), k % 3)] if k % 4 else [], face=k % 2 == 0) for k in range(20)]
    many = list(encoders.observe_many(frames))
    assert [len(figures) for figures in many] == [int(k % 4 > 0) for k in range(20)]
    for frame, figures in zip(frames, many, strict=True):
        for single, batched in zip(encoders.observe(frame), figures, strict=True):
            assert np.array_equal(single.box, batched.box)
            assert (single.face is None) == (batched.face is None)
            assert single.embedding @ batched.embedding > 0.9999
            assert single.body @ batched.body > 0.9999


def test_nobody_and_alone(encoders: Encoders, painter: Painter) -> None:
    empty = painter([])
    assert encoders.observe(empty) == []
    (figure,) = encoders.observe(empty, alone=True)
    assert figure.box.tolist() == [0, 0, 320, 192]
    assert (figure.score, figure.face) == (0, None)


@pytest.mark.parametrize("shape", [(1, 1, 3), (4, 4000, 3), (16, 16, 3), (2000, 17, 3)])
def test_odd_frames_do_no_harm(encoders: Encoders, shape: tuple[int, int, int]) -> None:
    assert encoders.observe(np.full(shape, 128, np.uint8)) == []


@pytest.mark.parametrize(
    "frame", [np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3), np.float32), np.zeros((20, 20, 4), np.uint8)]
)
def test_what_is_no_frame_is_refused(encoders: Encoders, frame: np.ndarray) -> None:
    with pytest.raises(IdentityError, match="uint8 RGB"):
        encoders.observe(frame)


def test_folders_are_checked_before_any_library_sees_them(tmp_path: Path, toy_folder: Path) -> None:
    with pytest.raises(IdentityError, match="no such encoder folder"):
        Encoders.load(Path("buffalo_l"))  # a bare name would be downloaded
    with pytest.raises(IdentityError, match=r"no manifest\.json"):
        Encoders.load(tmp_path)
    for file in ("recognition.onnx", "figure/model.safetensors", "figure/open_clip_config.json", "thresholds.json"):
        copy = tmp_path / file.replace("/", "-")
        shutil.copytree(toy_folder, copy)
        (copy / file).unlink()
        with pytest.raises(IdentityError) as caught:
            Encoders.load(copy)
        assert Path(file).name in str(caught.value)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path, toy_folder: Path) -> None:
    copy = tmp_path / "set"
    shutil.copytree(toy_folder, copy)
    path = copy / "person_reid.onnx"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(IdentityError, match="sha256 differs"):
        open_set(copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["tasks"]["person_reid"]["file"] = "../../secret.onnx"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IdentityError, match="lacks its person_reid"):
        open_set(copy)
    (copy / "manifest.json").write_text("{")
    with pytest.raises(IdentityError, match="cannot be read"):
        open_set(copy)


def test_a_truncated_clip_and_foreign_thresholds(tmp_path: Path, toy_folder: Path) -> None:
    copy = tmp_path / "set"
    shutil.copytree(toy_folder, copy)
    path = copy / "figure" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(IdentityError, match="other encoder weights"):
        Encoders.load(copy)
    document = json.loads((copy / "thresholds.json").read_text())
    document["encoders"] = open_set(copy).hashes
    (copy / "thresholds.json").write_text(json.dumps(document))
    with pytest.raises(IdentityError, match="cannot be loaded"):
        Encoders.load(copy)
    (copy / "thresholds.json").write_text('{"schema": "identity-thresholds/9"}')
    with pytest.raises(IdentityError, match="schema"):
        Encoders.load(copy)


def test_thresholds_tell_the_toy_people_apart(encoders: Encoders) -> None:
    face = encoders.thresholds.spreads["face"]["wide"]
    assert face.auc > 0.95
    assert face.same > face.other
    likeness, evidence = encoders.thresholds.weigh(
        {"face": np.array([face.same, face.other, np.nan]), "figure": np.full(3, np.nan), "body": np.full(3, np.nan)},
        "wide",
    )
    assert likeness[:2] == pytest.approx([1, 0])
    assert evidence[0] > 0 > evidence[1]
    assert np.isnan(likeness[2])
    assert np.isnan(evidence[2])


def test_faces_go_to_the_figure_they_belong_to() -> None:
    figures = np.array([[0, 0, 100, 200, 0.9], [60, 0, 160, 200, 0.8], [300, 0, 400, 100, 0.7]], np.float32)
    faces = np.array([[90, 10, 130, 50], [20, 10, 60, 50], [500, 10, 540, 50]], np.float32)
    assert match(figures, np.pad(faces, ((0, 0), (0, 11)))) == [1, 0, -1]
    assert match(figures[:0], faces) == []


def test_a_part_of_a_figure_is_no_figure() -> None:
    face = np.zeros(15, np.float32)
    whole, part, apart = (
        np.array(box, np.float32) for box in ([0, 0, 50, 99, 0.8], [9, 9, 41, 99, 0.9], [60, 0, 90, 99, 0.7])
    )
    kept = _without_parts([(part, None), (whole, face), (apart, None)])
    assert [box[0] for box, _ in kept] == [0, 60]
    assert len(_without_parts([(part, None), (whole, None)])) == 2


def test_boxes() -> None:
    a = np.array([[0, 0, 10, 10]], np.float32)
    assert iou(a, np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32))[0] == pytest.approx(
        [1, 1 / 3, 0]
    )
    assert grown(a[0], 0.5, (12, 100)).tolist() == [0, 0, 15, 12]
    assert figure_around(np.array([50, 20, 60, 30], np.float32), (60, 200)).tolist() == [40, 14, 70, 60]
