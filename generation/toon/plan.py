"""What the recipe of the embedded model is made of: the drawn sets, and how many steps each stretch takes."""

from __future__ import annotations

from dataclasses import dataclass

from generation.toon.data import CLIPS, LARGE, PICTURES, SIZED_CLIPS, SIZED_PICTURES, Recipe


@dataclass(frozen=True)
class Plan:
    """The size of every stretch, in one place."""

    pictures: Recipe = PICTURES
    large: Recipe = LARGE
    clips: Recipe = CLIPS
    sized_pictures: tuple[Recipe, ...] = SIZED_PICTURES
    sized_clips: tuple[Recipe, ...] = SIZED_CLIPS
    vae_pictures: int = 21500
    vae_clips: int = 20500
    expert_pictures: int = 4000
    expert_clips: int = 6200
    expert_sizes: int = 5900
    expert_sides: tuple[int, int] = (1220, 1700)  # of the high-noise and the low-noise expert, which has the finer work
    expert_fine: int = 1600  # of the low-noise expert, at the end, mostly on clips: mouths and stillness are its to draw
    vae_again: int = 6000  # of a VAE that there is already, on clips
    again: tuple[int, int] = (500, 1200)  # of experts that there are already, each on its side, once the VAE is another
    guessed: tuple[int, int] = (3000, 1200)  # pictures and clips of the widest size that the decoder is finished on
    decoder_steps: int = 4000
