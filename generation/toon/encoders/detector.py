"""The detectors of faces (SCRFD form) and of figures: one small pyramid network, anchor points, and their losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.toon.data import Drawings
from generation.toon.encoders.fit import fit
from generation.toon.encoders.networks import Block, stem
from generation.toon.encoders.views import HEIGHT, WIDTH, View, Views

STRIDES = (8, 16, 32)
FACE_SIZES = ((0.0, 36.0), (26.0, 88.0), (64.0, 1e9))
"""The longer sides of the faces that each stride learns, in pixels; shared in between."""
FIGURE_STRIDE = 16
CORE = 0.22
"""A box is learned at the points within this share of its sides from its middle."""


class Pyramid(nn.Module):
    """A picture (n, 3, h, w) to features of one width at strides 8, 16 and 32, each of which has seen the coarser ones."""

    def __init__(self, channels: tuple[int, int, int, int], out: int) -> None:
        super().__init__()
        a, b, c, d = channels
        self.low = nn.Sequential(stem(a), Block(a, b, 2), Block(b, b))
        self.middle, self.high = Block(b, c, 2), nn.Sequential(Block(c, d, 2), Block(d, d))
        self.across = nn.ModuleList(nn.Conv2d(width, out, 1) for width in (b, c, d))
        self.smooth = nn.ModuleList(
            nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))
            for _ in range(3)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        low = self.low(x)
        middle = self.middle(low)
        high = self.across[2](self.high(middle))
        middle = self.across[1](middle) + F.interpolate(high, scale_factor=2.0, mode="nearest")
        low = self.across[0](low) + F.interpolate(middle, scale_factor=2.0, mode="nearest")
        return self.smooth[0](low), self.smooth[1](middle), self.smooth[2](high)


def _head(width: int, out: int) -> nn.Sequential:
    last = nn.Conv2d(width, out, 1)
    nn.init.normal_(last.weight, std=0.02)
    with torch.no_grad():
        last.bias.copy_(torch.tensor([-3.0] + [0.0] * (out - 1)))  # type: ignore[union-attr]
    return nn.Sequential(
        nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True), last
    )


class FaceDetector(nn.Module):
    """Maps of (n, 15, h/s, w/s) for each stride: score logit, log distances to the box's sides, five points; in strides."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = Pyramid((16, 28, 56, 72), 32)
        self.heads = nn.ModuleList(_head(32, 15) for _ in STRIDES)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [head(level) for head, level in zip(self.heads, self.pyramid(x), strict=True)]


class FigureDetector(nn.Module):
    """One map of (n, 5, h/16, w/16): score logit and log distances to the box's sides."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = Pyramid((16, 32, 64, 80), 40)
        del self.pyramid.smooth[0], self.pyramid.across[0]
        self.head = _head(40, 5)

    def forward(self, x: Tensor) -> list[Tensor]:
        p = self.pyramid
        middle = p.middle(p.low(x))
        middle = p.across[0](middle) + F.interpolate(p.across[1](p.high(middle)), scale_factor=2.0, mode="nearest")
        return [self.head(p.smooth[0](middle))]


def anchors(height: int, width: int, stride: int, middle: float) -> Tensor:
    """Anchor points (cells, 2) in pixels, rows first; `middle` is their place in a cell: 0 its corner, 0.5 its middle."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (torch.stack([x, y], -1).reshape(-1, 2).float() + middle) * stride


