"""The one seam to PySceneDetect: where a video cuts from one shot to the next."""

from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WIDTH = 160
"""Pixels of the longer side at which pictures are compared: more only makes grain count."""
SHORTEST = 0.25
"""Seconds that a shot lasts at least; what changes faster is a flash."""


class Cuts:
    """Finds cuts while a video streams by: frames are shown one after another, in order.

    The rule is PySceneDetect's AdaptiveDetector with its own defaults: a frame opens a shot when its colours change far more
    than those of the frames around it, so that a fast camera is no cut. A change of light within a shot may pass for one.
    """

    def __init__(self, rate: float) -> None:
        """`rate` is the video's frames a second, about."""
        from scenedetect.detectors import AdaptiveDetector

        logging.getLogger("pyscenedetect").setLevel(logging.ERROR)
        self._rate = rate
        self._detector = AdaptiveDetector(min_scene_len=max(1, round(SHORTEST * rate)))
        self._firsts = [0]
        self._count = 0

    def show(self, picture: NDArray[np.uint8]) -> None:
        """The next frame, small, (h, w, 3) uint8 BGR, always of one size."""
        from scenedetect.common import FrameTimecode

        now = FrameTimecode(self._count, self._rate)
        self._firsts += [cut.frame_num for cut in self._detector.process_frame(now, picture)]
        self._count += 1

    @property
    def shots(self) -> list[tuple[int, int]]:
        """The shots so far as frame numbers (first, one past the last)."""
        return list(pairwise([*self._firsts, self._count]))
