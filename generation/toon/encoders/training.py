"""All encoders, from drawings to the packed set."""

from __future__ import annotations

from pathlib import Path

from generation.toon.data import Recipe, draw
from generation.toon.encoders import clip, detector, embedder, export

PICTURES = Recipe("pictures", 16000, 1, 192, 112)
LARGE = Recipe("large", 4000, 1, 320, 192)
STEPS = {"figure": 1150, "face": 1000, "find-face": 1500, "find-figure": 1500, "body": 1000}


def train_encoders(work: Path, out: Path) -> None:
    """Train whatever is not yet trained under `work`/encoders on the drawings under `work`/drawings (drawn if missing), and write
    the encoder set, without its thresholds, to `out`. Deterministic; about an hour on one core."""
    sets = [draw(work / "drawings", recipe) for recipe in (PICTURES, LARGE)]
    kept = work / "encoders"
    clip.save(embedder.train_figure(sets, kept, STEPS["figure"]), out / "figure")
    export.export_face(embedder.train_face(sets, kept, STEPS["face"]), out)
    export.export_face_detector(detector.train_face_detector(sets, kept, STEPS["find-face"]), out)
    export.export_figure_detector(detector.train_figure_detector(sets, kept, STEPS["find-figure"]), out)
    export.export_body(embedder.train_body(sets, kept, STEPS["body"]), out)
    export.write_manifest(out)
