"""The quick form of the VAE's arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from generation.quick import quick_arithmetic


@pytest.mark.parametrize("residual", [False, True])
def test_the_quick_form_is_equal_to_rounding(make_vae: Callable[[bool], Any], residual: bool) -> None:
    vae = make_vae(residual)
    pictures = torch.randn(1, 3, 9, 32, 48, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mode()
        frames = vae.decode(latents).sample
        with quick_arithmetic():
            assert torch.allclose(vae.encode(pictures).latent_dist.mode(), latents, atol=2e-5)
            assert torch.allclose(vae.decode(latents).sample, frames, atol=2e-5)
        assert torch.equal(vae.decode(latents).sample, frames)


def test_convolutions_in_bfloat16_stray_by_less_than_a_level(make_vae: Callable[[bool], Any]) -> None:
    vae = make_vae(True)
    latents = torch.randn(1, 16, 3, 4, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        frames = vae.decode(latents).sample
        with quick_arithmetic(half=True):
            near = vae.decode(latents).sample
    assert near.dtype == torch.float32
    off = (near - frames).square().mean().sqrt()
    assert 0 < off < 1 / 127.5
