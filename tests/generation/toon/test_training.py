"""The training's parts, small: data found again, runs resumed, the quick convolutions equal to the stock ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from generation.toon import latents
from generation.toon import vae as toon_vae
from generation.toon.crops import MOUTH, Crops, to_signed
from generation.toon.data import Recipe, draw
from generation.training.appearances import join
from generation.training.loop import Loop
from generation.training.muon import Muon, orthogonal

SMALL = Recipe("small", 6, 5, 96, 64)


def test_drawings_are_kept_and_found_again(tmp_path: Path) -> None:
    made = draw(tmp_path, SMALL, workers=1)
    found = draw(tmp_path, SMALL)
    assert np.array_equal(made.frames, found.frames)
    assert found.frames.shape == (6, 5, 64, 96, 3)
    assert len(found.notes) == 6
    assert len(found.notes[0]["captions"]) == 4


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    def run(folder: Path, stops: tuple[int, ...]) -> torch.Tensor:
        for stop in stops:
            torch.manual_seed(0)
            net = nn.Linear(3, 1)
            loop = Loop(folder, "line", net, steps=8, rate=0.1, warmup=1)
            for step in loop:
                if step == stop:
                    loop.save()
                    break
                x = torch.from_numpy(np.random.default_rng(step).normal(size=(4, 3))).float()
                loop.update((net(x) - x.sum(1, keepdim=True)).square().mean())
        loop.use_average()
        return net.weight.detach().clone()

    assert torch.equal(run(tmp_path / "once", (99,)), run(tmp_path / "twice", (5, 99)))


def _half_of_a_training(rank: int, folder: Path, steps: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    _small_training(folder, np.arange(4)[rank::2], steps)
    dist.destroy_process_group()


def _small_training(folder: Path, rows: np.ndarray, steps: int) -> None:
    """Some matrices by Muon, on these rows of each batch of four."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 5), nn.Linear(5, 1))
    loop = Loop(folder, "net", net, steps=steps, rate=0.01, warmup=1, muon=lambda name, tensor: tensor.ndim == 2)
    for step in loop:
        x = torch.from_numpy(np.random.default_rng(step).normal(size=(4, 6))).float()[rows]
        loop.update((net(x) - x.sum(1, keepdim=True)).square().mean())


def test_two_processes_train_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    halves = [subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path), "7"]) for rank in range(2)]
    assert [half.wait(timeout=120) for half in halves] == [0, 0]
    _small_training(tmp_path / "alone", np.arange(4), 7)
    two, one = (torch.load(folder / "net.pt", weights_only=True) for folder in (tmp_path, tmp_path / "alone"))
    for kind in ("weights", "average"):
        for a, b in zip(two[kind], one[kind], strict=True):
            assert torch.allclose(a, b, atol=1e-4)


def test_muon_moves_along_every_singular_direction_alike() -> None:
    torch.manual_seed(0)
    for shape in ((12, 12), (20, 8), (8, 20)):
        p = nn.Parameter(torch.zeros(shape))
        p.grad = torch.randn(shape)
        Muon([p], lr=0.1, momentum=0.0).step()
        moved = torch.linalg.svdvals(p.detach()) / (0.1 * 0.2 * max(shape) ** 0.5)
        assert moved.min() > 0.3 and moved.max() < 1.3
        assert (p * p.grad).sum() < 0  # downhill
    with torch.no_grad():
        assert torch.isfinite(orthogonal(torch.zeros(4, 4))).all()


@pytest.mark.parametrize("frames", [1, 5, 13])
def test_all_frames_at_once_are_coded_as_the_stock_class_codes_them_in_fours(frames: int) -> None:
    vae = toon_vae.fresh_vae().eval()
    x = torch.rand(2, 3, frames, 32, 48) * 2 - 1
    with torch.no_grad():
        mean = vae.encode(x).latent_dist.mean
        shown = vae.decode(mean).sample
        with toon_vae.quick_passes():
            quick, _ = toon_vae.encode(vae, x)
            again = toon_vae.decode(vae, mean).clamp(-1, 1)
    assert (mean - quick).abs().max() < 1e-5
    assert (shown - again).abs().max() < 1e-5


