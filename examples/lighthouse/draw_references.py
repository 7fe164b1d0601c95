"""Draws the reference pictures of this example again: two people of the toon world whom no training has seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from generation.toon.world import character, scene

CAST = {"mia": 40323, "tom": 49957}
COUNT = 24


def main() -> None:
    for name, seed in CAST.items():
        assert character.held_out(seed)
        folder = Path(__file__).parent / "refs" / name
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(COUNT):
            rng = np.random.default_rng([seed, k])
            shot = ("medium", "close-up", "medium", "wide")[k % 4]
            drawn = scene.render(
                scene.sample_scene(rng, [character.sample(seed)], size=shot, move="static"), 1, 384, 224
            )
            Image.fromarray(drawn.frames[0]).save(folder / f"{name}-{k:02d}.jpg", quality=93)


if __name__ == "__main__":
    main()
