"""In whose hand the world is drawn: outline, palette, shading and the cut of a face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from generation.toon.world.character import Colour


@dataclass(frozen=True)
class Style:
    """One hand. `outline` is a share of the figure's height, `saturation` and `contrast` are factors about 1."""

    name: str
    outline: float
    ink: Colour
    shading: str  # flat, soft, cel
    saturation: float
    contrast: float
    eye: str  # dot, oval, big
    nose: str  # dot, line, none
    blush: bool = False
    grain: float = 0.0


STYLES = (
    Style("hand-painted storybook", 0.006, (74, 48, 40), "soft", 0.95, 1.0, "oval", "line", True),
    Style("flat vector", 0.0, (40, 40, 46), "flat", 1.0, 1.0, "dot", "none"),
    Style("ink comic", 0.010, (18, 18, 22), "cel", 1.12, 1.1, "oval", "line"),
    Style("soft pastel", 0.0, (120, 96, 96), "soft", 0.8, 0.94, "dot", "dot", True),
    Style("bright cartoon", 0.008, (28, 24, 34), "soft", 1.12, 1.04, "big", "dot"),
    Style("anime", 0.005, (60, 36, 50), "cel", 1.04, 1.0, "big", "none", True),
)
HELD_OUT_STYLE = Style("woodcut", 0.014, (30, 26, 20), "cel", 0.72, 1.2, "dot", "line", False, 3.0)
"""A hand that no training sees, for the test on another drawer's characters."""


def sample_style(rng: np.random.Generator, name: str | None = None) -> Style:
    """A training style by name (or any), with small personal variation in line and colour."""
    pool = [s for s in STYLES if name in (None, s.name)]
    base = pool[int(rng.integers(len(pool)))]
    ink = tuple(int(v) for v in np.clip(np.array(base.ink) + rng.normal(0, 8, 3), 0, 140))
    return replace(
        base,
        outline=base.outline * float(rng.uniform(0.7, 1.4)),
        ink=(ink[0], ink[1], ink[2]),
        saturation=base.saturation * float(rng.uniform(0.94, 1.06)),
        contrast=base.contrast * float(rng.uniform(0.97, 1.03)),
    )
