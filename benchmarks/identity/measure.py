"""Who is in a frame, by the encoders, and what colours it has, by the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from identity import Encoders, Figure, IdentityPack
from identity.likeness import shot_size

REGIONS = ("hair", "skin", "clothes")


@dataclass(frozen=True)
class Gallery:
    """The centroids of all packs: face (N, 512), figure (N, F), by name."""

    names: list[str]
    face: np.ndarray
    figure: np.ndarray

    @classmethod
    def of(cls, packs: dict[str, IdentityPack]) -> Gallery:
        tokens = [pack.tokens_input() for pack in packs.values()]
        return cls(list(packs), np.stack([t.face[0] for t in tokens]), np.stack([t.figure[0] for t in tokens]))

    def evidence(self, figure: Figure, frame: np.ndarray, encoders: Encoders) -> np.ndarray:
        """How much speaks for each name (N,): face and figure together, weighed as the encoders were measured."""
        face = self.face @ figure.face.embedding if figure.face else np.full(len(self.names), np.nan)
        known = {"face": face, "figure": self.figure @ figure.embedding}
        return encoders.thresholds.weigh(known, shot_size(figure.box, frame.shape[:2]))[1]


def people(frame: np.ndarray, encoders: Encoders, count: int) -> list[Figure]:
    """The `count` largest figures of a frame, from left to right."""
    found = sorted(encoders.observe(frame), key=lambda f: -float((f.box[2] - f.box[0]) * (f.box[3] - f.box[1])))
    return sorted(found[:count], key=lambda f: float(f.box[0] + f.box[2]))


def colours(frame: np.ndarray, figure: Figure) -> dict[str, np.ndarray]:
    """Median Lab of what lies above the eyes (hair, or a hat), on the cheeks, and below the chin; by the face's own points."""
    if figure.face is None:
        return {}
    eyes, mouth = figure.face.kps[:2].mean(0), figure.face.kps[3:].mean(0)
    gap = max(2.0, float(np.linalg.norm(mouth - eyes)))
    boxes = {
        "hair": (eyes[0] - 0.8 * gap, eyes[1] - 1.7 * gap, eyes[0] + 0.8 * gap, eyes[1] - 1.05 * gap),
        "skin": (eyes[0] - 0.9 * gap, eyes[1] + 0.35 * gap, eyes[0] + 0.9 * gap, eyes[1] + 0.75 * gap),
        "clothes": (mouth[0] - 0.6 * gap, mouth[1] + 1.5 * gap, mouth[0] + 0.6 * gap, mouth[1] + 2.6 * gap),
    }  # fmt: skip
    lab, found = rgb2lab(frame), {}
    for name, (x0, y0, x1, y1) in boxes.items():
        part = lab[int(max(y0, 0)) : int(max(y1, 0)) + 1, int(max(x0, 0)) : int(max(x1, 0)) + 1].reshape(-1, 3)
        if len(part) >= 4:
            found[name] = np.median(part, 0)
    return found


def colour_distance(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> dict[str, float]:
    """CIEDE2000 of each region that both have."""
    return {k: float(deltaE_ciede2000(first[k], second[k])) for k in REGIONS if k in first and k in second}
