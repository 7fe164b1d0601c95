"""All encoders, from drawings to the packed and calibrated set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from generation.toon.data import LARGE, PICTURES, draw
from generation.toon.encoders import clip, detector, embedder, export
from generation.toon.world import character, scene

STEPS = {"figure": 3600, "face": 1100, "find-face": 1400, "find-figure": 600, "body": 550}
JUDGES = 48
"""Held-out characters on whom similarities are calibrated; the benchmark takes others."""
JUDGES_FROM = 1_000_000


def train_encoders(work: Path, out: Path) -> None:
    """Train whatever is not yet trained under `work`/encoders on the drawings under `work`/drawings (drawn if missing), and write
    the encoder set to `out`. Deterministic for one number of threads; about an hour and a half on one core."""
    from identity.calibration import calibrate

    sets = [draw(work / "drawings", recipe) for recipe in (PICTURES, LARGE)]
    kept = work / "encoders"
    clip.save(embedder.train_figure(sets, kept, STEPS["figure"]), out / "figure")
    export.export_face(embedder.train_face(sets, kept, STEPS["face"]), out)
    export.export_face_detector(detector.train_face_detector(sets, kept, STEPS["find-face"]), out)
    export.export_figure_detector(detector.train_figure_detector(sets, kept, STEPS["find-figure"]), out)
    export.export_body(embedder.train_body(sets, kept, STEPS["body"]), out)
    export.write_manifest(out)
    calibrate(out, judges())


def judges(count: int = JUDGES, each: int = 12) -> dict[str, list[np.ndarray]]:
    """Pictures of held-out characters, each alone, as many of every shot size."""
    rng = np.random.default_rng(17)
    people: dict[str, list[np.ndarray]] = {}
    for seed in character.seeds(count, hold_out=True, start=JUDGES_FROM):
        sizes = [scene.SIZES[k % len(scene.SIZES)] for k in range(each)]
        scenes = [scene.sample_scene(rng, [character.sample(seed)], size=size) for size in sizes]
        shapes = [((192, 112), (320, 192))[int(rng.integers(2))] for _ in sizes]
        people[str(seed)] = [
            scene.render(what, 1, *shape).frames[0] for what, shape in zip(scenes, shapes, strict=True)
        ]
    return people