def test_training_on_clips_leaves_the_latents_of_pictures(tmp_path: Path) -> None:
    drawings = draw(tmp_path, SMALL, workers=1)
    vae = toon_vae.fresh_vae()
    picture = to_signed(drawings.frames[:2, :1])
    with torch.no_grad():
        before = vae.encode(picture).latent_dist.mean
    with toon_vae.frozen_pictures(vae):
        loop = Loop(tmp_path, "clips", vae, steps=2, rate=1e-2, warmup=1)
        clip = to_signed(drawings.frames[:1])
        for _ in loop:
            mean, logvar = toon_vae.encode(vae, clip)
            toon_vae._learn(loop, clip, toon_vae.decode(vae, mean), mean, logvar)
    with torch.no_grad():
        assert torch.equal(before, vae.encode(picture).latent_dist.mean)
        assert not torch.equal(mean, toon_vae.encode(vae, clip)[0])


def test_the_last_stretch_looks_closer_at_faces_and_detail(tmp_path: Path) -> None:
    drawings = draw(tmp_path, SMALL, workers=1)
    x = np.random.default_rng(0).normal(size=(6, 16, 2, 8, 12)).astype(np.float16)
    x[:, :4] = x[:, :4, :, :1, :1]  # four channels that are smooth

    def tokens(captions: list[str]) -> dict[str, list[list[int]]]:
        return {"input_ids": [[2, 1] for _ in captions]}

    plain, fine = (latents.prepare(drawings, x, np.zeros(16), np.ones(16), tokens, 0, fine=fine) for fine in (False, True))
    faced = plain.weight != fine.weight
    assert faced.any() and np.unique(plain.weight[faced]).max() == 4 and np.unique(fine.weight[faced]).tolist() == [10, 40]
    for weights in (plain.channels, fine.channels):
        assert np.isclose(weights.mean(), 1) and weights[:4].min() > weights[4:].max()
    assert fine.channels[4:].min() > plain.channels[4:].max()
    assert np.array_equal(plain.x, fine.x)


def test_references_join_as_a_pack_does() -> None:
    rng = np.random.default_rng(0)
    face, figure = rng.normal(size=(6, 512)), rng.normal(size=(6, 192))
    face[2] = 0
    rows, looks, weights = join(face.astype(np.float32), figure.astype(np.float32))
    assert rows.shape == (5, 512)
    assert looks.shape == (5, 192)
    assert weights.tolist() == [1] * 5
    assert np.isclose(np.linalg.norm(rows[0]), 1)
    assert not rows[3].any()


def test_crops_stay_inside(tmp_path: Path) -> None:
    x, weight = Crops(draw(tmp_path, SMALL, workers=1)).some(np.random.default_rng(0), 7, 5, 48)
    assert x.shape == (7, 3, 5, 48, 48) and weight.shape == (7, 1, 5, 48, 48)


def test_mouths_count_more_in_crops_of_clips_and_nowhere_else(tmp_path: Path) -> None:
    drawings = draw(tmp_path, SMALL, workers=1)
    crops = Crops(drawings)
    assert (crops.some(np.random.default_rng(0), 9, 1, 64)[1] == 1).all()
    crops.drawings.arrays["frames"] = np.broadcast_to(np.arange(96, dtype=np.uint8)[:, None], drawings.frames.shape)  # a ramp
    x, weight = crops.some(np.random.default_rng(0), 40, 5, 64)
    assert set(weight.unique().tolist()) == {1, MOUTH}
    lefts = ((x[:, 0, 0, 0, 0] + 1) * 127.5).round()
    some = [k for k in range(40) if (weight[k, 0, 4] > 1).any()]
    assert some
    for k in some:  # a mouth of somebody's lies in the middle of what counts more, some frames on
        columns = float(np.flatnonzero((weight[k, 0, 4] > 1).any(0).numpy()).mean() + lefts[k])
        middles = drawings.points[:, :, 3:, 0].mean(-1) + crops.ways[:, 4, :, 0]
        assert np.abs(middles - columns).min() < 8


def test_a_lively_crop_is_the_one_of_three_in_which_most_changes(tmp_path: Path) -> None:
    crops = Crops(draw(tmp_path, SMALL, workers=1))
    three, weight = crops.some(np.random.default_rng(3), 3, 5, 48)
    changes = [float((x.diff(dim=1).abs() * w[:, 1:]).mean()) for x, w in zip(three, weight, strict=True)]
    taken, its = crops.lively(np.random.default_rng(3), 5, 48)
    assert torch.equal(taken, three[int(np.argmax(changes))][None]) and torch.equal(its, weight[int(np.argmax(changes))][None])
    assert len(set(changes)) == 3


if __name__ == "__main__":
    _half_of_a_training(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
