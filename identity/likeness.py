"""What a cosine means: thresholds measured on an encoder set, and likeness and evidence made from them.

A set's `thresholds.json` holds, for each cue (face, figure, body) and shot size, how similar one picture of a person
is to that person's own centre ("same") and to the centres of others ("other"). Two numbers come from it:

* likeness, on a plain scale: 0 as alike as two strangers, 1 as alike as the person's own reference pictures;
* evidence, in log-odds: above 0 the same person is likelier than another one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identity.errors import IdentityError

SCHEMA = "identity-thresholds/1"
CUES = ("face", "figure", "body")
SIZES = ("wide", "medium", "close-up")
PAIR = "pair"
"""The column that holds similarities of two single pictures instead of a picture and a centre."""
STRONGEST = 6.0
"""Bound of one cue's evidence, so that no single cue silences the others."""
_EDGES = (0.44, 0.61)
"""Shares of a frame's width and height (root of the area) at which a figure stops being wide, then medium."""


@dataclass(frozen=True)
class Spread:
    """Same and other similarities of one cue at one size: means, standard deviations, and how well they tell people
    apart (area under the ROC curve, on `count` same ones). Evidence is `slope` times likeness plus `offset`."""

    same: float
    same_deviation: float
    other: float
    other_deviation: float
    slope: float
    offset: float
    auc: float
    count: int

    @property
    def strength(self) -> float:
        """How well the cue tells people apart here: squared distance of the two means in deviations (d' squared)."""
        variance = (self.same_deviation**2 + self.other_deviation**2) / 2
        return max(0.0, self.same - self.other) ** 2 / max(variance, 1e-6)

    def likeness(self, similarity: NDArray[np.floating]) -> NDArray[np.floating]:
        """Similarities to the scale on which others have mean 0 and the same person mean 1."""
        return (similarity - self.other) / max(self.same - self.other, 1e-3)

    def shortfall(self, similarity: NDArray[np.floating]) -> NDArray[np.floating]:
        """How far similarities lie below the mean of the same person's, in standard deviations of these."""
        return (self.same - similarity) / max(self.same_deviation, 1e-3)

    def evidence(self, similarity: NDArray[np.floating]) -> NDArray[np.floating]:
        """Similarities to bounded log-odds."""
        return np.clip(self.slope * self.likeness(similarity) + self.offset, -STRONGEST, STRONGEST)


@dataclass(frozen=True)
class Thresholds:
    """The measured distributions of an encoder set, by cue and by shot size (or PAIR), and the gate on likeness."""

    spreads: Mapping[str, Mapping[str, Spread]]
    gate: float

    def weigh(
        self, similarities: Mapping[str, NDArray[np.floating]], size: str
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Likeness and evidence from cosines by cue, all of one shape; NaN where a cue is missing.

        Likeness is the mean over the cues that are there, weighted by their strength; evidence is their sum. Both are
        NaN where no cue is.
        """
        shape = next(iter(similarities.values())).shape
        total, weight, evidence = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for cue, values in similarities.items():
            spread, there = self.spreads[cue][size], ~np.isnan(values)
            known = np.where(there, values, 0)
            total += np.where(there, spread.likeness(known) * spread.strength, 0)
            weight += np.where(there, spread.strength, 0)
            evidence += np.where(there, spread.evidence(known), 0)
        nothing = weight <= 0
        likeness = np.where(nothing, np.nan, total / np.where(nothing, 1, weight))
        return likeness, np.where(nothing, np.nan, evidence)


def shot_size(box: NDArray[np.float32], frame: tuple[int, ...]) -> str:
    """wide, medium or close-up: by the share of a frame (height, width) that a figure's box fills."""
    share = float(np.sqrt(max(0.0, float((box[2] - box[0]) * (box[3] - box[1]))) / (frame[0] * frame[1])))
    return SIZES[int(np.searchsorted(_EDGES, share))]


def calibration_command(folder: Path) -> str:
    """What to do about an encoder set without thresholds of its own."""
    return f"Calibrate it: storyboard refs calibrate PEOPLE --encoders {shlex.quote(str(folder))}"


def read_thresholds(path: Path, hashes: Mapping[str, str]) -> Thresholds:
    """The thresholds of an encoder set with these hashes. Raises IdentityError for a missing, broken or foreign
    file."""
    mend = calibration_command(path.parent)
    if not path.is_file():
        raise IdentityError("the encoder set has no thresholds", where=str(path), mend=mend)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise IdentityError(f"the schema is not {SCHEMA}", where=str(path), mend=mend)
        spreads = {cue: {size: Spread(**document["cues"][cue][size]) for size in (*SIZES, PAIR)} for cue in CUES}
        gate, encoders = float(document["gate"]), dict(document["encoders"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, IdentityError):
            raise
        raise IdentityError(f"the thresholds cannot be read ({error!r})", where=str(path), mend=mend) from error
    if encoders != dict(hashes):
        raise IdentityError("the thresholds belong to other encoder weights", where=str(path), mend=mend)
    return Thresholds(spreads, gate)