def level_loss(rows: Tensor, points: Tensor, stride: int, view: View, sizes: tuple[float, float]) -> dict[str, Tensor]:
    """Sums over a level's rows (n, cells, 5 or 15) at anchor `points`; "count" is the number of cells that learn a box."""
    score, side, mark = torch.zeros(()), torch.zeros(()), torch.zeros(())
    count = 0
    for row, boxes, marks, wanted in zip(rows, view.boxes, view.points, view.wanted, strict=True):
        target, weight = torch.zeros(len(points)), torch.ones(len(points))
        here = wanted != 0
        boxes, marks, wanted = boxes[here], marks[here], wanted[here]
        if len(boxes):
            size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
            far = ((points[:, None] - (boxes[:, :2] + boxes[:, 2:]) / 2).abs() / size).amax(-1)
            longer = size.amax(-1)
            own = (wanted > 0) & (longer >= sizes[0]) & (longer < sizes[1])
            near = (wanted < 0) | ((longer > sizes[0] * 0.75) & (longer < sizes[1] * 1.3))
            weight[((far < 0.4) & near).any(1)] = 0
            best = torch.where(own & (far < torch.clamp(0.75 * stride / size.amin(-1), min=CORE)), far, 9.0).min(1)
            hit = best.values < 9
            weight[hit], target[hit] = 1, 1
            if hit.any():
                mine = best.indices[hit]
                side = side + _sides(row[hit, 1:5].float().exp() * stride, points[hit], boxes[mine])
                if row.shape[-1] > 5:
                    found = row[hit, 5:].float().view(-1, 5, 2) * stride + points[hit][:, None]
                    off = (found - marks[mine]) / longer[mine][:, None, None]
                    mark = mark + F.smooth_l1_loss(off, torch.zeros_like(off), beta=0.01, reduction="sum") / 10
                count += int(hit.sum())
        logit = row[:, 0].float()
        share = torch.sigmoid(logit)
        focus = (target - share).abs() ** 2
        score = score + (weight * focus * F.binary_cross_entropy_with_logits(logit, target, reduction="none")).sum()
    return {"score": score, "side": side, "mark": mark, "count": torch.tensor(float(count))}


def _sides(found: Tensor, points: Tensor, boxes: Tensor) -> Tensor:
    """Summed generalised IoU losses of distances (k, 4) from points to boxes (k, 4)."""
    mine = torch.cat([points - found[:, :2], points + found[:, 2:]], -1)
    low, high = torch.maximum(mine[:, :2], boxes[:, :2]), torch.minimum(mine[:, 2:], boxes[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (mine[:, 2:] - mine[:, :2]).prod(-1) + (boxes[:, 2:] - boxes[:, :2]).prod(-1) - shared
    hull = (torch.maximum(mine[:, 2:], boxes[:, 2:]) - torch.minimum(mine[:, :2], boxes[:, :2])).prod(-1).clamp(min=1)
    return (2 - shared / union.clamp(min=1) - union / hull).sum()


def _train(name: str, net: nn.Module, views: Views, work: Path, steps: int) -> nn.Module:
    net.to(memory_format=torch.channels_last)
    levels = [(FIGURE_STRIDE, (0.0, 1e9), 0.5)]
    if views.faces:
        levels = [(stride, size, 0.0) for stride, size in zip(STRIDES, FACE_SIZES, strict=True)]
    points = [anchors(HEIGHT // stride, WIDTH // stride, stride, middle) for stride, _, middle in levels]

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        view = views(rng)
        sums = [
            level_loss(rows.flatten(2).transpose(1, 2), at, stride, view, sizes)
            for rows, at, (stride, sizes, _) in zip(net(view.pictures), points, levels, strict=True)
        ]
        total = {key: torch.stack([part[key] for part in sums]).sum() for key in sums[0]}
        count = total.pop("count").clamp(min=1)
        return {key: value / count * (10.0 if key == "mark" else 1.0) for key, value in total.items()}

    return fit(name, net, loss, work, steps=steps, rate=2.5e-3)


def train_face_detector(sets: Sequence[Drawings], work: Path, steps: int) -> nn.Module:
    """The face detector."""
    torch.manual_seed(4)
    return _train("find-face", FaceDetector(), Views(sets, 24, faces=True), work, steps)


def train_figure_detector(sets: Sequence[Drawings], work: Path, steps: int) -> nn.Module:
    """The figure detector."""
    torch.manual_seed(5)
    return _train("find-figure", FigureDetector(), Views(sets, 24, faces=False), work, steps)
