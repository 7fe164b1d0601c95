"""From trained networks to the encoder set's files: ONNX with fp16 weights, the manifest, the licence."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.toon.encoders.crops import BODY, FACE
from generation.toon.encoders.detector import FIGURE_STRIDE, STRIDES, anchors
from generation.toon.encoders.views import HEIGHT, WIDTH

OPSET = 17
PEAK = (9, 5)
"""Cells, down and across, among which one figure is found: people stand beside one another, not above."""
LICENCE = """The weights in this folder were trained by the storyboard project on pictures that it drew itself.
They are licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0
"""
_FACES = {"mean": 127.5, "std": 127.5}
_FIGURES = {"scale": 1 / 255, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
TASKS: dict[str, dict[str, Any]] = {
    "detection": {"input_size": [HEIGHT, WIDTH], "preprocessing": {"mean": 127.5, "std": 128.0}},
    "recognition": {"input_size": [FACE, FACE], "embedding_dimension": 512, "preprocessing": _FACES},
    "person_detection": {"input_size": [HEIGHT, WIDTH], "preprocessing": _FIGURES},
    "person_reid": {"input_size": list(BODY), "preprocessing": _FIGURES},
}


class Scrfd(nn.Module):
    """A face detector's nine outputs as insightface reads them: scores, boxes and points by stride, one row for each of the two
    anchors that it expects in every cell."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        rows = [level.permute(0, 2, 3, 1).reshape(-1, 15) for level in self.net(picture)]
        rows = [torch.stack([row, row], 1).reshape(-1, 15) for row in rows]
        scores, sides = [row[:, :1].sigmoid() for row in rows], [row[:, 1:5].clamp(-6, 6).exp() for row in rows]
        return (*scores, *sides, *(row[:, 5:] for row in rows))


class People(nn.Module):
    """A figure detector's boxes (1, cells, 4) in the pixels of the original picture, and scores (1, 1, cells).

    Many cells in the middle of a figure find it. Only the surest of its neighbourhood keeps its score, since insightface joins
    boxes only above an IoU of 0.6, and people who stand side by side overlap."""

    points: Tensor

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer(
            "points", anchors(HEIGHT // FIGURE_STRIDE, WIDTH // FIGURE_STRIDE, FIGURE_STRIDE, 0.5)[None]
        )

    def forward(self, image: Tensor, scale_factor: Tensor) -> tuple[Tensor, Tensor]:
        found = self.net(image)[0]
        score = found[:, :1].sigmoid()
        score = score * (score >= F.max_pool2d(score, PEAK, 1, (PEAK[0] // 2, PEAK[1] // 2)))
        sides = found[:, 1:].permute(0, 2, 3, 1).reshape(1, -1, 4).clamp(-6, 6).exp() * FIGURE_STRIDE
        boxes = torch.cat([self.points - sides[..., :2], self.points + sides[..., 2:]], -1)
        across = scale_factor.flip(1)
        return boxes / torch.cat([across, across], 1)[:, None], score.reshape(1, 1, -1)


def export_face_detector(net: nn.Module, out: Path) -> None:
    """detection.onnx"""
    names = [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in STRIDES]
    loose = {"input": {2: "height", 3: "width"}, **{name: {0: f"cells_{name}"} for name in names}}
    _export(Scrfd(net), (torch.zeros(1, 3, HEIGHT, WIDTH),), out / "detection.onnx", ["input"], names, loose)


def export_figure_detector(net: nn.Module, out: Path) -> None:
    """person_detection.onnx"""
    inputs = (torch.zeros(1, 3, HEIGHT, WIDTH), torch.ones(1, 2))
    outputs = ["nms_pre_boxes", "nms_pre_scores"]
    _export(People(net), inputs, out / "person_detection.onnx", ["image", "scale_factor"], outputs, {})


def export_face(net: nn.Module, out: Path) -> None:
    """recognition.onnx"""
    loose = {"input": {0: "n"}, "embedding": {0: "n"}}
    _export(net, (torch.zeros(2, 3, FACE, FACE),), out / "recognition.onnx", ["input"], ["embedding"], loose)


def export_body(net: nn.Module, out: Path) -> None:
    """person_reid.onnx"""
    loose = {"data": {0: "n"}, "reid_embedding": {0: "n"}}
    _export(net, (torch.zeros(2, 3, *BODY),), out / "person_reid.onnx", ["data"], ["reid_embedding"], loose)


def _export(
    net: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: list[str],
    outputs: list[str],
    loose: dict[str, dict[int, str]],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter warns of its own age
        net = net.float().eval().to(memory_format=torch.contiguous_format)
        torch.onnx.export(
            net,
            inputs,
            str(path),
            input_names=names,
            output_names=outputs,
            opset_version=OPSET,
            dynamic_axes=loose,
            dynamo=False,
        )
    _halve(path)


def _halve(path: Path) -> None:
    """Keep the weights as fp16 in the file, each behind a Cast to fp32, which onnxruntime folds away when it loads."""
    import onnx

    model = onnx.load(path)
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and np.prod(weight.dims) > 64:
            name = weight.name
            values = onnx.numpy_helper.to_array(weight)
            weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(
                onnx.helper.make_node("Cast", [f"{name}_half"], [name], name=f"cast_{name}", to=onnx.TensorProto.FLOAT)
            )
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_manifest(out: Path) -> None:
    """manifest.json and MODEL.LICENSE for the four ONNX files that lie in `out`."""
    tasks = {}
    for task, entry in TASKS.items():
        file = out / f"{task}.onnx"
        tasks[task] = {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), **entry}
    manifest = {
        "manifest_version": 2,
        "model_id": "toon",
        "display_name": "toon",
        "license": "MODEL.LICENSE",
        "tasks": tasks,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (out / "MODEL.LICENSE").write_text(LICENCE)
