"""What is known of a person, as a pack would give it: embeddings of some appearances, joined to a centre and exemplars."""

from __future__ import annotations

import numpy as np

from identity import EXEMPLARS


def join(face: np.ndarray, figure: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of one character (n, 512) and (n, F) as the generator takes them: the centroid, then up to EXEMPLARS exemplars.

    Returns face (5, 512), figure (5, F), weights (5,).
    """
    rows = EXEMPLARS + 1
    out_face, out_figure = np.zeros((rows, face.shape[1]), np.float32), np.zeros((rows, figure.shape[1]), np.float32)
    weights = np.zeros(rows, np.float32)
    seen = np.abs(face).sum(1) > 0
    if seen.any():
        out_face[0] = unit(face[seen].mean(0))
    out_figure[0], weights[0] = unit(figure.mean(0)), 1.0
    n = min(EXEMPLARS, len(figure))
    out_face[1 : n + 1], out_figure[1 : n + 1], weights[1 : n + 1] = face[:n], figure[:n], 1.0
    return out_face, out_figure, weights


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector over its length."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-8), np.float32)
