"""Training data: drawn once, kept on disk as plain arrays, remade from nothing whenever it is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.toon.world import character, scene
from generation.toon.world.acting import PATCH, acted
from generation.toon.world.caption import caption
from generation.toon.world.figure import JOINTS

PEOPLE = 12000
"""Training identities: the first ones that the hold-out rule leaves to training."""


@dataclass(frozen=True)
class Recipe:
    """A set of drawn clips: how many, how long, how large, how many people in each (shares of 1, 2, 3)."""

    name: str
    count: int
    frames: int
    width: int
    height: int
    shares: tuple[float, float, float] = (0.5, 0.32, 0.18)


PICTURES = Recipe("pictures", 32000, 1, 192, 112)
LARGE = Recipe("large", 4000, 1, 320, 192)
CLIPS = Recipe("clips", 1800, 33, 192, 112)
SIZED_PICTURES = (
    Recipe("pictures-wide", 9000, 1, 256, 144), Recipe("square", 1200, 1, 192, 192), Recipe("upright", 1200, 1, 144, 256),
)  # fmt: skip
SIZED_CLIPS = (
    Recipe("clips-wide", 1200, 33, 256, 144), Recipe("sqclip", 150, 33, 192, 192), Recipe("upclip", 150, 33, 144, 256),
)  # fmt: skip
"""What the experts end on: the sizes that the model renders. Sets whose names begin alike show the same scenes."""


class Drawings:
    """A drawn set. `frames` (N, T, H, W, 3) uint8; `boxes`, `faces` (N, 3, 4), `points` (N, 3, 5, 2) of the first frame in
    pixels, zero where nobody is; `joints` (N, T, 3, 11, 2) of every frame, named by `world.figure.JOINTS`; `yaw` (N, 3);
    `people` (N, 3) identity seeds or -1; `levels` (N, 3, T) loudness; `acted` (N, H/16, W/16) the share of each patch that shows
    an action; `notes`: per clip the captions and the scene's words."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.recipe, n, t = recipe, recipe.count, recipe.frames
        shapes: dict[str, tuple[tuple[int, ...], type]] = {
            "frames": ((n, t, recipe.height, recipe.width, 3), np.uint8), "boxes": ((n, 3, 4), np.float32),
            "faces": ((n, 3, 4), np.float32), "points": ((n, 3, 5, 2), np.float32), "yaw": ((n, 3), np.float32),
            "people": ((n, 3), np.int64), "levels": ((n, 3, t), np.float32),
            "joints": ((n, t, 3, len(JOINTS), 2), np.float16),
            "acted": ((n, recipe.height // PATCH, recipe.width // PATCH), np.float32),
        }  # fmt: skip
        self.folder = folder / recipe.name
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = not (self.folder / "done").exists()
        mode = "w+" if fresh else "r"
        self.arrays = {
            key: np.lib.format.open_memmap(self.folder / f"{key}.npy", mode=mode, dtype=kind, shape=shape)
            if fresh
            else np.load(self.folder / f"{key}.npy", mmap_mode="r")
            for key, (shape, kind) in shapes.items()
        }
        if not fresh:
            self.notes = json.loads((self.folder / "notes.json").read_text())

    def __getattr__(self, key: str) -> np.ndarray:
        return self.__dict__["arrays"][key]


def draw(folder: Path, recipe: Recipe, *, workers: int = 2) -> Drawings:
    """The set, drawn now or found on disk."""
    drawings = Drawings(folder, recipe)
    if (drawings.folder / "done").exists():
        return drawings
    drawings.arrays["people"][:] = -1
    people = character.seeds(PEOPLE, hold_out=False)
    jobs = [(recipe, people, i, min(i + 50, recipe.count)) for i in range(0, recipe.count, 50)]
    notes: list[dict[str, object]] = []
    with ProcessPoolExecutor(workers) as pool:
        for (_, _, first, last), (arrays, some) in zip(jobs, pool.map(_draw_some, jobs), strict=True):
            for key, values in arrays.items():
                drawings.arrays[key][first:last] = values
            notes += some
    (drawings.folder / "notes.json").write_text(json.dumps(notes))
    (drawings.folder / "done").touch()
    return Drawings(folder, recipe)


def _draw_some(job: tuple[Recipe, list[int], int, int]) -> tuple[dict[str, np.ndarray], list[dict[str, object]]]:
    recipe, people, first, last = job
    clips = list(_clips(recipe, people, first, last))
    keys = clips[0][0].keys()
    return {key: np.stack([arrays[key] for arrays, _ in clips]) for key in keys}, [note for _, note in clips]


def _clips(
    recipe: Recipe, people: list[int], first: int, last: int
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, object]]]:
    name = int.from_bytes(recipe.name.encode()[:6], "little")
    for index in range(first, last):
        rng = np.random.default_rng([name, index])
        count = int(rng.choice(3, p=recipe.shares)) + 1
        who = [people[int(k)] for k in rng.choice(len(people), count, replace=False)]
        what = scene.sample_scene(rng, [character.sample(seed) for seed in who])
        clip = scene.render(what, recipe.frames, recipe.width, recipe.height)
        arrays = {
            "frames": clip.frames, "boxes": np.zeros((3, 4), np.float32), "faces": np.zeros((3, 4), np.float32),
            "points": np.zeros((3, 5, 2), np.float32), "yaw": np.zeros(3, np.float32),
            "people": np.array(who + [-1] * (3 - count)), "levels": np.zeros((3, recipe.frames), np.float32),
        }  # fmt: skip
        arrays["joints"] = np.zeros((recipe.frames, 3, len(JOINTS), 2), np.float16)
        for frame, found in enumerate(clip.drawn):
            for i, d in enumerate(found):
                arrays["joints"][frame, i] = d.joints
        arrays["levels"][:count] = clip.levels
        arrays["acted"] = acted(what, recipe.frames, recipe.width, recipe.height)
        for i, d in enumerate(clip.drawn[0]):
            arrays["boxes"][i], arrays["faces"][i], arrays["points"][i], arrays["yaw"][i] = (
                d.box,
                d.face,
                d.points,
                d.yaw,
            )
        words = [caption(what, rng, plain=True)] + [caption(what, rng) for _ in range(3)]
        note: dict[str, object] = {
            "captions": words, "size": what.size, "move": what.move, "place": what.place, "time": what.time,
            "light": [what.light.side, what.light.warmth], "style": what.style.name,
            "parts": [[p.side, p.action.name, p.speaks] for p in what.parts],
        }  # fmt: skip
        yield arrays, note
