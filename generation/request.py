"""What is asked of the model for one shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generation.errors import GenerationError

if TYPE_CHECKING:
    import numpy as np

SLOTS = 3  # characters that one shot can hold
SIDES = ("left", "centre", "right")
"""Sides of the screen, in the order of the identity adapter's numbers for them."""


@dataclass(frozen=True)
class VoiceTrack:
    """Loudness of each speaking character, by name: (frames,) numbers in 0..1, one for each video frame."""

    levels: dict[str, np.ndarray]

    def by_slot(self, characters: tuple[str, ...], frames: int) -> np.ndarray:
        """Loudness (characters, frames) float32 in slot order; a character without a track is silent."""
        import numpy as np

        out = np.zeros((len(characters), frames), np.float32)
        for slot, name in enumerate(characters):
            levels = np.asarray(self.levels.get(name, ()), np.float32)[:frames]
            out[slot, : len(levels)] = levels.clip(0, 1)
        return out


@dataclass(frozen=True)
class ShotRequest:
    """One shot, in the model's own terms.

    `prompt` names characters as @name; `characters` are those names in slot order, at most SLOTS. `frames` (4k+1),
    `width` and `height` are what the model makes, before the film is scaled. `guidance` and `identity_scale` are
    (high-noise, low-noise): guidance of 1 is none, and with an identity scale of 0 an expert is the stock one. `sides`
    says for each character on which of SIDES of the screen it is, or nothing at all; an adapter that does not know sides
    leaves them to the prompt. `looks` says in words how each character looks, or nothing at all. `detail_seed` finishes the
    layout of `seed` in another way; None in the solver's own. `voice_scale` is how strongly a mouth heeds its voice, beside how
    it did in training.

    For families that take them: `pictures`, for each character pictures (H, W, 3) uint8 RGB of it alone on white; `place`, whole
    pictures (H, W, 3) of where it happens, as other shots show it; and `first_frame` (height, width, 3), from which the shot goes
    on.
    """

    prompt: str
    characters: tuple[str, ...]
    frames: int
    width: int
    height: int
    seed: int
    steps: int
    guidance: tuple[float, float]
    identity_scale: tuple[float, float] = (1.0, 1.0)
    negative_prompt: str = ""
    voice: VoiceTrack | None = None
    voice_scale: float = 1.0
    sides: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    pictures: tuple[tuple[np.ndarray, ...], ...] = ()
    place: tuple[np.ndarray, ...] = ()
    first_frame: np.ndarray | None = None
    detail_seed: int | None = None

    def __post_init__(self) -> None:
        if len(self.characters) > SLOTS:
            raise GenerationError(
                f"{len(self.characters)} characters in one shot: {', '.join(self.characters)}",
                mend=f"A shot holds at most {SLOTS}. Split it, or leave someone out of the frame.",
            )
        if len(set(self.characters)) < len(self.characters):
            raise GenerationError("a character is in the shot twice", mend="Name each character once.")
        if self.sides and (len(self.sides) != len(self.characters) or not set(self.sides) <= set(SIDES)):
            raise GenerationError(
                f"the sides {', '.join(self.sides)} for {len(self.characters)} characters",
                mend=f"Give one of {', '.join(SIDES)} for each character, or none at all.",
            )
        for what, given in (("looks", self.looks), ("pictures", self.pictures)):
            if given and len(given) != len(self.characters):
                raise GenerationError(
                    f"the {what} of {len(given)} for {len(self.characters)} characters", mend="Give them for each, or for none."
                )
        if self.steps < 1:
            raise GenerationError(f"{self.steps} steps", mend="Ask for at least one step.")

    @property
    def all_pictures(self) -> list[np.ndarray]:
        """The pictures of all characters, in slot order, and behind them those of the place."""
        return [*(picture for each in self.pictures for picture in each), *self.place]

    @property
    def guided(self) -> bool:
        """Whether any expert needs the negative prompt."""
        return max(self.guidance) > 1
