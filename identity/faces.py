"""Finding faces and telling whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.encoderset import EncoderSet
from identity.errors import IdentityError
from identity.facemodels import ArcFace, Scrfd, SFace, YuNet
from identity.forms import SFACE, YUNET

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

WIDTH = 512
"""Numbers of a face embedding, as packs hold it. A narrower one is filled with zeros, which changes no cosine."""
CROPS = 16
"""Crops embedded at once at most, so that memory does not grow with the number of people."""


class Faces:
    """The detector and the recogniser of a set."""

    def __init__(self, source: EncoderSet) -> None:
        self._detector = YuNet(source) if source.forms["detection"] == YUNET else Scrfd(source)
        self._recogniser = SFace(source) if source.forms["recognition"] == SFACE else ArcFace(source)
        blank = np.zeros((self._recogniser.size, self._recogniser.size, 3), np.uint8)
        width = self._recogniser.features([blank]).shape[1]
        if width > WIDTH:
            raise IdentityError(
                f"its face embeddings have {width} numbers, and packs hold at most {WIDTH}",
                where=str(source.files["recognition"]),
                mend="Use another recogniser.",
            )

    def window(self, height: int, width: int) -> tuple[int, int]:
        """(width, height) at which faces are looked for in a frame of this shape."""
        return self._detector.window(height, width)

    def detect(self, bgr: Picture) -> Array:
        """Rows (n, 15): box, score, five points (the eye on the picture's left first), in pixels; faces whose points make
        no face are dropped."""
        height, width = bgr.shape[:2]
        rows = self._detector.rows(bgr)
        rows[:, [0, 2]] = rows[:, [0, 2]].clip(0, width)
        rows[:, [1, 3]] = rows[:, [1, 3]].clip(0, height)
        spread = np.ptp(rows[:, 5:].reshape(-1, 5, 2), axis=1).max(axis=1)
        sound = (
            np.isfinite(rows).all(axis=1) & (rows[:, 2] > rows[:, 0] + 1) & (rows[:, 3] > rows[:, 1] + 1) & (spread > 1)
        )
        return rows[sound]

    def crop(self, frame: Picture, row: Array) -> Picture:
        """The aligned face (side, side, 3) of a row of `detect`, in the frame's own channel order."""
        return aligned(frame, row[5:].reshape(5, 2), self._recogniser.size)

    def embed(self, crops: Sequence[Picture]) -> Array:
        """Unit rows (n, WIDTH) of aligned RGB crops."""
        rows = np.zeros((len(crops), WIDTH), np.float32)
        for start in range(0, len(crops), CROPS):
            features = unit(self._recogniser.features(crops[start : start + CROPS]))
            rows[start : start + len(features), : features.shape[1]] = features
        return rows


def aligned(picture: Picture, points: Array, size: int) -> Picture:
    """A face turned and scaled so that its five points lie as nearly as can be where recognisers expect them.

    The least-squares similarity of the plane, of which complex numbers are the shortest writing: w = a z + b. It is that
    of Umeyama (1991) without mirroring, as in insightface's `norm_crop`, whose call to scikit-image is deprecated.
    """
    import cv2
    from insightface.utils.face_align import arcface_dst

    scale, shift = (size / 112, 0.0) if size % 112 == 0 else (size / 128, 8 * size / 128)
    z, w = (rows.astype(np.float64) @ np.array([1, 1j]) for rows in (points, arcface_dst))
    w = w * scale + shift
    middle = z - z.mean()
    a = np.vdot(middle, w) / max(float(np.vdot(middle, middle).real), 1e-12)
    b = w.mean() - a * z.mean()
    turn = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    return np.asarray(cv2.warpAffine(picture, turn, (size, size)), np.uint8)


def unit(rows: NDArray[Any]) -> Array:
    """Rows scaled to length 1; one that is not finite or has no length is zero."""
    rows = np.nan_to_num(np.asarray(rows, np.float32))
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
