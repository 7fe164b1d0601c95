"""The one seam to insightface, onnxruntime and open_clip: a frame goes in, figures with embeddings come out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.boxes import area, figure_around, grown, match, overlap
from identity.encoderset import EncoderSet, open_set
from identity.errors import IdentityError
from identity.likeness import Thresholds, calibration_command, read_thresholds

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

BATCH = 16
"""Frames whose crops are embedded together; so many frames are in memory at once."""
SMALLEST = 16
"""Pixels: a frame with a shorter side holds nobody."""
MARGIN = 0.04
"""A figure's crop is its box grown by this share of its longer side."""


@dataclass(frozen=True)
class Face:
    """A face: box (4,) and five key points (5, 2) in pixels, score 0..1, embedding (512,) of length 1."""

    box: Array
    kps: Array
    score: float
    embedding: Array


@dataclass(frozen=True)
class Figure:
    """One person in a frame: box (x0, y0, x1, y1) in pixels, score 0..1, the face if one was seen, and two embeddings
    of length 1: `embedding` (F,) of the whole appearance (open_clip) and `body` (256,) (re-identification)."""

    box: Array
    score: float
    face: Face | None
    embedding: Array
    body: Array


class Encoders:
    """An encoder set in memory. `hashes` names its weights; `thresholds` says what its similarities mean."""

    def __init__(self, source: EncoderSet, thresholds: Thresholds | None) -> None:
        self.folder = source.folder
        self.hashes = source.hashes
        self._thresholds = thresholds
        try:
            self._faces = _FaceModels(source)
            self._people = _PersonModels(source)
            self._clip = _ClipModel(source.figure)
        except Exception as error:  # insightface, onnxruntime and open_clip each raise their own kinds
            raise IdentityError(
                f"the encoder set cannot be loaded ({error})",
                where=str(source.folder),
                mend="Copy the whole set again.",
            ) from error

    @classmethod
    def load(cls, folder: Path | None = None) -> Encoders:
        """Load a set from a folder; None is the shipped toon set. Raises IdentityError for a broken one."""
        source = open_set(folder)
        return cls(source, read_thresholds(source.thresholds, source.hashes))

    @property
    def thresholds(self) -> Thresholds:
        """The measured same/other distributions of this set."""
        if self._thresholds is None:
            raise IdentityError(
                "the encoder set is not calibrated", where=str(self.folder), mend=calibration_command(self.folder)
            )
        return self._thresholds

    def observe(self, frame: Picture, *, alone: bool = False) -> list[Figure]:
        """The figures of one frame (H, W, 3) uint8 RGB, best score first. See `observe_many`."""
        return next(self.observe_many([frame], alone=alone))

    def observe_many(self, frames: Iterable[Picture], *, alone: bool = False) -> Iterator[list[Figure]]:
        """The figures of each frame, in order, with crops embedded in batches across frames.

        A figure's box is the person detector's, else it is drawn around a face. With `alone` the caller says that the
        frame shows one figure, which then is the whole frame when nothing else was found.
        """
        waiting = iter(frames)
        while group := list(islice(waiting, BATCH)):
            found = [self._find(_checked(frame), alone) for frame in group]
            flat = [(frame, *pair) for frame, pairs in zip(group, found, strict=True) for pair in pairs]
            faces = iter(self._faces.embed([(frame, face) for frame, _, face in flat if face is not None]))
            looks = self._clip.embed([figure_crop(frame, box[:4]) for frame, box, _ in flat])
            bodies = self._people.embed([_exact_crop(frame, box[:4]) for frame, box, _ in flat])
            figures = iter(
                Figure(box[:4], float(box[4]), None if face is None else next(faces), look, body)
                for (_, box, face), look, body in zip(flat, looks, bodies, strict=True)
            )
            for pairs in found:
                yield list(islice(figures, len(pairs)))

    def _find(self, frame: Picture, alone: bool) -> list[tuple[Array, Array | None]]:
        """Pairs of a figure's (x0, y0, x1, y1, score) and its face's row of 15 (box, score, key points) or None."""
        height, width = frame.shape[:2]
        if min(height, width) < SMALLEST:
            return []
        bgr = np.ascontiguousarray(frame[..., ::-1])
        boxes, faces = self._people.detect(bgr), self._faces.detect(bgr)
        owner = match(boxes, faces)
        pairs: list[tuple[Array, Array | None]] = [
            (box, None if owner[i] < 0 else faces[owner[i]]) for i, box in enumerate(boxes)
        ]
        for j in sorted(set(range(len(faces))) - set(owner)):
            pairs.append(
                (np.append(figure_around(faces[j, :4], (height, width)), faces[j, 4]).astype(np.float32), faces[j])
            )
        pairs = _without_parts(pairs)
        if not pairs and alone:
            pairs.append((np.array([0, 0, width, height, 0], np.float32), None))
        return sorted(pairs, key=lambda pair: -float(pair[0][4]))


