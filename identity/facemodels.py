"""The networks behind faces: insightface's SCRFD and ArcFace, OpenCV's YuNet and SFace."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity import runtime
from identity.encoderset import EncoderSet

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

LONGEST = 640
"""Pixels of the longer side at which faces are looked for, where the set does not say: insightface's own size."""
SURE = 0.5
"""Score below which insightface's detectors have found no face."""
_SURE_YUNET = 0.9  # OpenCV's own default
_WIDE = 5 / 3  # from this shape on, a third of a square window would be empty


class Scrfd:
    """insightface's SCRFD, one pass at the set's own size."""

    def __init__(self, source: EncoderSet) -> None:
        # A frame on each core, one thread each.
        self._model = _insightface(source, "detection", threads=1)
        self._model.prepare(runtime.context(), det_thresh=SURE)
        self._fixed = self._model.static_input_size or source.detection_size

    def window(self, height: int, width: int) -> tuple[int, int]:
        if self._fixed:
            return self._fixed[0], self._fixed[1]
        # Three windows and no more: the library keeps a session for each.
        short = LONGEST * 3 // 5
        return (LONGEST, short if width >= height * _WIDE else LONGEST) if height < width * _WIDE else (short, LONGEST)

    def rows(self, bgr: Picture) -> Array:
        boxes, points = self._model.detect(bgr, input_size=self.window(*bgr.shape[:2]))
        return np.concatenate([boxes, points.reshape(len(boxes), 10)], axis=1).astype(np.float32)


class YuNet:
    """OpenCV's FaceDetectorYN, which holds one picture at a time."""

    def __init__(self, source: EncoderSet) -> None:
        import cv2

        with _quietly():
            self._model = cv2.FaceDetectorYN.create(
                str(source.files["detection"]), "", (LONGEST, LONGEST), score_threshold=_SURE_YUNET
            )
        self._lock = threading.Lock()
        self.rows(np.zeros((LONGEST, LONGEST, 3), np.uint8))  # OpenCV finds a wrong network only when it runs

    def window(self, height: int, width: int) -> tuple[int, int]:
        return LONGEST, LONGEST

    def rows(self, bgr: Picture) -> Array:
        import cv2

        share = LONGEST / max(bgr.shape[:2])
        height, width = (max(1, round(side * share)) for side in bgr.shape[:2])
        sheet = np.zeros((LONGEST, LONGEST, 3), np.uint8)
        sheet[:height, :width] = cv2.resize(bgr, (width, height))
        with self._lock:
            found: Any = self._model.detect(sheet)[1]
        if found is None:
            return np.zeros((0, 15), np.float32)
        boxes, points, score = found[:, :4], found[:, 4:14], found[:, 14:15]
        places = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:], points], axis=1) / share
        return np.concatenate([places[:, :4], score, places[:, 4:]], axis=1).astype(np.float32)


class ArcFace:
    """insightface's recogniser; crops go through it together where its graph takes several."""

    def __init__(self, source: EncoderSet) -> None:
        self._model = _insightface(source, "recognition", threads=runtime.cores())
        self._model.prepare(runtime.context())
        self.size = int(self._model.input_size[0])
        if self.size % 112 and self.size % 128:
            raise ValueError(f"faces of {self.size} pixels cannot be aligned: a multiple of 112 or 128 is needed")
        self._several = not isinstance(self._model.session.get_inputs()[0].shape[0], int)

    def features(self, crops: Sequence[Picture]) -> Array:
        flipped = [np.ascontiguousarray(crop[..., ::-1]) for crop in crops]
        groups = [flipped] if self._several else [[crop] for crop in flipped]
        return np.concatenate([np.asarray(self._model.get_feat(group), np.float32) for group in groups])


class SFace:
    """OpenCV's FaceRecognizerSF, one crop at a time."""

    size = 112

    def __init__(self, source: EncoderSet) -> None:
        import cv2

        with _quietly():
            self._model = cv2.FaceRecognizerSF.create(str(source.files["recognition"]), "")

    def features(self, crops: Sequence[Picture]) -> Array:
        rows = [self._model.feature(np.ascontiguousarray(crop[..., ::-1])).ravel() for crop in crops]
        return np.stack(rows).astype(np.float32)


def _insightface(source: EncoderSet, task: str, threads: int) -> Any:
    """One model of a set as insightface loads it, without its FaceAnalysis, which would also load all that is not used."""
    from insightface.model_zoo.model_zoo import get_model

    settings = {"providers": runtime.providers(), "sess_options": runtime.options(threads)}
    if not source.tasks:
        return get_model(str(source.files[task]), **settings)
    from insightface.model_zoo.package_manifest import load_model_package

    descriptor = load_model_package(source.folder).task(task)
    return get_model(str(source.folder), model_task=task, model_descriptor=descriptor, **settings)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without OpenCV's warning that its new engine runs on the processor only, which nobody can do anything about."""
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
