"""Finding whole figures and telling them apart by body: insightface's two person models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity import runtime
from identity.encoderset import EncoderSet
from identity.faces import CROPS, Array, Picture, unit

WIDTH = 256
"""Numbers of a body embedding."""


class Bodies:
    """The two models behind insightface's PersonAnalysis, without its second load of the face models."""

    def __init__(self, source: EncoderSet) -> None:
        from insightface.model_zoo.person_detection import PersonDetection
        from insightface.model_zoo.person_reid import PersonReID

        def descriptor(task: str) -> dict[str, Any]:
            return {**source.tasks[task], "path": str(source.files[task]), "sha256": source.hashes[task]}

        self._detector = PersonDetection(descriptor("person_detection"), runtime.providers(), 1)
        self._reid = PersonReID(descriptor("person_reid"), runtime.providers(), 1)
        self._several = not isinstance(self._reid.session.get_inputs()[0].shape[0], int)

    def detect(self, bgr: Picture) -> Array:
        """Rows (n, 5): box inside the picture, score."""
        rows = np.asarray(self._detector.detect(bgr), np.float32).reshape(-1, 5)
        return rows[(rows[:, 2] > rows[:, 0] + 1) & (rows[:, 3] > rows[:, 1] + 1)]

    def prepared(self, crop: Picture) -> NDArray[Any]:
        """An RGB crop as the network takes it, (1, 3, h, w)."""
        import cv2

        return np.asarray(self._reid._preprocess(np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), np.uint8)))

    def embed(self, crops: Sequence[NDArray[Any]]) -> Array:
        """Unit rows (n, WIDTH) of prepared crops. The library's own call takes one; its graph takes many."""
        step, rows = CROPS if self._several else 1, np.zeros((len(crops), WIDTH), np.float32)
        for start in range(0, len(crops), step):
            blob = np.concatenate(crops[start : start + step])
            rows[start : start + len(blob)] = unit(self._reid.session.run(["reid_embedding"], {"data": blob})[0])
        return rows
