"""What the model that will render can make: the planner and the script reader ask here and hard-code nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generation.family import Family

LONGEST_SHOT = 15.0  # seconds: past this a shot is a scene of its own, whatever a model could make
SHORTEST_SHOT = 0.5  # seconds: under this nobody sees what it shows
FILM_SIDES = 64, 7680  # pixels a side of a film
FILM_SIZE = 832, 480  # when the script does not say


@dataclass(frozen=True)
class Limits:
    """Bounds of one model: seconds and sizes of a shot, characters in the frame, shots in a sequence.

    A film may have any size whose shape is within a factor `slack` of one in `sizes`, as the rest is scaled and cropped.
    """

    model: str
    fps: float
    longest: float  # seconds
    sizes: tuple[tuple[int, int], ...]  # width, height in pixels
    slack: float = 1.15
    shortest: float = SHORTEST_SHOT  # seconds
    characters: int = 3
    shots: int = 5
    needs_frame: bool = False  # a shot goes on from a picture that the script gives

    @classmethod
    def of(cls, family: Family) -> Limits:
        """The bounds of a family of models."""
        from generation.family import CROP
        from generation.request import SLOTS

        # Rounded down, so that the number that is told is one that works.
        longest = math.floor(min(LONGEST_SHOT, family.max_frames / family.fps) * 100) / 100
        return cls(family.name, family.fps, longest, family.sizes, slack=CROP, characters=SLOTS, needs_frame=family.needs_frame)

    @classmethod
    def embedded(cls) -> Limits:
        """The bounds of the embedded model."""
        from generation.families import FAMILIES

        return cls.of(FAMILIES["toon"])

    @property
    def film_size(self) -> tuple[int, int]:
        """The size of a film whose script gives none."""
        return self.sizes[0] if self.refusal(*FILM_SIZE) else FILM_SIZE

    def refusal(self, width: int, height: int) -> str:
        """What to write instead when a film of this size cannot be made; '' when it can."""
        low, high = FILM_SIDES
        if not (low <= width <= high and low <= height <= high):
            return f"write a width and a height of {low} to {high} pixels"
        if width % 2 or height % 2:
            return f"both must be even: write {width + width % 2}x{height + height % 2}"
        nearest = min(self.sizes, key=lambda size: abs(math.log(size[0] / size[1] * height / width)))
        if abs(math.log(nearest[0] / nearest[1] * height / width)) > math.log(self.slack):
            same = [f"{2 * round(height * w / h / 2)}x{height}" for w, h in self.sizes]
            return f"{self.model} makes shapes like {', '.join(f'{w}x{h}' for w, h in self.sizes)}: write for example {same[0]}"
        return ""
