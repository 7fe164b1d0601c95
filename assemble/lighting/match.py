"""Two shots under what should be one light, compared region by region, like with like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from assemble.colour import Floats, stops, warming
from assemble.lighting.contrast import spread
from assemble.lighting.look import Look
from assemble.lighting.palette import AGREEMENT, AXES, CLEAR, Palette, Shift, belief, near, shift
from assemble.lighting.surface import Off, changed, off, shade_of

FACE = 0.5  # what the word of a face on the level of the light is worth beside that of others
DIM = -4.0  # EV under white, below which a place is too dark to tell its contrast
SMALLEST = 0.004  # share of the frame under which a region has no say
NEAR = 0.3  # EV in any channel within which regions say the same; light falls off this much over a scene
TURNED = (0.12, 0.04, 0.04)  # EV along AXES off what most regions say, from which on one has little weight
ALIKE = 0.06  # EV: gains this near to each other are tried as one
EXPLAINED = 0.75  # of what a region's own gain explains of it, that another must explain
PLAIN = 0.1  # EV (standard deviation) of a place's colours, in every channel, below which it is of one colour
ENOUGH = 0.03  # share of the frame that all regions together must have for a verdict


@dataclass(frozen=True)
class Match:
    """From one shot to another: the common `gain` (3,) on linear RGB, in `ev` and `mired`; `contrast`, how much wider (above 1)
    or flatter the same colours are spread in EV, None where they are too alike to tell; `skin` and `clothes`, by character, how
    far each is off once the gain that all else has in common is undone. `regions` took part, `area` is their share of the
    frame; both 0 and empty when nothing could be compared. `agreed` says that two characters, or one and the place, clearly tell
    the same gain. `pairs` are the colours of the place that match when its contrast may differ. `heard` is what the word of
    each region that agreed was worth (3,), along AXES."""

    gain: Floats
    skin: dict[str, Off]
    clothes: dict[str, Off]
    regions: dict[str, Shift]
    area: float
    agreed: bool = False
    contrast: float | None = None
    pairs: Shift | None = None
    heard: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def ev(self) -> float:
        return stops(self.gain)

    @property
    def mired(self) -> float:
        return warming(self.gain)

    @property
    def sound(self) -> bool:
        """Whether enough of the picture was compared."""
        return self.area >= ENOUGH or self.agreed


def match(first: Look, second: Look) -> Match:
    """Compare two shots of one place under one light; regions that only one of them has, or that disagree, stay out."""
    mine, other = first.regions, second.regions
    share = {name: min(first.area[name], second.area[name]) for name in mine if name in other}
    free = {
        name: shift(mine[name], other[name])
        for name in share
        if share[name] >= SMALLEST and not (name == "background" and (_plain(mine[name]) or _plain(other[name])))
    }
    told = {name: each for name, each in free.items() if _alike(name, each)}
    if not told:
        return Match(np.ones(3), {}, {}, {}, 0.0)
    chosen, settled = _agreed(told, {name: (mine[name], other[name]) for name in free}, share)
    gains = {name: np.log2(each.gain) for name, each in settled.items()}
    weights = {name: _weight(name, each, share[name]) for name, each in settled.items()}
    common = _common(gains, weights) if gains else chosen
    away: dict[str, dict[str, Off]] = {"skin": {}, "clothes": {}}
    regions = {**told, **settled}
    for name in free if len(free) > 1 else ():
        kind, _, who = name.partition(":")
        if kind == "skin":  # however little it agrees: a skin that has changed finds no like
            away[kind][who] = changed(mine[name], other[name], common, *shade_of(first, second, who, common))
        elif kind == "clothes" and name in regions:
            away[kind][who] = off(regions[name], 2.0**common)
    area = sum(share[name] for name in regions)
    return Match(2.0**common, away["skin"], away["clothes"], regions, area, _corroborated(settled), heard=weights)


def with_contrast(found: Match, first: Look, second: Look) -> Match:
    """The match of two shots with the contrast of their place, which takes ten times as long to tell."""
    if first.place is None or second.place is None or min(first.level, second.level) < DIM:
        return found
    contrast, pairs = spread(first.place, second.place)
    return replace(found, contrast=contrast, pairs=pairs)


def _weight(name: str, each: Shift, share: float) -> Floats:
    """(3,): what the word of a region is worth along AXES: more, the clearer it is and the more of the frame; of the level of the
    light less where it is a face, which turns to the light and from it, as a place does not."""
    return each.agreement**4 * share**0.6 * np.array([FACE if name.startswith("skin") else 1.0, 1.0, 1.0])


def _plain(place: Palette) -> bool:
    """Whether a place is of one colour, which some other colour becomes under some light: it tells nothing."""
    return float(np.sqrt(place.weights @ (place.shades - place.weights @ place.shades) ** 2).max()) < PLAIN


def _corroborated(settled: Mapping[str, Shift]) -> bool:
    """Whether two characters, or one and the place, clearly say the same: then little of the frame is enough."""
    clear = {name.partition(":")[2] for name, each in settled.items() if each.agreement >= CLEAR}
    return len(clear) > 1


def _agreed(
    told: Mapping[str, Shift], pairs: Mapping[str, tuple[Palette, Palette]], share: Mapping[str, float]
) -> tuple[Floats, dict[str, Shift]]:
    """The gain (3,) in log2, of those that regions tell, that explains the most of all regions; and how each that it explains
    compares, begun from there: a region by itself may take one colour for another, and then two regions tell different light."""
    best: tuple[float, Floats, dict[str, Shift]] | None = None
    tried: list[Floats] = []
    for each in sorted(told.values(), key=lambda each: -each.agreement):
        gain = np.log2(each.gain)
        if any(np.abs(gain - other).max() < ALIKE for other in tried):
            continue
        tried.append(gain)
        least = {name: max(AGREEMENT / 2, EXPLAINED * told[name].agreement if name in told else 0) for name in pairs}
        begun = {name: near(*pair, gain) for name, pair in pairs.items()}
        held = {
            name: one
            for name, one in begun.items()
            if one.agreement >= least[name] and np.abs(np.log2(one.gain) - gain).max() <= NEAR
        }
        score = sum(one.agreement * share[name] ** 0.25 for name, one in held.items())
        score = float(np.log(score + 1e-9) + belief(gain[None])[0])
        if best is None or score > best[0]:
            best = score, gain, held
    assert best is not None
    return best[1], best[2]


def _alike(name: str, each: Shift) -> bool:
    """Whether a region shows the same in both shots; a character's own is less in doubt than a place from another side."""
    return each.agreement >= (AGREEMENT if name == "background" else AGREEMENT / 2)


def _common(gains: Mapping[str, Floats], weights: Mapping[str, Floats]) -> Floats:
    """What most regions say, each a gain (3,) in log2: in level, warmth and green apart, since a face that turns from the light
    still knows its colour; the mean, in which those count little that are far from the weighted median."""
    rows, heard = np.array(list(gains.values())) @ AXES.T, np.array([weights[name] for name in gains])
    return np.linalg.solve(AXES, [_middle(*column) for column in zip(rows.T, heard.T, TURNED, strict=True)])


def _middle(values: Floats, weights: Floats, reach: float) -> float:
    near = weights * np.exp(-(((values - _median(values, weights)) / reach) ** 2))
    return float(np.average(values, weights=near))


def _median(values: Floats, weights: Floats) -> float:
    """The weighted median, between the two middle values where these are equally heavy."""
    order = np.argsort(values)
    heard = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(heard, 0.5 - 1e-9))
    if abs(heard[place] - 0.5) < 1e-9 and place + 1 < len(values):
        return float((values[order[place]] + values[order[place + 1]]) / 2)
    return float(values[order[place]])
