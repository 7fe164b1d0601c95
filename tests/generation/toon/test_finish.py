"""The decoder's last stretch, small: the expert's guesses, crops beside them, and that nothing else moves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from generation.toon import experts, finish, latents, text
from generation.toon import vae as toon_vae
from generation.toon.data import Drawings, Recipe, draw
from generation.toon.references import References
from generation.toon.train import WEIGHTS

CLIPS = Recipe("few", 3, 9, 128, 96)
MEAN, STD = np.linspace(-1, 1, 16), np.linspace(0.5, 2, 16)


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Drawings:
    return draw(tmp_path_factory.mktemp("drawings"), CLIPS, workers=1)


@pytest.fixture(scope="module")
def coded(drawings: Drawings, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return latents.encode_set(toon_vae.fresh_vae(), drawings, tmp_path_factory.mktemp("latents") / "few.npy")


def _nobody_known() -> References:
    rows = {"face": np.zeros((1, 512), np.float32), "figure": np.zeros((1, 192), np.float32)}
    return References(**rows, seed=np.array([-1]), picture=np.array([0]))


def test_guesses_are_the_shipped_experts_and_are_kept(drawings: Drawings, coded: np.ndarray, tmp_path: Path) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(WEIGHTS / "tokenizer")
    painter = experts.make_painter(text.make_encoder(tokenizer), 192)
    experts.load_painter(painter, WEIGHTS, "transformer_2")
    batches = experts.Batches(latents.prepare(drawings, coded, MEAN, STD, tokenizer, 0), _nobody_known())
    made = finish.guess_set(painter, batches, tmp_path / "guesses.npy", 2)
    assert made.shape == (2, 16, 3, 12, 16) and np.isfinite(made).all()
    assert not np.array_equal(made, batches.latents.x[:2])
    with torch.no_grad():
        painter.transformer.proj_out.bias += 1  # what is kept is not made again
    assert np.array_equal(finish.guess_set(painter, batches, tmp_path / "guesses.npy", 2), made)


def test_crops_lie_over_their_drawings(drawings: Drawings) -> None:
    """Latents that are the drawings' own reds, eight pixels each: crops of both show the same."""
    reds = drawings.frames[..., 0].astype(np.float32).reshape(3, 9, 12, 8, 16, 8).mean((3, 5)) / 127.5 - 1
    each = np.broadcast_to(reds[:, None, ::4], (3, 16, 3, 12, 16))
    made = (each - MEAN[:, None, None, None]) / STD[:, None, None, None]
    pairs = finish.Pairs(drawings, each, made, MEAN, STD)
    for seed in range(8):
        z, x = pairs.take(np.random.default_rng(seed), 2, 3)
        assert z.shape == (2, 16, 3, 10, 10) and x.shape == (2, 3, 9, 64, 64)
        shown = x[:, 0, ::4].unflatten(-1, (8, 8)).unflatten(-3, (8, 8)).mean((-3, -1))
        assert torch.allclose(z[:, 5, :, 1:-1, 1:-1], shown, atol=1e-4)


def test_only_the_decoder_learns(drawings: Drawings, coded: np.ndarray, tmp_path: Path) -> None:
    vae = toon_vae.fresh_vae()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    made = (coded.astype(np.float32) - MEAN[:, None, None, None]) / STD[:, None, None, None]
    pairs = finish.Pairs(drawings, coded, made, MEAN, STD)
    finish.finish(finish.finish_loop(tmp_path, vae, 3), vae, pairs, pairs)
    moved = {name for name, value in vae.state_dict().items() if not torch.equal(value, before[name])}
    assert moved and all(name.startswith(("decoder.", "post_quant_conv.")) for name in moved)
