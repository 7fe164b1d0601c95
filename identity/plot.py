"""The spread plot: a pack's pictures placed by how alike they are, so that a person sees who does not belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from identity.advice import far_frames
from identity.drawing import EXEMPLAR, FAR, INK, PAPER, SOFT, fitted, font, png, thumbnail

if TYPE_CHECKING:
    from identity.pack import IdentityPack

_WIDTH, _HEIGHT, _HEAD, _EDGE = 1280, 960, 64, 16
_SIDES = (52, 132)  # least and most pixels of a thumbnail's longer side
_STEP = 12  # pixels between the places that are tried for a thumbnail
_STRETCH = 2.0  # one axis may be drawn larger than the other by so much, to use the page
_LINE = (120, 123, 130)
Boxes = NDArray[np.float64]


def spread_plot(pack: IdentityPack) -> bytes:
    """A PNG of the pack's pictures on the two directions in which their embeddings differ most.

    A picture that would cover another is moved to the nearest free place and tied to its point by a line; those farthest
    out are placed first, so that they stay where they belong. Exemplars are orange, frames far from the rest red.
    """
    from PIL import Image, ImageDraw

    points, shares = _projected(pack)
    far = far_frames(pack)
    side = int(np.clip((0.42 * _WIDTH * (_HEIGHT - _HEAD) / len(pack)) ** 0.5, *_SIDES))
    pictures = [thumbnail(pack.picture(frame), side) for frame in range(len(pack))]
    sizes = np.array([picture.size for picture in pictures], np.float64)
    spots = _on_page(points, side)
    out = np.linalg.norm(points, axis=1)
    order = sorted(range(len(pack)), key=lambda i: (i not in far, i not in pack.exemplars, -out[i], i))
    boxes = _placed(spots, sizes, order)

    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    said = f"{pack.name}: {len(pack)} frames, near where they look alike"
    draw.text((_EDGE, 10), fitted(said, _WIDTH - 2 * _EDGE, 22), INK, font(22))
    said = f"across {shares[0]:.0%} and down {shares[1]:.0%} of all difference; orange: exemplars; red: far from the rest"
    draw.text((_EDGE, 40), fitted(said, _WIDTH - 2 * _EDGE, 13), SOFT, font(13))
    for (x, y), box in zip(spots, boxes, strict=True):
        middle = (box[:2] + box[2:]) / 2
        if np.abs(middle - (x, y)).max() > _STEP:
            draw.line((x, y, *middle), _LINE, 1)
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), _LINE)
    for frame, (picture, box) in enumerate(zip(pictures, boxes, strict=True)):
        x, y = (round(float(value)) for value in box[:2])
        colour = FAR if frame in far else EXEMPLAR if frame in pack.exemplars else None
        if colour:
            draw.rectangle((x - 3, y - 3, x + picture.width + 2, y + picture.height + 2), colour)
        sheet.paste(picture, (x, y))
        draw.rectangle((x, y + picture.height - 12, x + 22, y + picture.height - 1), PAPER)
        draw.text((x + 1, y + picture.height - 12), f"{frame:03}", colour or INK, font(11))
    return png(sheet)


def _projected(pack: IdentityPack) -> tuple[Boxes, tuple[float, float]]:
    """Each frame on the first two principal components (n, 2) of figure and face, and the share of the variance on each.

    A face that was not seen counts as the mean one, so that its lack moves nothing.
    """
    from sklearn.decomposition import PCA

    seen = np.linalg.norm(pack.faces, axis=1, keepdims=True) > 0.5
    rows = np.hstack([pack.figures, 0.5 * np.where(seen, pack.faces, pack.centre_face)]).astype(np.float64)
    points, shares = np.zeros((len(pack), 2)), np.zeros(2)
    if len(pack) > 1 and float(np.ptp(rows, axis=0).max()) > 1e-6:
        found = PCA(2, svd_solver="full").fit(rows)
        points, shares = found.transform(rows), found.explained_variance_ratio_
    return points, (float(shares[0]), float(shares[1]))


def _on_page(points: Boxes, side: int) -> Boxes:
    """The points (n, 2) in pixels, scaled to the page less half a thumbnail."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([_WIDTH - side - 2 * _EDGE, _HEIGHT - _HEAD - side - 2 * _EDGE], np.float64)
    scale = room / np.maximum(high - low, 1e-9)
    scale = np.minimum(scale, _STRETCH * scale.min())
    middle = np.array([_WIDTH / 2, _HEAD + (_HEIGHT - _HEAD) / 2])
    return (points - (low + high) / 2) * scale + middle


def _placed(spots: Boxes, sizes: Boxes, order: list[int]) -> Boxes:
    """A box (n, 4) for each thumbnail, the nearest to its spot that is free; where none is, on its spot."""
    reach = np.arange(-40, 41) * float(_STEP)
    moves = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
    moves = moves[np.argsort(np.linalg.norm(moves, axis=1), kind="stable")]
    boxes = np.zeros((len(spots), 4))
    taken: list[int] = []
    for frame in order:
        corner = spots[frame] - sizes[frame] / 2
        boxes[frame] = [*corner, *(corner + sizes[frame])]
        for some in np.array_split(moves, 16):  # most find a place near by
            low = corner + some
            high = low + sizes[frame]
            free = (low >= (_EDGE, _HEAD)).all(axis=1) & (high <= (_WIDTH - _EDGE, _HEIGHT - _EDGE)).all(axis=1)
            if taken:
                others = boxes[taken]
                apart = (low[:, None] >= others[None, :, 2:] + 4) | (high[:, None] + 4 <= others[None, :, :2])
                free &= apart.any(axis=2).all(axis=1)
            if free.any():
                place = int(np.argmax(free))
                boxes[frame] = [*low[place], *high[place]]
                break
        taken.append(frame)
    return boxes
