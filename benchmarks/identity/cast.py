"""The benchmark's people: held-out characters, their reference pictures drawn to disk, their packs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from generation.toon.world import character, scene
from generation.toon.world.style import Style
from identity import Encoders, IdentityPack, prepare

REFERENCES = 16
SIZE = (320, 192)


def held_out(count: int, start: int = 0) -> list[character.Character]:
    """Characters on the hold-out side of the rule."""
    return [character.sample(seed) for seed in character.seeds(start + count, hold_out=True)[start:]]


def draw_references(who: character.Character, folder: Path, count: int = REFERENCES, hand: Style | None = None) -> Path:
    """Pictures of one character alone, in varied scenes and hands, or all in one hand, as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        path = folder / f"{k:02d}.png"
        if not path.exists():
            rng = np.random.default_rng([who.seed, k, 41])
            shot = ("medium", "close-up", "wide", "medium")[k % 4]
            drawn = scene.render(scene.sample_scene(rng, [who], size=shot, style=hand), 1, *SIZE)
            Image.fromarray(drawn.frames[0]).save(path)
    return folder


def packs(
    people: list[character.Character], work: Path, encoders: Encoders, hand: Style | None = None
) -> dict[str, IdentityPack]:
    """A pack for each, by name, made by the real tool from the drawn files and kept under `work`."""
    work = work / hand.name if hand else work
    made = {}
    for who in people:
        name, folder = f"c{who.seed}", work / "packs" / f"c{who.seed}"
        try:
            made[name] = IdentityPack.load(folder, encoders)
        except ValueError:
            made[name] = prepare([draw_references(who, work / "references" / name, hand=hand)], name, encoders)
            made[name].save(folder)
    return made
