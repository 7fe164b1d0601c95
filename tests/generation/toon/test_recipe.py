"""The whole recipe of the embedded model but for its encoders, on a handful of drawings and a few steps a stretch: what it leaves
is a model that renders, a second run changes nothing, and another run starts from it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from generation.toon.data import Recipe
from generation.toon.plan import Plan
from generation.toon.train import ENCODERS, Training

FEW = Plan(
    pictures=Recipe("pictures", 8, 1, 96, 64), large=Recipe("large", 4, 1, 192, 112), clips=Recipe("clips", 3, 33, 96, 64),
    sized_pictures=tuple(Recipe(name, 4, 1, 96, 80) for name in ("pictures-wide", "square", "upright")),
    sized_clips=tuple(Recipe(name, 2, 33, 96, 80) for name in ("clips-wide", "sqclip", "upclip")),
    vae_pictures=2, vae_clips=2, vae_again=2, expert_pictures=2, expert_clips=2, expert_sizes=2, expert_sides=(2, 2), expert_fine=2, again=(2, 2),
    guessed=(3, 2), decoder_steps=3,
)  # fmt: skip
PARTS = ("drawings", "vae", "experts", "decoder", "pack")


def _run(folder: Path, out: str, start: str = "") -> None:
    """A process of its own, which does not compile: that takes longer than these steps."""
    environment = {**os.environ, "TORCHDYNAMO_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(folder), out, start]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _weights(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.safetensors"))}


@pytest.mark.slow
def test_the_recipe_makes_a_model_and_does_nothing_twice(tmp_path: Path) -> None:
    from generation import Model, ShotRequest, open_stage

    _run(tmp_path, "model")
    model = Model.open(str(tmp_path / "model"))
    request = ShotRequest(
        prompt="medium shot, static camera. exterior, harbour, day.", characters=(), frames=5, width=256, height=144, seed=1,
        steps=4, guidance=(2.0, 2.0),
    )  # fmt: skip
    held: dict = {}
    for name in model.family.stages:
        with open_stage(name, model) as stage:
            held = stage.run(request, [], held)
    frames = held["frames"].numpy()
    assert frames.shape == (5, 144, 256, 3) and frames.dtype == np.uint8

    first = _weights(tmp_path / "model")
    assert len(first) == 6  # text encoder, VAE, two experts, an adapter each
    _run(tmp_path, "model")
    assert _weights(tmp_path / "model") == first

    _run(tmp_path, "on", "model")
    again = _weights(tmp_path / "on")
    assert {name for name in first if first[name] != again[name]} == set(first) - {"text_encoder/model.safetensors"}
    assert _weights(tmp_path / "model") == first


if __name__ == "__main__":
    place, name, begin = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    recipe = Training(place / f"work-{name}", place / name, ENCODERS, FEW, place / begin if begin else None)
    for each in PARTS:
        getattr(recipe, each)()
