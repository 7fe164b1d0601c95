"""How a shot is lit: palettes of all that may be compared, the course of its light, and the side that the key light is on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assemble.colour import LUMINANCE, Floats, linear, stops, warming
from assemble.errors import AssembleError
from assemble.lighting.palette import Palette, palette, shift
from assemble.lighting.regions import Person, background, clothes, halves, head, skin, small
from assemble.picture import Frame

KEPT = 16  # frames of a shot whose regions are kept, evenly spread: memory must not grow with its length
STRIDE = 3  # pixels: a frame's own palette is taken of every third one
_NONE = np.zeros((0, 3), np.uint8)
HUE, SHARED = 0.3, 0.3  # EV between channels within which a hue is one; share of either side of a face that must have it
SIDED = 0.12  # EV between the sides of a face, below which the light comes from neither


@dataclass(frozen=True)
class KeySide:
    """On which side of the screen a face is brighter: `ratio` left over right in EV, `side` left, right or front, and a
    `confidence` 0..1: the share of frames that say so, less where they are few or the difference is small."""

    side: str
    ratio: float
    confidence: float


@dataclass(frozen=True)
class Look:
    """One shot as it is lit.

    ev, mired: the course of exposure and white balance, (T,), of the same colours against the middle frame; levels: that of the
    mean level of the whole picture, in EV. skin, clothes, heads: palettes by character;
    place: that of the background, None when figures fill the frame; area: the share of the frame that each region has, by
    "skin:mia", "clothes:mia" and "background". key: the key light on each face. level: the background's mean luminance in EV
    (0 is white); lost: the share of pixels that are clipped or black.
    """

    ev: Floats
    mired: Floats
    levels: Floats
    skin: dict[str, Palette]
    clothes: dict[str, Palette]
    heads: dict[str, Palette]
    place: Palette | None
    area: dict[str, float]
    key: dict[str, KeySide]
    level: float
    lost: float

    @property
    def frames(self) -> int:
        return len(self.ev)

    @property
    def regions(self) -> dict[str, Palette]:
        """All palettes that tell light, by the names that `area` has."""
        found = {f"skin:{name}": each for name, each in self.skin.items()}
        found |= {f"clothes:{name}": each for name, each in self.clothes.items()}
        return found | ({} if self.place is None else {"background": self.place})


@dataclass
class _Sample:
    pixels: dict[str, NDArray[np.uint8]]
    sides: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]
    total: int
    lost: float


def look(frames: Iterable[Frame], people: Mapping[int, Sequence[Person]]) -> Look:
    """Measure a shot: frames (H, W, 3) uint8 RGB, and who is where in each, by frame index from 0. Frames stream through."""
    courses: list[Palette | None] = []
    levels: list[float] = []
    samples: dict[int, _Sample] = {}
    step = 1
    for place, frame in enumerate(frames):
        reduced, here = small(frame, people.get(place, ()))
        sparse = reduced[::STRIDE, ::STRIDE].reshape(-1, 3)
        courses.append(palette(sparse))
        levels.append(float(np.log2(linear(sparse) @ LUMINANCE + 1 / 512).mean()))
        if place % step == 0:
            samples[place] = _sample(reduced, here)
            if len(samples) > KEPT:
                step *= 2
                samples = {kept: each for kept, each in samples.items() if kept % step == 0}
    if not courses:
        raise AssembleError("a shot without frames cannot be measured", mend="Leave it out, or render it.")
    ev, mired = _course(courses)
    pixels: dict[str, list[NDArray[np.uint8]]] = {}
    for sample in samples.values():
        for region, part in sample.pixels.items():
            pixels.setdefault(region, []).append(part)
    total = sum(sample.total for sample in samples.values())
    found = {region: palette(np.concatenate(parts)) for region, parts in pixels.items()}
    kept = {region: each for region, each in found.items() if each is not None}
    names = dict.fromkeys(region.partition(":")[2] for region in kept if ":" in region)
    around = np.concatenate(pixels.get("background", [_NONE]))
    return Look(
        ev, mired, np.array(levels) - levels[len(levels) // 2],
        skin={name: kept[f"skin:{name}"] for name in names if f"skin:{name}" in kept},
        clothes={name: kept[f"clothes:{name}"] for name in names if f"clothes:{name}" in kept},
        heads={name: kept[f"head:{name}"] for name in names if f"head:{name}" in kept},
        place=kept.get("background"),
        area={region: sum(map(len, pixels[region])) / total for region in kept},
        key={name: side for name in names if (side := _key(samples.values(), name))},
        level=_level(around if len(around) else np.zeros((1, 3), np.uint8)),
        lost=float(np.mean([sample.lost for sample in samples.values()])),
    )  # fmt: skip


def _sample(frame: Frame, people: Sequence[Person]) -> _Sample:
    parts = {"background": background(frame, people)[::2]}
    for one in people:
        of_them = {"skin": skin(frame, one), "clothes": clothes(frame, one), "head": head(frame, one)}
        parts |= {f"{region}:{one.name}": part for region, part in of_them.items()}
    sides = {one.name: halves(frame, one) for one in people}
    lost = float(((frame >= 254).any(-1) | (frame <= 1).all(-1)).mean())
    parts = {region: part for region, part in parts.items() if len(part)}
    return _Sample(parts, sides, frame.shape[0] * frame.shape[1], lost)


def _course(palettes: Sequence[Palette | None]) -> tuple[Floats, Floats]:
    """Exposure and white balance (T,) of each frame against the middle one; a frame without colours goes on as the last."""
    known = [place for place, each in enumerate(palettes) if each is not None]
    ev, mired = np.zeros(len(palettes)), np.zeros(len(palettes))
    if not known:
        return ev, mired
    middle = palettes[known[len(known) // 2]]
    assert middle is not None
    for place, each in enumerate(palettes):
        if each is None:
            ev[place], mired[place] = (ev[place - 1], mired[place - 1]) if place else (0.0, 0.0)
        else:
            gain = shift(middle, each).gain
            ev[place], mired[place] = stops(gain), warming(gain)
    return ev, mired


def _key(samples: Iterable[_Sample], name: str) -> KeySide | None:
    """The key light on a face, over the frames that show both of its sides."""
    ratios = []
    for sample in samples:
        left, right = sample.sides.get(name, (_NONE, _NONE))
        ratio = _brighter(left, right) if min(len(left), len(right)) >= 12 else None
        if ratio is not None:
            ratios.append(ratio)
    if not ratios:
        return None
    ratio = float(np.median(ratios))
    side = "front" if abs(ratio) < SIDED else "left" if ratio > 0 else "right"
    says = [abs(each) < SIDED if side == "front" else each * ratio > 0 for each in ratios]
    clear = 1.0 if side == "front" else min(1.0, abs(ratio) / (2 * SIDED))
    return KeySide(side, round(ratio, 3), round(float(np.mean(says)) * clear * min(1.0, len(ratios) / 4), 2))


def _brighter(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float | None:
    """By how many EV one side of a face is brighter than the other, told by the hue that both show the most of: a sleeve before
    one cheek, or the edge of a beard, is no light. None where they show too little alike."""
    sides = [np.log2(np.maximum(linear(part), 1 / 1024)) for part in (left, right)]
    hues = [logs[:, [0, 2]] - logs[:, 1:2] for logs in sides]
    tried = np.concatenate([hue[:: max(1, len(hue) // 16)] for hue in hues])
    near = [(np.abs(hue[None] - tried[:, None]) < HUE).all(-1) for hue in hues]
    shared = np.minimum(near[0].mean(1), near[1].mean(1))
    best = int(shared.argmax())
    if shared[best] < SHARED:
        return None
    return _level(left[near[0][best]], 0.5) - _level(right[near[1][best]], 0.5)


def _level(pixels: NDArray[np.uint8], at: float | None = None) -> float:
    """Luminance in EV, 0 being white: of the mean, or at a quantile."""
    light = linear(pixels) @ LUMINANCE
    return float(np.log2(max(float(light.mean() if at is None else np.quantile(light, at)), 1e-4)))
