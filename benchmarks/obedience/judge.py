"""A small network that reads a clip as a viewer would: where, when, in which light, how framed, what happens.

It learns from drawings of training people, and is itself measured on drawings of held-out people: what it cannot read in a
drawing, it cannot blame a render for.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from generation.families import FAMILIES
from generation.request import SIDES
from generation.toon.world import character, scene
from generation.toon.world.place import PLACES, TIMES
from generation.toon.world.pose import ACTIONS

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "place": tuple(PLACES), "time": TIMES, "light from": scene.LIGHTS, "warmth": scene.WARMTHS, "size": scene.SIZES,
    "camera": tuple(scene.MOVES), "action": ACTIONS, "side": SIDES,
}  # fmt: skip
FRAMES = 17
MOMENTS = (0, 4, 8, 12, 16)
SIZE = (144, 84)
"""Width and height at which the judge looks: at 96x56 it read half of the actions in drawings, a hand being a dot there."""
UNSEEN = -1
"""The label of an action in a close-up, where walking and standing look alike: nobody is asked for it."""


def labels(what: scene.Scene) -> list[int]:
    """What a scene of one person shows, as places in ATTRIBUTES, or UNSEEN."""
    part = what.parts[0]
    said = (
        what.place, what.time, what.light.side, what.light.warmth, what.size, what.move, part.action.name, part.side,
    )  # fmt: skip
    told = [options.index(word) for options, word in zip(ATTRIBUTES.values(), said, strict=True)]
    if what.size == "close-up":
        told[list(ATTRIBUTES).index("action")] = UNSEEN
    return told


def looks(frames: np.ndarray) -> np.ndarray:
    """A clip (FRAMES, H, W, 3) as the judge takes it: its moments, small, (15, h, w) uint8."""
    small = [cv2.resize(frames[k], SIZE, interpolation=cv2.INTER_AREA) for k in MOMENTS]
    return np.concatenate(small, -1).transpose(2, 0, 1)


def draw(index: int, *, hold_out: bool, people: list[int]) -> tuple[np.ndarray, list[int]]:
    """One random scene of one person, as drawn, and its labels."""
    rng = np.random.default_rng([77, int(hold_out), index])
    what = scene.sample_scene(rng, [character.sample(people[index % len(people)])])
    return looks(scene.render(what, FRAMES, *FAMILIES["toon"].sizes[0]).frames), labels(what)


class Judge(nn.Module):
    """Eight answers from the five moments of a clip: (N, 15, 84, 144) uint8 in, scores (N, options) by attribute out."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3 * len(MOMENTS)
        for k, outside in enumerate((width, 2 * width, 4 * width, 4 * width)):
            layers += [
                nn.Conv2d(inside, outside, 5 if k == 0 else 3, 2, 2 if k == 0 else 1),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
            ]
            layers += [nn.Conv2d(outside, outside, 3, 1, 1), nn.BatchNorm2d(outside), nn.ReLU()] if k else []
            inside = outside
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(inside * 6 * 9, 256), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(256, len(options)) for options in ATTRIBUTES.values())

    def forward(self, clips: Tensor) -> list[Tensor]:
        seen = self.body(clips.float() / 127.5 - 1)
        return [head(seen) for head in self.heads]

    @torch.inference_mode()
    def read(self, clips: np.ndarray) -> np.ndarray:
        """The answers (N, 8) to clips (N, 15, h, w)."""
        self.eval()
        return torch.stack([score.argmax(1) for score in self(torch.from_numpy(clips))], 1).numpy()


def trained(clips: np.ndarray, truth: np.ndarray, path: Path, *, epochs: int = 14) -> Judge:
    """The judge of these drawings, taught now or found at `path`."""
    judge = Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    rows, steps = 64, epochs * (len(clips) // 64)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    began = time.monotonic()
    judge.train()
    for step in range(steps):
        some = rng.integers(len(clips), size=rows)
        answers = judge(torch.from_numpy(_roughened(clips[some], rng)))
        wanted = torch.from_numpy(truth[some])
        amiss = [
            nn.functional.cross_entropy(a, wanted[:, k], ignore_index=UNSEEN) for k, a in enumerate(answers)
        ]
        loss = torch.stack(amiss).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(
                f"the judge learns: {step}/{steps}, loss {float(loss.detach()):.2f}, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(judge.state_dict(), path)
    return judge


def _roughened(clips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the clips softened and all made noisy, so that the judge does not lean on the crispness of a drawing."""
    out = clips.astype(np.float32)
    for k in np.flatnonzero(rng.random(len(out)) < 0.5):
        soft = cv2.GaussianBlur(out[k].transpose(1, 2, 0), (0, 0), float(rng.uniform(0.4, 1.3)))
        out[k] = soft.transpose(2, 0, 1)
    return np.clip(out + rng.normal(0, 5, out.shape), 0, 255).astype(np.uint8)
