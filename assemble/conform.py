"""Conforming: pictures of any size, format and colour coding brought to those of a film, and mixed where they are seen at once.

swscale scales and converts in one pass, with a Lanczos filter. Mixes are made of the finished pictures, plane by plane: in
the film's own coded levels, as editing programs blend.
"""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from assemble.errors import AssembleError
from assemble.media import EXACT, FULL_CHROMA, Picture, matrix, span
from assemble.picture import Frame, framed
from assemble.rates import Mix

_LANCZOS = Interpolation.LANCZOS | FULL_CHROMA
_ONE = 1 << 16  # the weights of a mix are whole numbers of this
_KEPT = 4  # pictures that may be asked for again: both sides of a dissolve, each between two frames


class Conformer:
    """Makes the frames of one film: of `size` (width, height), in a pixel format of 8 or 10 bits, BT.709, limited range."""

    def __init__(self, size: tuple[int, int], pixels: str) -> None:
        self.size, self.pixels = size, pixels
        self._scaler = VideoReformatter()
        self._graphs: dict[tuple[object, ...], Graph] = {}
        self._done: OrderedDict[int, tuple[Any, VideoFrame]] = OrderedDict()

    def __call__(self, mix: Mix) -> VideoFrame:
        """The frame that a mix of pictures (frames in memory, or of a file) makes."""
        if len(mix) == 1 and mix[0][1] == 1:
            return self._conformed(mix[0][0])
        return _mixed([(self._conformed(picture), weight) for picture, weight in mix if weight], self._black)

    def _conformed(self, picture: Picture | Frame) -> VideoFrame:
        key = id(picture)
        if key not in self._done:
            self._done[key] = picture, self._made(picture)  # the picture too, so that its id stays its own
            if len(self._done) > _KEPT:
                self._done.popitem(last=False)
        self._done.move_to_end(key)
        return self._done[key][1]

    def _made(self, source: Picture | Frame) -> VideoFrame:
        picture = source if isinstance(source, Picture) else _wrapped(source)
        turned = picture.turns % 2
        width, height = picture.size[::-1] if turned else picture.size
        inner = framed(width, height, self.size)
        scaled = inner[::-1] if turned else inner
        same = scaled == (picture.frame.width, picture.frame.height)
        frame = self._scaler.reformat(
            picture.frame,
            *scaled,
            self.pixels,
            src_colorspace=matrix(picture.frame),
            dst_colorspace=Colorspace.ITU709,
            src_color_range=span(picture.frame),
            dst_color_range=ColorRange.MPEG,
            interpolation=EXACT if same else _LANCZOS,
        )
        if picture.turns == 0 and inner == self.size:
            return frame
        graph = self._graph(picture.turns, inner, frame)
        frame.pts = None
        graph.vpush(frame)
        return graph.vpull()

    def _graph(self, turns: int, inner: tuple[int, int], frame: VideoFrame) -> Graph:
        """What turns a scaled picture upright, crops its edges and lays it on black."""
        key = (turns, inner, frame.width, frame.height)
        if key not in self._graphs:
            (width, height), (wide, high) = inner, self.size
            graph = self._graphs[key] = Graph()
            steps: list[tuple[str, str]] = [
                (
                    "buffer",
                    f"video_size={frame.width}x{frame.height}:pix_fmt={self.pixels}:time_base=1:colorspace=bt709:range=tv",
                )
            ]
            steps += {
                0: [],
                1: [("transpose", "cclock")],
                2: [("hflip", ""), ("vflip", "")],
                3: [("transpose", "clock")],
            }[turns]
            if width > wide or height > high:
                w, h = min(width, wide), min(height, high)
                steps.append(("crop", f"{w}:{h}:{(width - w) // 4 * 2}:{(height - h) // 4 * 2}:exact=1"))
            if width < wide or height < high:
                x, y = max(0, wide - width) // 4 * 2, max(0, high - height) // 4 * 2
                steps.append(("pad", f"{wide}:{high}:{x}:{y}:black"))
            nodes = [graph.add(name, args) for name, args in [*steps, ("format", self.pixels), ("buffersink", "")]]
            for one, next_one in pairwise(nodes):
                one.link_to(next_one)
            graph.configure()
        return self._graphs[key]

    @property
    def _black(self) -> VideoFrame:
        black = VideoFrame(*self.size, self.pixels)
        deep = depth(black)
        for index, plane in enumerate(planes(black)):
            plane[:] = (128 if index else 16) << (deep - 8)
        return black


def _wrapped(frame: Frame) -> Picture:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise AssembleError(
            f"a frame is {frame.dtype} of shape {frame.shape}",
            mend="Frames are (height, width, 3) arrays of uint8, RGB.",
        )
    return Picture(VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"), Fraction(1))


def _mixed(parts: list[tuple[VideoFrame, Fraction]], black: VideoFrame) -> VideoFrame:
    """The weighted sum of frames of one size and format; what is missing to 1 is black."""
    weights = [round(weight * _ONE) for _, weight in parts]
    layers = [planes(frame) for frame, _ in parts]
    base = [int(plane[0, 0]) for plane in planes(black)]
    for index, out in enumerate(planes(black)):
        # Exact to the rounding of one level; the shares of a dissolve may miss _ONE by one, which black takes up.
        total = np.full(out.shape, base[index] * (_ONE - sum(weights)) + _ONE // 2, np.int32)
        for layer, weight in zip(layers, weights, strict=True):
            total += layer[index] * np.int32(weight)
        out[:] = total >> 16
    return black


def planes(frame: VideoFrame) -> list[npt.NDArray[Any]]:
    """The planes of a frame as arrays that share its memory."""
    kind = np.uint8 if depth(frame) == 8 else np.uint16
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)
        found.append(rows[:, : plane.width])
    return found


def depth(frame: VideoFrame) -> int:
    """The bits of a sample."""
    return int(frame.format.components[0].bits)
