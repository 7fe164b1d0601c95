"""Encoder sets that people bring: folders as InsightFace and OpenCV's zoo give them, without a manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from identity import Encoders, IdentityError, IdentityPack, calibrate, prepare, score
from identity.encoderset import open_set
from identity.faces import aligned
from identity.forms import form_of
from identity.licences import Origin, Terms, origin, together, written

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], object]
SKIN = (240, 190, 150)
STRIDES = (8, 16, 32)
MIA = 21


class Graph:
    """An ONNX graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def hold(self, values: np.ndarray, kind: type = np.float32) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values, kind), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def add(self, kind: str, *inputs: str, to: str = "", **settings: object) -> str:
        out = to or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=f"{kind}_{len(self.nodes)}", **settings))
        return out

    def save(self, path: Path, name: str, shape: list[object], outputs: dict[str, list[object]]) -> None:
        def value(name: str, shape: list[object]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self.nodes, "net", [value(name, shape)], [value(*pair) for pair in outputs.items()], self.weights
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def write_scrfd(path: Path, bias: float = 0.0) -> None:
    """A face detector with random weights and the outputs of SCRFD; `bias` says how readily it finds faces."""
    rng, g = np.random.default_rng(1), Graph()
    last, channels, outputs = "input.1", 3, {"score": [], "bbox": [], "kps": []}
    for stride in STRIDES:
        step = 8 if stride == 8 else 2
        weights = g.hold(rng.normal(0, (channels * step**2) ** -0.5, (12, channels, step, step)))
        last, channels = g.add("Relu", g.add("Conv", last, weights, strides=[step, step])), 12
        for kind, width in (("score", 1), ("bbox", 4), ("kps", 10)):
            weights = g.hold(rng.normal(0, 0.3, (2 * width, channels, 1, 1)))
            start = (
                rng.uniform(-1, 1, 2 * width) if kind == "kps" else np.full(2 * width, 1.5 if kind == "bbox" else bias)
            )
            head = g.add("Conv", last, weights, g.hold(start))
            if kind != "kps":
                head = g.add("Sigmoid" if kind == "score" else "Abs", head)
            rows = g.add("Transpose", head, perm=[0, 2, 3, 1])
            outputs[kind].append(g.add("Reshape", rows, g.hold([-1, width], np.int64), to=f"{kind}_{stride}"))
    widths = {"score": 1, "bbox": 4, "kps": 10}
    g.save(
        path, "input.1", [1, 3, "?", "?"],
        {name: [f"rows_{name}", widths[kind]] for kind, names in outputs.items() for name in names},
    )  # fmt: skip


def write_recogniser(path: Path, width: int, name: str = "input.1", several: bool = True, side: int = 112) -> None:
    """A face recogniser with random weights: one square picture in, one row out."""
    rng, g = np.random.default_rng(2), Graph()
    maps = g.add("Relu", g.add("Conv", name, g.hold(rng.normal(0, 0.05, (8, 3, 16, 16))), strides=[16, 16]))
    weights = g.hold(rng.normal(0, 0.1, (8 * (side // 16) ** 2, width)))
    g.add("Gemm", g.add("Flatten", maps), weights, to="fc1")
    count = "n" if several else 1
    g.save(path, name, [count, 3, side, side], {"fc1": [count, width]})


def write_yunet(path: Path) -> None:
    """A detector with the outputs of YuNet that takes every window of the one skin colour, of 72 pixels, for a face."""
    g = Graph()
    outputs: dict[str, list[object]] = {}
    for stride in STRIDES:
        window, edge = (72, 32) if stride == 8 else (stride, 0)
        mean = g.add("AveragePool", "input", kernel_shape=[window] * 2, strides=[stride] * 2, pads=[edge] * 4)
        off = g.add("Abs", g.add("Sub", mean, g.hold(np.array(SKIN[::-1]).reshape(1, 3, 1, 1))))
        slope, start = (-0.2, 15.0) if stride == 8 else (0.0, -20.0)
        sure = g.add("Conv", off, g.hold(np.full((1, 3, 1, 1), slope)), g.hold([start]))
        face = [0.5, 0.5, np.log(80 / stride), np.log(80 / stride)]
        points = np.array([[-2, -1], [2, -1], [0, 1], [-1.5, 3], [1.5, 3]]) * 8 / stride + 0.5
        for kind, width, head in (
            ("cls", 1, g.add("Sigmoid", sure)),
            ("obj", 1, g.add("Sigmoid", sure)),
            ("bbox", 4, g.add("Conv", mean, g.hold(np.zeros((4, 3, 1, 1))), g.hold(face))),
            ("kps", 10, g.add("Conv", mean, g.hold(np.zeros((10, 3, 1, 1))), g.hold(points.ravel()))),
        ):
            rows = g.add("Transpose", head, perm=[0, 2, 3, 1])
            g.add("Reshape", rows, g.hold([1, -1, width], np.int64), to=f"{kind}_{stride}")
            outputs[f"{kind}_{stride}"] = [1, (640 // stride) ** 2, width]
    g.save(path, "input", [1, 3, 640, 640], outputs)


def people(painter: Painter, person: Maker, seeds: range) -> dict[str, list[np.ndarray]]:
    return {
        f"p{seed}": [
            painter([(person(seed), third)], scale=scale, shift=shift)
            for third in range(3)
            for scale, shift in ((1.0, 0), (0.9, 3), (1.0, 6))
        ]
        for seed in seeds
    }


def full_path(folder: Path, work: Path, painter: Painter, person: Maker) -> tuple[IdentityPack, object]:
    """References to a pack on disk and back, and a clip measured against it."""
    encoders = Encoders.load(folder)
    (work / "refs").mkdir()
    for number, frame in enumerate(people(painter, person, range(MIA, MIA + 1))[f"p{MIA}"]):
        Image.fromarray(frame).save(work / "refs" / f"{number}.png")
    prepare([work / "refs"], "mia", encoders).save(work / "pack")
    pack = IdentityPack.load(work / "pack", encoders)
    return pack, score([painter([(person(MIA), 1)]), painter([])], {"mia": pack}, encoders)


@pytest.fixture(scope="module")
def random_pack(tmp_path_factory: pytest.TempPathFactory, painter: Painter, person: Maker) -> Path:
    """A folder as buffalo_l's, of random weights, with a landmark model beside them and a text."""
    folder = tmp_path_factory.mktemp("sets") / "buffalo_l"
    folder.mkdir()
    write_scrfd(folder / "det_10g.onnx")
    # As ready as makes the surest hundredth of all places on one frame a face: random weights know no better.
    from insightface.model_zoo.model_zoo import get_model

    scores, _, _ = get_model(str(folder / "det_10g.onnx"), providers=["CPUExecutionProvider"]).forward(
        painter([(person(MIA), 1)])[..., ::-1].copy(), 0.0
    )
    surest = float(np.quantile(np.concatenate([rows.ravel() for rows in scores]), 0.99))
    write_scrfd(folder / "det_10g.onnx", -float(np.log(surest / (1 - surest))))
    write_recogniser(folder / "w600k_r50.onnx", 512)
    write_recogniser(folder / "2d106det.onnx", 212, side=192)
    (folder / "README.md").write_text("as it comes")
    return folder


@pytest.fixture(scope="module")
def legacy(toy_folder: Path, tmp_path_factory: pytest.TempPathFactory, painter: Painter, person: Maker) -> Path:
    """The toy set's face models alone, under the names of antelopev2, with the toy's figure model; calibrated."""
    folder = tmp_path_factory.mktemp("sets") / "antelopev2"
    shutil.copytree(toy_folder / "figure", folder / "figure")
    shutil.copy(toy_folder / "detection.onnx", folder / "scrfd_10g_bnkps.onnx")
    shutil.copy(toy_folder / "recognition.onnx", folder / "glintr100.onnx")
    calibrate(folder, people(painter, person, range(100, 106)))
    return folder


def test_random_weights_load_in_insightface_and_give_what_it_gives(
    random_pack: Path, painter: Painter, person: Maker
) -> None:
    from insightface.app import FaceAnalysis

    frame = painter([(person(MIA), 0), (person(3), 2)])
    app = FaceAnalysis(name=str(random_pack), providers=["CPUExecutionProvider"])
    assert set(app.models) == {"detection", "recognition", "landmark_2d_106"}
    app.models.pop("landmark_2d_106")
    app.prepare(ctx_id=-1, det_size=(640, 384))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        plain = sorted(app.get(frame[..., ::-1].copy()), key=lambda face: -face.det_score)
    source = open_set(random_pack)
    assert source.forms == {"detection": "scrfd", "recognition": "arcface"}
    seen = Encoders(source, None).observe(frame)
    found = {tuple(np.round(figure.face.kps.ravel(), 2)): figure.face for figure in seen if figure.face is not None}
    assert len(found) >= 2
    inside = [face for face in plain if tuple(np.round(face.kps.ravel(), 2)) in found]
    assert len(inside) == len(found)
    for face in inside:
        ours = found[tuple(np.round(face.kps.ravel(), 2))]
        assert ours.score == pytest.approx(face.det_score, abs=1e-5)
        assert ours.embedding @ face.normed_embedding > 0.999


def test_the_whole_path_with_random_weights(
    random_pack: Path,
    tmp_path: Path,
    toy_folder: Path,
    painter: Painter,
    person: Maker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("identity.encoderset.SHIPPED", toy_folder)
    with pytest.raises(IdentityError, match="no thresholds"):
        Encoders.load(random_pack)
    calibrate(random_pack, people(painter, person, range(100, 104)))
    pack, measured = full_path(random_pack, tmp_path, painter, person)
    assert pack.encoders == open_set(random_pack).hashes
    assert not pack.bodies.any()
    assert measured.frames == 2
    with pytest.raises(IdentityError, match="other encoders"):
        IdentityPack.load(tmp_path / "pack", open_set(toy_folder).hashes)


def test_a_set_of_faces_only(legacy: Path, tmp_path: Path, painter: Painter, person: Maker) -> None:
    frame = painter([(person(1), 0), (person(2), 2)])
    encoders = Encoders.load(legacy)
    seen = encoders.observe(frame)
    assert len(seen) == 2
    for figure in seen:
        assert figure.face is not None
        x0, y0, x1, y1 = figure.face.box
        assert figure.box[0] < x0 and figure.box[2] > x1 and figure.box[1] < y0 and figure.box[3] > y1
        assert not figure.body.any()
    assert encoders.observe(painter([(person(1), 0)], face=False)) == []
    (whole,) = encoders.observe(painter([(person(1), 0)], face=False), alone=True)
    assert whole.box.tolist() == [0, 0, 320, 192]

    body = encoders.thresholds.spreads["body"]
    assert all(column.strength == 0 for column in body.values())  # an absent cue has no weight
    pack, measured = full_path(legacy, tmp_path, painter, person)
    assert len(pack) >= 3
    mia = measured.characters["mia"]
    assert [one.frame for one in measured.seen] == [0]
    assert mia.mean > 0.8
    stranger = score([painter([(person(5), 1)])], {"mia": pack}, encoders)
    assert not stranger.passes


def test_licences_are_known_and_said(legacy: Path, random_pack: Path, toy_folder: Path) -> None:
    source = open_set(legacy)
    assert (source.name, source.licence, source.restricted) == ("antelopev2", "non-commercial research only", True)
    assert "non-commercial research only" in source.remarks[0]
    assert not any("cartoons" in remark for remark in source.remarks)  # it has its own figure model
    assert any("cartoons" in remark for remark in open_set(random_pack).remarks)
    shipped = open_set()
    assert (shipped.name, shipped.licence, shipped.restricted, shipped.remarks) == ("toon", "Apache-2.0", False, ())


def test_terms(tmp_path: Path) -> None:
    research, free, unknown = (
        Terms("non-commercial research only", True),
        Terms("Apache-2.0", False),
        Terms("not stated", None),
    )
    assert together(free, free) == free
    both = together(research, free)
    assert (
        both.restricted is True and both.licence == "Apache-2.0 (recognition), non-commercial research only (detection)"
    )
    assert together(unknown, free).restricted is None
    assert together(Terms("MIT", False), free).restricted is False
    aura = origin(Path("glintr100.onnx"), "a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60")
    assert aura == Origin("auraface", free)
    assert origin(Path("glintr100.onnx"), "0") == Origin("antelopev2", research)
    assert origin(Path("mine.onnx"), "0") is None
    paper = tmp_path / "MODEL.LICENSE"
    assert written(paper).restricted is True
    for text, restricted in (
        ('{"grant": "commercial"}', False),
        ('{"grant": "non-commercial"}', True),
        ("[]", None),
        ("Ask me.", None),
    ):
        paper.write_text(text)
        assert written(paper).restricted is restricted, text


def test_yunet_and_sface(tmp_path: Path, toy_folder: Path, painter: Painter, person: Maker) -> None:
    folder = tmp_path / "opencv"
    folder.mkdir()
    shutil.copytree(toy_folder / "figure", folder / "figure")
    write_yunet(folder / "face_detection_yunet_2023mar.onnx")
    write_recogniser(folder / "face_recognition_sface_2021dec.onnx", 128, "data", several=False)
    source = open_set(folder)
    assert (source.name, source.forms) == ("yunet-sface", {"detection": "yunet", "recognition": "sface"})
    assert (source.licence, source.restricted) == ("Apache-2.0 (recognition), MIT (detection)", False)
    calibrate(folder, people(painter, person, range(100, 106)))
    encoders = Encoders.load(folder)
    seen = sorted(encoders.observe(painter([(person(1), 0), (person(2), 2)])), key=lambda figure: figure.box[0])
    assert len(seen) == 2
    for figure, middle in zip(seen, (53, 266), strict=True):
        face = figure.face
        assert face is not None
        assert abs((face.box[0] + face.box[2]) / 2 - middle) < 16
        assert face.box[2] - face.box[0] == pytest.approx(40, abs=1)
        assert face.kps[0, 0] < face.kps[1, 0] and face.kps[0, 1] < face.kps[3, 1]
        assert face.score > 0.9
        assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-4)
        assert face.embedding.shape == (512,) and not face.embedding[128:].any()
    pack, measured = full_path(folder, tmp_path, painter, person)
    assert pack.faces.shape[1] == 512
    assert measured.frames == 2
    assert measured.characters["mia"].nearest is not None  # somebody was compared; random weights know nobody


def test_faces_are_aligned_as_the_libraries_do(tmp_path: Path) -> None:
    import cv2
    from insightface.utils.face_align import norm_crop

    rng = np.random.default_rng(5)
    picture = cv2.resize(rng.integers(0, 255, (12, 20, 3)).astype(np.uint8), (320, 192), interpolation=cv2.INTER_CUBIC)
    write_recogniser(tmp_path / "sface.onnx", 128, "data", several=False)
    sface = cv2.FaceRecognizerSF.create(str(tmp_path / "sface.onnx"), "")
    usual = np.array([[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]], np.float32)
    for angle, scale in ((0, 1), (0.5, 0.4), (-2.5, 1.3), (1.6, 0.8)):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
        points = ((usual - 56) @ turn.T + (160, 96) + rng.normal(0, 2, (5, 2))).astype(np.float32)
        for size in (112, 128, 224):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                theirs = norm_crop(picture, points, size)
            assert np.abs(aligned(picture, points, size).astype(int) - theirs).max() <= 3
        row = np.concatenate([np.zeros(4), points.ravel(), [1]]).astype(np.float32)
        opencv = sface.alignCrop(picture, row[None]).astype(int)
        assert np.abs(aligned(picture, points, 112) - opencv).max() <= 3


def test_forms(tmp_path: Path, toy_folder: Path) -> None:
    assert form_of(toy_folder / "detection.onnx") == "scrfd"
    assert form_of(toy_folder / "recognition.onnx") == "arcface"
    assert form_of(toy_folder / "person_detection.onnx") is None
    write_recogniser(tmp_path / "2d106det.onnx", 212, side=192)
    assert form_of(tmp_path / "2d106det.onnx") is None
    for data in (b"", b"no network", (toy_folder / "detection.onnx").read_bytes()[:999]):
        (tmp_path / "x.onnx").write_bytes(data)
        assert form_of(tmp_path / "x.onnx") is None


def test_what_cannot_be_used_is_refused(tmp_path: Path, random_pack: Path, toy_folder: Path) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(random_pack, outer / "buffalo_l")
    with pytest.raises(IdentityError, match=r"Did you mean .*buffalo_l"):
        open_set(outer)
    copy = outer / "buffalo_l"
    (copy / "w600k_r50.onnx").write_bytes(b"cut short")
    with pytest.raises(IdentityError, match=r"none of its 3 \.onnx files is a face recogniser"):
        open_set(copy)
    write_recogniser(copy / "w600k_r50.onnx", 1024)
    with pytest.raises(IdentityError, match="1024 numbers, and packs hold at most 512"):
        Encoders(open_set(copy), None)
    write_recogniser(copy / "w600k_r50.onnx", 512, side=144)
    with pytest.raises(IdentityError, match="cannot be aligned"):
        Encoders(open_set(copy), None)
    shutil.copytree(toy_folder / "figure", copy / "figure")
    for name, message in (("open_clip_pytorch_model.bin", "pickled"), ("", "lacks its figure file")):
        if name:
            (copy / "figure" / name).write_bytes(b"")
        else:
            (copy / "figure" / "model.safetensors").unlink()
        with pytest.raises(IdentityError, match=message):
            open_set(copy)


def test_a_manifest_of_faces_only_without_hashes(
    tmp_path: Path, toy_folder: Path, painter: Painter, person: Maker
) -> None:
    copy = tmp_path / "set"
    shutil.copytree(toy_folder, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["tasks"] = {task: manifest["tasks"][task] for task in ("detection", "recognition")}
    for task in manifest["tasks"].values():
        del task["sha256"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    source = open_set(copy)
    assert source.hashes["detection"] == hashlib.sha256((copy / "detection.onnx").read_bytes()).hexdigest()
    assert not source.sees_figures
    assert source.detection_size == (320, 192)
    assert len(Encoders(source, None).observe(painter([(person(1), 0)]))) == 1


def test_large_frames_are_seen_as_small_ones_are(encoders: Encoders, painter: Painter, person: Maker) -> None:
    small = painter([(person(1), 0), (person(2), 2)])
    large = np.repeat(np.repeat(small, 6, axis=0), 6, axis=1)
    for a, b in zip(encoders.observe(small), encoders.observe(large), strict=True):
        assert np.abs(b.box / 6 - a.box).max() < 2
        assert a.face is not None and b.face is not None
        assert np.abs(b.face.kps / 6 - a.face.kps).max() < 2
        assert a.face.embedding @ b.face.embedding > 0.97
        assert a.embedding @ b.embedding > 0.97


def test_frames_are_let_go_while_more_come(encoders: Encoders, painter: Painter, person: Maker) -> None:
    import weakref

    frame, alive, most = painter([(person(1), 0)]), [], 0

    def stream() -> object:
        nonlocal most
        for _ in range(60):
            fresh = frame.copy()
            alive.append(weakref.ref(fresh))
            most = max(most, sum(each() is not None for each in alive))
            yield fresh
            del fresh

    assert sum(len(figures) for figures in encoders.observe_many(stream())) == 60
    assert most <= 8
