"""The noise that a shot is made out of: all of it at the start and, where a layout is to be finished anew, some at the hand-over.

The solver itself leaves no choice: from the same layout it comes to the same end. What can be chosen is the noise that is
still in the picture at the hand-over. `churned` keeps the layout's guess of the end and most of that noise, and draws the
rest anew, as a stochastic solver does at each of its steps (Song et al. 2021, "Denoising Diffusion Implicit Models", equation
16, with `share` as its eta).

All noise is drawn on the CPU, so a seed means the same shot everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SHARE = 0.5  # of the noise, by amplitude: the composition stays, and what is within it changes


def drawn(shape: tuple[int, ...], seed: int, device: str) -> Tensor:
    """Noise to begin with, of mean 0 and variance 1, as the stock pipeline draws it for a CPU generator of this seed."""
    import torch
    from diffusers.utils.torch_utils import randn_tensor

    generator = torch.Generator("cpu").manual_seed(seed)
    return randn_tensor(shape, generator=generator, device=torch.device(device), dtype=torch.float32)


def churned(latents: Tensor, guess: Tensor, sigma: float, seed: int, share: float = SHARE) -> Tensor:
    """Latents at noise level `sigma` (0..1) with the same guess of the end in them, and `share` (0..1) of the noise drawn anew.

    `latents` (B, C, F, h, w) = (1 - sigma) * guess + sigma * noise; frames before those of the guess, which hold reference
    pictures, stay as they are. The old noise and the new add up to the same strength.
    """
    import torch

    pictures, shot = latents.split([latents.shape[2] - guess.shape[2], guess.shape[2]], dim=2)
    noise = (shot - (1 - sigma) * guess) / sigma
    mixed = (1 - share**2) ** 0.5 * noise + share * drawn(tuple(shot.shape), seed, str(shot.device))
    return torch.cat([pictures, (1 - sigma) * guess + sigma * mixed], dim=2)
