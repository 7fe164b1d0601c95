"""One transform of colour in linear light, which can be undone, and the LUT that says it.

    grade = Grade.adapting(np.array([1.1, 1.0, 0.8]))
    graded = grade.apply(frame)

White balance is a gain for each kind of the eye's cones, not for red, green and blue: so lamps differ to a camera that sees as we
do, and a face under one comes out right under the other (von Kries; the responses are Bradford's, ICC.1:2010 annex E).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assemble.colour import TO_XYZ, Floats, stops, to_codes, to_linear, warming
from assemble.picture import Frame

if TYPE_CHECKING:
    from av.filter import Graph

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
CONES = BRADFORD @ TO_XYZ
"""Linear RGB to the responses of the cones; positive for every colour that sRGB has."""
CUBE = 33  # colours a side of a LUT: what editors and cameras take


def adaptation(cones: Floats) -> Floats:
    """The matrix (3, 3) on linear RGB of a gain (3,) on the cones' responses."""
    return np.asarray(np.linalg.solve(CONES, cones[:, None] * CONES))


def towards(gain: Floats) -> Floats:
    """The gain (3,) on the cones' responses that changes white by a gain (3,) on linear RGB."""
    return np.asarray((CONES @ gain) / CONES.sum(1))


@dataclass(frozen=True)
class Grade:
    """Linear light becomes `matrix` (3, 3) times it plus `black` (3,). A channel that is at white keeps its brightness but for
    the exposure: how much more it was nobody knows, and white lamps and pale skin would turn cyan under a grade that cools."""

    matrix: Floats
    black: Floats

    @classmethod
    def adapting(cls, cones: Floats) -> Grade:
        """A gain (3,) on the cones' responses."""
        return cls(adaptation(cones), np.zeros(3))

    @property
    def gain(self) -> Floats:
        """(3,): what becomes of white."""
        return np.asarray(self.matrix.sum(1))

    @property
    def ev(self) -> float:
        return stops(self.gain)

    @property
    def mired(self) -> float:
        return warming(self.gain)

    def light(self, light: Floats) -> Floats:
        """Linear light (..., 3) graded, neither clipped nor kept at white."""
        return np.asarray(light @ self.matrix.T + self.black)

    def graded(self, codes: Floats) -> Floats:
        """sRGB values 0..1 (..., 3) graded."""
        light = to_linear(codes)
        kept = np.where(codes >= 1, light * 2.0**self.ev, 0)
        return to_codes(np.maximum(self.light(light), kept))

    def apply(self, frame: Frame) -> Frame:
        """A frame (H, W, 3) uint8 RGB through the LUT, by FFmpeg, as an editor would see it."""
        from av import VideoFrame

        graph = self._graphs.get(frame.shape) or self._graph(frame.shape)
        graph.push(VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24"))
        made = graph.pull()
        assert isinstance(made, VideoFrame)
        return np.asarray(made.to_ndarray(format="rgb24"), np.uint8)

    @cached_property
    def _graphs(self) -> dict[tuple[int, ...], Graph]:
        return {}

    def _graph(self, shape: tuple[int, ...]) -> Graph:
        """The filter for frames of this shape."""
        from av import VideoFormat
        from av.filter import Graph

        graph = self._graphs[shape] = Graph()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "grade.cube"
            path.write_text(self.cube("grade"), encoding="utf-8")
            source = graph.add_buffer(width=shape[1], height=shape[0], format=VideoFormat("rgb24"), time_base=Fraction(1, 24))
            graph.link_nodes(source, graph.add("lut3d", file=str(path)), graph.add("buffersink")).configure()
        return graph

    def inverse(self) -> Grade:
        """The grade that undoes it, but for what was clipped."""
        back = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return Grade(back, -back @ self.black)

    def cube(self, title: str) -> str:
        """The grade as a .cube file (Adobe Cube LUT Specification 1.0), a table of sRGB or BT.709 colours, red the quickest."""
        side = np.linspace(0, 1, CUBE)
        blue, green, red = np.meshgrid(side, side, side, indexing="ij")
        rows = self.graded(np.stack([red, green, blue], -1)).reshape(-1, 3)
        said = title.replace('"', "'")
        head = f'TITLE "{said}"\nLUT_3D_SIZE {CUBE}\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n'
        return head + "".join(f"{r:.6f} {g:.6f} {b:.6f}\n" for r, g, b in rows)
