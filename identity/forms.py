"""What an ONNX file is for, told by its inputs and outputs, as a folder without a manifest says nothing of it."""

from __future__ import annotations

from pathlib import Path

SCRFD, YUNET, ARCFACE, SFACE = "scrfd", "yunet", "arcface", "sface"
DETECTORS, RECOGNISERS = (SCRFD, YUNET), (ARCFACE, SFACE)


def form_of(path: Path) -> str | None:
    """The form of an ONNX file: one of DETECTORS or RECOGNISERS, or None for anything else and for a broken file.

    SCRFD is told by nine outputs (scores, boxes and points at three strides) or fifteen (five strides); a detector that
    gives no key points is of no use here, since faces are aligned by them. YuNet is told by the names of its outputs,
    which OpenCV asks for. A recogniser takes one square picture whose side is a multiple of 16 from 112 on, but not
    192, the side of insightface's landmark models, and gives one row; SFace is told from others by its file name.
    """
    import onnx

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception:  # noqa: BLE001 protobuf raises its own kinds on broken bytes
        return None
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    outputs = {value.name for value in graph.output}
    if {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)} <= outputs:
        return YUNET
    if len(outputs) in (9, 15):
        return SCRFD
    if len(inputs) != 1 or len(outputs) != 1:
        return None
    sides = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim][2:]
    if len(sides) != 2 or sides[0] != sides[1] or sides[0] < 112 or sides[0] % 16 or sides[0] == 192:
        return None
    return SFACE if "sface" in path.name.lower() else ARCFACE
