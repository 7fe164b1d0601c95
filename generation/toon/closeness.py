"""Where training looks closely: at figures, more at faces, most at mouths, wherever they have gone in a clip."""

from __future__ import annotations

import numpy as np

from generation.toon.data import Drawings
from generation.toon.locator import middles
from generation.toon.world.acting import PATCH
from generation.toon.world.figure import JOINTS

ACTED = 0.08
"""From this share on a patch shows an action: an arm's width of it."""
FACE, FINE_FACE = 4.0, 10.0  # how much more than the background a face weighs
MOUTH = 40.0
"""The same of a mouth, for an expert that knows the rest: a patch or two, and all that a voice moves."""
OPEN = np.array([0.35, 0.45, 0.35, 0.85])
"""How far a mouth opens beyond its corners: to the left, up, to the right and down, in distances between them."""


def closeness(drawings: Drawings, *, fine: bool) -> np.ndarray:
    """Weights (N, k+1, H/16, W/16) of clips of 4k+1 frames: 1 on the background, 2 on figures, more on faces, 4 where an action
    shows, and most, if `fine`, on mouths."""
    gone = ways(drawings)[:, middles(drawings.recipe.frames)]
    acted = np.asarray(drawings.acted) > ACTED
    out = np.repeat(np.where(acted, np.float32(4), np.float32(1))[:, None], gone.shape[1], 1)
    closer = [(np.asarray(drawings.boxes), 2.0), (np.asarray(drawings.faces), FINE_FACE if fine else FACE)]
    if fine:
        closer.append((mouths(drawings), MOUTH))
    for boxes, value in closer:
        there = boxes[..., 2] > boxes[..., 0]
        for i, k, who in zip(*np.nonzero(np.broadcast_to(there[:, None], gone.shape[:3])), strict=True):
            inside = within(boxes[i, who] + np.tile(gone[i, k, who], 2), PATCH)
            np.maximum(out[i, k][inside], value, out=out[i, k][inside])
    return out


def ways(drawings: Drawings) -> np.ndarray:
    """How far each head has gone by each frame since the first one, (N, T, 3, 2) in pixels: what lies about it goes along."""
    heads = np.asarray(drawings.joints[..., JOINTS.index("head"), :], np.float32)
    return heads - heads[:, :1]


def mouths(drawings: Drawings) -> np.ndarray:
    """Boxes (N, 3, 4) that the first frame's mouths keep within, wide open; zero where nobody is."""
    corners = np.asarray(drawings.points)[..., 3:, :]  # of a mouth that is shut
    first, last = corners.min(-2), corners.max(-2)
    wide = (last - first)[..., :1]
    return np.concatenate([first - OPEN[:2] * wide, last + OPEN[2:] * wide], -1).astype(np.float32)


def within(box: np.ndarray, cell: int) -> tuple[slice, slice]:
    """The rows and columns of the cells of so many pixels that a box (x0, y0, x1, y1) touches."""
    x0, y0, x1, y1 = box / cell
    return slice(int(max(y0, 0)), int(np.ceil(max(y1, 0)))), slice(int(max(x0, 0)), int(np.ceil(max(x1, 0))))
