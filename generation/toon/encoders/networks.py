"""The embedding networks: small residual nets for the face crop and for the body crop."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions and a short cut; `stride` 2 halves the picture."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.short = (
            nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            if stride > 1 or channels != out
            else nn.Identity()
        )
        self.end = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.body(x) + self.short(x))


def stem(out: int) -> nn.Sequential:
    """Pixels to features at a quarter of the size."""
    half = nn.Sequential(nn.Conv2d(3, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))
    return nn.Sequential(half, nn.Conv2d(out, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class Embedder(nn.Module):
    """A crop (n, 3, h, w) to an embedding (n, width). Where something is matters little in a body but much in an aligned
    face, so each of the last map's cells (`cells`: their number) keeps its own share of channels."""

    def __init__(
        self, width: int, cells: tuple[int, int], channels: tuple[int, int, int, int] = (24, 48, 96, 128)
    ) -> None:
        super().__init__()
        a, b, c, d = channels
        self.body = nn.Sequential(
            stem(a), Block(a, a), Block(a, b, 2), Block(b, b), Block(b, c, 2), Block(c, c), Block(c, d, 2)
        )
        self.places = nn.Conv2d(d, d, cells, groups=d, bias=False)
        self.out = nn.Sequential(nn.BatchNorm1d(3 * d), nn.Linear(3 * d, width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        pooled = torch.cat([self.places(x).flatten(1), x.mean((2, 3)), x.amax((2, 3))], 1)
        return self.out(pooled)


def face_net() -> Embedder:
    """(n, 3, 112, 112) in -1..1 to (n, 512)."""
    return Embedder(512, (4, 4))


def body_net() -> Embedder:
    """(n, 3, 128, 64) in -1..1 to (n, 256)."""
    return Embedder(256, (4, 2), (16, 32, 64, 112))
