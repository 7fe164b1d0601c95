"""The Wan VAE's arithmetic in a form that is equal to rounding and several times faster on a CPU.

A CPU has no fast kernel for 3-D convolutions. Stacked along the channels, the frames that a kernel reaches are one
picture, and its time taps one wider 2-D kernel. And the norm over a pixel's channels, which lie far apart in memory, is a
sum of squares quicker than a norm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, WanRMS_norm
from torch import Tensor

TINY = 1e-12
"""The least norm, as in torch.nn.functional.normalize."""


@contextmanager
def quick_arithmetic(*, half: bool = False) -> Iterator[None]:
    """Within it, every Wan VAE's causal convolutions are done in two dimensions, and its norms quickly.

    `half`: the convolutions multiply in bfloat16; what goes from one to the next stays in full precision. Of 255 levels that
    is a third of one, in the mean square; a VAE all in bfloat16 is off by twice as much.
    """
    convolution, norm = WanCausalConv3d.forward, WanRMS_norm.forward

    def convolved(self: WanCausalConv3d, x: Tensor, cache_x: Tensor | None = None) -> Tensor:
        return _convolve(self, x, cache_x, _halved if half else F.conv2d)

    def normalised(self: WanRMS_norm, x: Tensor) -> Tensor:
        return _normalise(self, x) if self.channel_first and x.dtype == torch.float32 else norm(self, x)

    WanCausalConv3d.forward, WanRMS_norm.forward = convolved, normalised
    try:
        yield
    finally:
        WanCausalConv3d.forward, WanRMS_norm.forward = convolution, norm


def _convolve(self: WanCausalConv3d, x: Tensor, cache_x: Tensor | None, conv2d: Callable[..., Tensor]) -> Tensor:
    batch, channels, frames, height, width = x.shape
    taps, stride, front = self.kernel_size[0], self.stride[0], self._padding[4]
    weight = self.weight
    if cache_x is not None and front > 0:
        x, front = torch.cat([cache_x, x], 2), front - cache_x.shape[2]
    elif frames == 1 and front == taps - 1:
        weight, taps, front = weight[:, :, -1:], 1, 0  # a first frame: the earlier taps see nothing but padding
    if front > 0:
        x = torch.cat([x.new_zeros(batch, channels, front, height, width), x], 2)
    count = (x.shape[2] - taps) // stride + 1
    x = x.transpose(1, 2)
    reached = [x[:, tap : tap + stride * (count - 1) + 1 : stride] for tap in range(taps)]
    stacked = torch.cat(reached, 2) if taps > 1 else reached[0]
    flat = weight.transpose(1, 2).reshape(len(weight), taps * channels, *self.kernel_size[1:])
    padding = (self._padding[2], self._padding[0])
    out = conv2d(stacked.reshape(batch * count, taps * channels, height, width), flat, self.bias, padding=padding)
    return out.view(batch, count, len(weight), *out.shape[-2:]).transpose(1, 2)


def _halved(x: Tensor, weight: Tensor, bias: Tensor | None, *, padding: tuple[int, int]) -> Tensor:
    x, weight = x.bfloat16(), weight.bfloat16()
    return F.conv2d(x, weight, None if bias is None else bias.bfloat16(), padding=padding).float()


def _normalise(self: WanRMS_norm, x: Tensor) -> Tensor:
    norm = x.square().sum(1, keepdim=True).clamp_min(TINY**2).rsqrt() * self.scale
    return x * norm * self.gamma + self.bias
