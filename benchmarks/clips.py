"""Short clips of many kinds to try marks on: toon films, photographs panned and still, flat graphics, noise, dark pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import skimage.data
import sklearn.datasets

from assemble.picture import Frame, fit
from generation.toon.world import character, scene

SIZE, FPS = (832, 480), 24
Clip = Callable[[int], Iterator[Frame]]


def panned(photo: np.ndarray, zoom: float = 1.25) -> Clip:
    """A camera that goes from one corner of a photograph to the other, and nearer."""

    def frames(count: int) -> Iterator[Frame]:
        scale = max(SIZE[0] * zoom / photo.shape[1], SIZE[1] * zoom / photo.shape[0])
        big = cv2.resize(photo[..., :3], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        for number in range(count):
            share = number / count
            width, height = (round(side * (1.12 - 0.12 * share)) for side in SIZE)
            x, y = (round((room - side) * share) for room, side in ((big.shape[1], width), (big.shape[0], height)))
            yield cv2.resize(big[y : y + height, x : x + width], SIZE, interpolation=cv2.INTER_AREA)

    return frames


def still(photo: np.ndarray) -> Clip:
    """A photograph in which only a ball moves."""

    def frames(count: int) -> Iterator[Frame]:
        picture = next(panned(photo, 1.12)(1))
        for number in range(count):
            frame = picture.copy()
            cv2.circle(frame, (60 + 700 * number // count, 240), 40, (200, 80, 60), -1)
            yield frame

    return frames


def graphics(count: int) -> Iterator[Frame]:
    """Flat colours, an edge, a title, and a disc that moves."""
    page = np.full((SIZE[1], SIZE[0], 3), (230, 220, 200), np.uint8)
    cv2.rectangle(page, (60, 60), (300, 300), (30, 90, 160), -1)
    for number in range(count):
        frame = page.copy()
        cv2.circle(frame, (60 + 700 * number // count, 300), 80, (200, 80, 60), -1)
        cv2.putText(frame, "STORY", (300, 420), cv2.FONT_HERSHEY_SIMPLEX, 3, (20, 20, 20), 8)
        yield frame


def noise(count: int) -> Iterator[Frame]:
    """Grain, another in every frame."""
    rng = np.random.default_rng(5)
    for _ in range(count):
        yield np.clip(rng.normal(128, 30, (SIZE[1], SIZE[0], 3)), 0, 255).astype(np.uint8)


def darkened(clip: Clip) -> Clip:
    return lambda count: (frame // 10 for frame in clip(count))


def toon(seed: int, size: str) -> Clip:
    """A drawn character at something."""

    def frames(count: int) -> Iterator[Frame]:
        rng = np.random.default_rng(seed)
        made = scene.sample_scene(rng, [character.sample(seed)], size=size)
        for frame in scene.render(made, count, 416, 240).frames:
            yield fit(frame, SIZE)

    return frames


def clips() -> dict[str, Clip]:
    china, flower = sklearn.datasets.load_sample_images().images
    return {
        "toon, close": toon(70_001, "close-up"), "toon, medium": toon(70_002, "medium"), "toon, wide": toon(70_003, "wide"),
        "temple, panned": panned(china), "temple, still": still(china), "flower, panned": panned(flower),
        "flower, still": still(flower), "coffee, panned": panned(skimage.data.coffee()),
        "cat, still": still(skimage.data.chelsea()), "rocket, panned": panned(skimage.data.rocket()), "graphics": graphics,
        "noise": noise, "dark": darkened(panned(china)),
    }  # fmt: skip
