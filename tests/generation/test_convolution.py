"""The quick form of the VAE's convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from generation.convolution import quick_convolutions


@pytest.mark.parametrize("residual", [False, True])
def test_the_quick_form_is_equal_to_rounding(make_vae: Callable[[bool], Any], residual: bool) -> None:
    vae = make_vae(residual)
    pictures = torch.randn(1, 3, 9, 32, 48, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mode()
        frames = vae.decode(latents).sample
        with quick_convolutions():
            assert torch.allclose(vae.encode(pictures).latent_dist.mode(), latents, atol=2e-5)
            assert torch.allclose(vae.decode(latents).sample, frames, atol=2e-5)
        assert torch.equal(vae.decode(latents).sample, frames)