class _FaceModels:
    """insightface's FaceAnalysis with detection and recognition only, one detection pass at the set's own size."""

    def __init__(self, source: EncoderSet) -> None:
        from insightface.app import FaceAnalysis

        providers = _providers()
        self._app = FaceAnalysis(
            name=str(source.folder),
            allowed_modules=["detection", "recognition"],
            providers=providers,
            sess_options=_session_options(),
        )
        on_gpu = providers[0] != "CPUExecutionProvider"
        self._app.prepare(ctx_id=0 if on_gpu else -1, det_thresh=0.5, det_size=source.detection_size)

    def detect(self, bgr: Picture) -> Array:
        """Rows (n, 15): box, score, five points; faces whose points make no face are dropped."""
        height, width = bgr.shape[:2]
        boxes, points = self._app.det_model.detect(bgr)
        if points is None or not len(boxes):
            return np.zeros((0, 15), np.float32)
        rows = np.concatenate([boxes, points.reshape(len(boxes), 10)], axis=1).astype(np.float32)
        rows[:, [0, 2]] = rows[:, [0, 2]].clip(0, width)
        rows[:, [1, 3]] = rows[:, [1, 3]].clip(0, height)
        spread = np.ptp(rows[:, 5:].reshape(-1, 5, 2), axis=1).max(axis=1)
        sound = (
            np.isfinite(rows).all(axis=1) & (rows[:, 2] > rows[:, 0] + 1) & (rows[:, 3] > rows[:, 1] + 1) & (spread > 1)
        )
        return rows[sound]

    def embed(self, faces: list[tuple[Picture, Array]]) -> list[Face]:
        if not faces:
            return []
        from insightface.utils.face_align import norm_crop

        model = self._app.models["recognition"]
        with warnings.catch_warnings():
            # insightface 2.1 calls a scikit-image method that 0.26 deprecates, and says so at every face.
            warnings.simplefilter("ignore", FutureWarning)
            crops = [
                norm_crop(np.ascontiguousarray(frame[..., ::-1]), row[5:].reshape(5, 2), model.input_size[0])
                for frame, row in faces
            ]
        rows = _unit(model.get_feat(crops))
        return [
            Face(row[:4], row[5:].reshape(5, 2), float(row[4]), feature)
            for (_, row), feature in zip(faces, rows, strict=True)
        ]


class _PersonModels:
    """The two models behind insightface's PersonAnalysis, without its second load of the face models."""

    def __init__(self, source: EncoderSet) -> None:
        from insightface.model_zoo.person_detection import PersonDetection
        from insightface.model_zoo.person_reid import PersonReID

        def descriptor(task: str) -> dict[str, Any]:
            return {**source.tasks[task], "path": str(source.file(task)), "sha256": source.hashes[task]}

        providers, threads = _providers(), _threads()
        self._detector = PersonDetection(descriptor("person_detection"), providers, threads)
        self._reid = PersonReID(descriptor("person_reid"), providers, threads)

    def detect(self, bgr: Picture) -> Array:
        """Rows (n, 5): box inside the picture, score."""
        rows = np.asarray(self._detector.detect(bgr), np.float32).reshape(-1, 5)
        return rows[(rows[:, 2] > rows[:, 0] + 1) & (rows[:, 3] > rows[:, 1] + 1)]

    def embed(self, crops: list[Picture]) -> Array:
        if not crops:
            return np.zeros((0, 256), np.float32)
        # The library's own call takes one crop; its graph takes many.
        blob = np.concatenate([self._reid._preprocess(np.ascontiguousarray(crop[..., ::-1])) for crop in crops])
        return _unit(self._reid.session.run(["reid_embedding"], {"data": blob})[0])


class _ClipModel:
    """open_clip's picture tower, read from a folder."""

    def __init__(self, folder: Path) -> None:
        import open_clip
        import torch

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        # Without require_pretrained a folder that lacks weights would give random ones.
        model, _, self._preprocess = open_clip.create_model_and_transforms(
            f"local-dir:{folder}", require_pretrained=True, device=self._device
        )
        self._model = model.eval()
        with torch.inference_mode():
            blank = torch.zeros(1, 3, *_pair(model.visual.image_size), device=self._device)
            self.width = int(model.encode_image(blank).shape[1])

    def embed(self, crops: list[Picture]) -> Array:
        import torch
        from PIL import Image

        if not crops:
            return np.zeros((0, self.width), np.float32)
        blob = torch.stack([self._preprocess(Image.fromarray(crop)) for crop in crops]).to(self._device)
        with torch.inference_mode():
            return _unit(self._model.encode_image(blob).float().cpu().numpy())


def _without_parts(pairs: list[tuple[Array, Array | None]]) -> list[tuple[Array, Array | None]]:
    """Leaves out faceless boxes that lie in the box of a figure with a face: they are a part of it, found twice."""
    faced = [box for box, face in pairs if face is not None]
    if not faced:
        return pairs
    return [
        (box, face)
        for box, face in pairs
        if face is not None or float(overlap(box[None], np.stack(faced)).max()) < 0.8 * float(area(box))
    ]


def figure_crop(frame: Picture, box: Array) -> Picture:
    """The part of a frame that open_clip sees of a figure: its box grown by MARGIN, inside the frame."""
    return _exact_crop(frame, grown(box, MARGIN, frame.shape[:2]))


def _exact_crop(frame: Picture, box: Array) -> Picture:
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:4]).astype(int)
    return np.ascontiguousarray(frame[max(0, y0) : y1, max(0, x0) : x1])


def _checked(frame: Picture) -> Picture:
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise IdentityError("a frame must be an array (height, width, 3) of uint8 RGB")
    return frame


def _unit(rows: NDArray[Any]) -> Array:
    rows = np.nan_to_num(np.asarray(rows, np.float32))
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _providers() -> list[str]:
    import onnxruntime

    return [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in onnxruntime.get_available_providers()]


def _threads() -> int:
    # The networks are small: past a few threads they only wait for one another.
    return max(1, min(4, os.cpu_count() or 1))


def _session_options() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
