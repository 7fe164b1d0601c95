"""Faultless films, drawn: two scenes of a few reframed shots each, with the changes of light that a script may ask for.

The light is alike all over the screen. Toon's own falls off over it by half a stop, wherever the camera stands, so that somebody
who is reframed would really be lit otherwise, and no number of a fault would be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assemble import Person, Setting
from generation.toon.world import character, scene
from generation.toon.world.figure import Drawn, Light
from generation.toon.world.pose import sample_action
from generation.toon.world.style import STYLES, sample_style

SIZE = (416, 240)
HOURS = (("day", "night"), ("morning", "evening"), ("evening", "night"), ("day", "day"), ("morning", "night"))
FRAMINGS = (
    ("wide", "static"),
    ("medium", "push in"),
    ("close-up", "static"),
    ("medium", "pan left"),
    ("close-up", "pull out"),
)


@dataclass(frozen=True)
class Shot:
    """What the script says of a shot, the scene that shows it, its frames (T, H, W, 3), and who is where in each."""

    setting: Setting
    scene: scene.Scene
    names: tuple[str, ...]
    frames: np.ndarray
    people: dict[int, list[Person]]


def film(number: int, frames: int, shots: int) -> list[Shot]:
    """Film `number` from 0: two scenes of `shots` shots. They differ in hour, in light, and mostly in place."""
    rng = np.random.default_rng([number, 61])
    cast = [character.sample(seed) for seed in character.seeds(2 * number + 2, hold_out=True)[-2:]]
    style = sample_style(rng, STYLES[number % len(STYLES)].name)
    places = [str(place) for place in rng.permutation(list(scene.PLACES))[:2]]
    if number % 3 == 0:  # the same place at another hour
        places[1] = places[0]
    made: list[Shot] = []
    for part, (place, hour) in enumerate(zip(places, HOURS[number % len(HOURS)], strict=True)):
        light = Light(
            ("left", "right", "front", "back")[(number + part) % 4],
            ("neutral", "warm", "cool")[(number + 2 * part) % 3],
            falloff=0.0,
        )
        first = scene.sample_scene(rng, cast, place=place, time=hour, style=style, light=light, action="stands")
        sides = ("left", "right") if number % 2 else ("right", "left")  # kept from shot to shot: the 180-degree rule
        acting = tuple(replace(each, side=side, speaks=False) for each, side in zip(first.parts, sides, strict=True))
        for k in range(shots):
            size, move = FRAMINGS[(k + number) % len(FRAMINGS)]
            alone = size == "close-up" and k % 2 == 1
            action = ("stands", "waves", "talks", "turns", "points")[(k + number) % 5]
            parts = tuple(replace(each, action=sample_action(rng, action)) for each in acting)[: 1 if alone else 2]
            shown = replace(first, parts=parts, size=size, move=move)
            said = Setting(
                len(made) + 1,
                place,
                scene.PLACES[place][0],
                hour,
                light.side,
                light.warmth,
                pans=move.startswith("pan"),
            )
            made.append(drawn(said, shown, ("ann", "ben")[: len(parts)], frames))
    return made


def drawn(said: Setting, shown: scene.Scene, names: tuple[str, ...], frames: int) -> Shot:
    """A shot of a scene, with the boxes that the world knows."""
    clip = scene.render(shown, frames, *SIZE)
    people = {place: people_in(names, found) for place, found in enumerate(clip.drawn)}
    return Shot(said, shown, names, clip.frames, people)


def people_in(names: Sequence[str], found: Sequence[Drawn]) -> list[Person]:
    """Those in a frame as identity would hand them over."""
    return [
        Person(name, tuple(map(float, each.box)), tuple(map(float, each.face)))  # type: ignore[arg-type]
        for name, each in zip(names, found, strict=True)
        if each.head > 0
    ]
