"""What training knows of each identity: embeddings of its appearances in other drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.toon.data import Drawings


@dataclass(frozen=True)
class References:
    """Embeddings of N appearances: face (N, 512), zero where no face was seen; figure (N, F); whose (N,) and from where (N,)."""

    face: np.ndarray
    figure: np.ndarray
    seed: np.ndarray
    picture: np.ndarray  # a number that tells drawings apart, so that no target serves as its own reference

    def by_identity(self) -> dict[int, np.ndarray]:
        """Rows of each identity."""
        order = np.argsort(self.seed, kind="stable")
        seeds, first = np.unique(self.seed[order], return_index=True)
        return dict(zip(seeds.tolist(), np.split(order, first[1:]), strict=True))


def observe(sets: Sequence[Drawings], encoders: Path) -> References:
    """Everybody in the sets, seen by the packed encoders through crops with a detector's noise."""
    import onnxruntime
    import open_clip
    import torch

    from generation.toon.encoders import embedder
    from generation.toon.encoders.crops import sights

    session = onnxruntime.InferenceSession(str(encoders / "recognition.onnx"), providers=["CPUExecutionProvider"])
    clip = open_clip.create_model(f"local-dir:{encoders / 'figure'}", require_pretrained=True).eval()
    seen, rng = sights(sets), np.random.default_rng(31)
    faces, figures = np.zeros((len(seen), 512), np.float32), []
    for start in range(0, len(seen), 128):
        some = seen[start : start + 128]
        frames = [np.asarray(sets[s.source].frames[s.index, 0]) for s in some]
        with torch.inference_mode():
            crops = embedder.tensor([embedder.figure(f, s, rng) for f, s in zip(frames, some, strict=True)])
            figures.append(clip.encode_image(crops).numpy())
        rows = [k for k, s in enumerate(some) if s.face_seen]
        if rows:
            crops = embedder.tensor([embedder.face(frames[k], some[k], rng) for k in rows])
            faces[start + np.array(rows)] = session.run(None, {"input": crops.contiguous().numpy()})[0]
    numbers = np.array([s.source * (1 << 20) + s.index for s in seen])
    return References(lengths(faces), lengths(np.concatenate(figures)), np.array([s.seed for s in seen]), numbers)


def lengths(rows: np.ndarray) -> np.ndarray:
    """Rows (n, d) of length one; zero rows stay zero."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-8), np.float32)
