"""A painted room with two people, seen through any frame and under any light: what the tests of light look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assemble.colour import to_codes
from assemble.lighting.look import Look, look
from assemble.lighting.regions import Person

SKIN = {"mia": (0.55, 0.32, 0.22), "tom": (0.24, 0.12, 0.07)}
CLOTHES = {"mia": (0.65, 0.5, 0.06), "tom": (0.06, 0.12, 0.3)}
WALLS = ((0.45, 0.42, 0.36), (0.2, 0.3, 0.22), (0.1, 0.06, 0.04), (0.3, 0.08, 0.06), (0.12, 0.2, 0.4), (0.6, 0.6, 0.55))


@dataclass
class Clip:
    """Frames (T, H, W, 3) uint8 and who is where."""

    frames: np.ndarray
    people: dict[int, list[Person]]

    @property
    def look(self) -> Look:
        return look(iter(self.frames), self.people)


def clip(
    *, zoom: float = 1.0, pan: float = 0.0, count: int = 16, gain: object = 1.0, skin: dict[str, object] | None = None,
    names: tuple[str, ...] = ("mia", "tom"), side: str = "front", seed: int = 5, drift: float = 0.0,
    head: dict[str, float] | None = None, face: dict[str, float] | None = None,
) -> Clip:  # fmt: skip
    """A shot of the room. `zoom` and `pan` reframe it, the pan by `drift` pixels more a frame; `gain`, a number, (3,) or
    (T, 3), is the light on all of it, `skin` that on somebody's skin alone, `head` on skin and hair, `face` on skin and
    eyes, which then are open."""
    wide, high = 160, 96
    gains = np.broadcast_to(np.asarray(gain, float).reshape((-1, 1) if np.ndim(gain) == 1 and np.size(gain) == count else (-1, np.size(gain) if np.ndim(gain) < 2 else 3)), (count, 3))  # fmt: skip
    wall = _wall(seed)
    frames, people = [], {}
    for f in range(count):
        at = (np.arange(wide) / zoom + 120 + pan + drift * f).astype(int) % wall.shape[1]
        down = (np.arange(high) / zoom + 12 * (zoom - 1)).astype(int) % wall.shape[0]
        picture = wall[down][:, at].copy()
        here = []
        for k, name in enumerate(names):
            tall, x = 30 * zoom, 45 + 70 * k
            x0, x1, y0 = int(x - tall * 0.4), int(x + tall * 0.4), 14
            y1 = int(y0 + tall)
            picture[y1:, x0:x1] = CLOTHES[name]
            lit = (head or {}).get(name, 1.0)
            colour = lit * np.array(SKIN[name]) * np.asarray((skin or {}).get(name, 1.0))
            fall = {
                "front": np.ones(x1 - x0),
                "left": np.linspace(1.5, 0.6, x1 - x0),
                "right": np.linspace(0.6, 1.5, x1 - x0),
            }
            picture[y0:y1, x0:x1] = colour * (face or {}).get(name, 1.0) * fall[side][:, None]
            if name in (face or {}):
                picture[y0 + int(tall * 0.45) : y0 + int(tall * 0.6), x0 + 3 : x1 - 3] = 0.7 * lit * (face or {})[name]
            picture[y0 : y0 + int(tall * 0.3), x0:x1] = lit * np.array((0.05, 0.03, 0.02))
            here.append(Person(name, (x0, y0, x1, high), (x0, y0, x1, y1)))
        frames.append(np.round(to_codes(picture * gains[f]) * 255).astype(np.uint8))
        people[f] = here
    return Clip(np.stack(frames), people)


def _wall(seed: int) -> np.ndarray:
    """Blocks of a few colours (H, W, 3) in linear light, in a disorder that no shift repeats."""
    rng = np.random.default_rng(seed)
    wall = np.zeros((96, 480, 3))
    for row in range(6):
        x = 0
        while x < 480:
            wide = int(rng.integers(8, 28))
            wall[row * 16 : row * 16 + 16, x : x + wide] = np.array(WALLS[int(rng.integers(6))]) * rng.uniform(
                0.92, 1.08
            )
            x += wide
    return wall
