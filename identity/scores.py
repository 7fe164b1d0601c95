"""Who is in the frames of a clip, and how well each character keeps to its pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identity.curation import centre
from identity.encoders import Encoders, Figure
from identity.errors import IdentityError
from identity.likeness import Thresholds, shot_size
from identity.pack import IdentityPack
from identity.tracks import follow, smoothed

PRESENT = 0.6
"""Share of a clip's frames in which a character must be found to pass: one who is swapped half-way does not."""
SINKING = -0.4
"""Change of likeness over a clip below which a character turns into somebody else. Drawn clips stay within 0.05."""


@dataclass(frozen=True)
class Seen:
    """One character in one frame: its box (x0, y0, x1, y1) and face box in pixels, shot size, likeness to its pack (0
    a stranger, 1 as its own references), and the plain cosines to the pack's centres (None where nothing to
    compare)."""

    frame: int
    name: str
    box: tuple[float, ...]
    face_box: tuple[float, ...] | None
    size: str
    likeness: float
    face: float | None
    figure: float


@dataclass(frozen=True)
class CharacterScore:
    """One character over a clip. Shares are 0..1; likeness is 0 for a stranger and 1 for the pack's own frames.

    `present` share of frames in which it was found; `no_face` share of those in which its face was not; `mean` and
    `worst` likeness, with the frame index of the worst (None when it was never found); `drift` change of likeness
    from the first frame to the last, by a straight line; `face` and `figure` mean cosines to the pack's centres;
    `looks` the mean of its figure embeddings, to compare shots with; `nearest` the mean likeness of whichever figure
    came nearest in each frame, even if it was taken for nobody (None without figures), to rank failed takes by;
    `passes` whether `mean` reaches the gate, `present` reaches PRESENT and `drift` stays above SINKING.
    """

    name: str
    present: float
    no_face: float
    mean: float | None
    worst: float | None
    worst_frame: int | None
    drift: float | None
    face: float | None
    figure: float | None
    looks: tuple[float, ...]
    nearest: float | None
    passes: bool


@dataclass(frozen=True)
class Score:
    """A clip measured against packs: a CharacterScore for each pack, who was seen in which frame, the likeness `gate`
    that applied, and `strangers`, the share of frames with a figure that is none of the packs'."""

    frames: int
    characters: dict[str, CharacterScore]
    seen: tuple[Seen, ...]
    strangers: float
    gate: float

    @property
    def passes(self) -> bool:
        """Whether every character passes."""
        return all(character.passes for character in self.characters.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Score:
        """The score that `to_dict` gave."""
        characters = {
            name: CharacterScore(**{**row, "looks": tuple(row["looks"])}) for name, row in plain["characters"].items()
        }
        seen = tuple(
            Seen(**{**row, "box": tuple(row["box"]), "face_box": row["face_box"] and tuple(row["face_box"])})
            for row in plain["seen"]
        )
        return cls(plain["frames"], characters, seen, plain["strangers"], plain["gate"])


def score(frames: Iterable[NDArray[np.uint8]], packs: Mapping[str, IdentityPack], encoders: Encoders) -> Score:
    """Measure a clip, frames (T, H, W, 3) uint8 RGB or any iterable of frames, against packs by name.

    In every frame figures are assigned to packs, each at most once, so that the whole evidence of face, figure and
    body is greatest; the evidence is first averaged along each figure's track. A figure that is likelier someone else
    stays unassigned. Likeness itself is not averaged. Raises IdentityError for packs of other encoders and for no
    frames.
    """
    for name, pack in packs.items():
        if pack.encoders != encoders.hashes:
            raise IdentityError(
                "the pack was made by other encoders than those in use", where=name, mend="Make it again."
            )
    thresholds, names = encoders.thresholds, list(packs)
    shapes: list[tuple[int, ...]] = []
    found = list(encoders.observe_many(_noting(frames, shapes)))
    if not found:
        raise IdentityError("the clip has no frames", mend="Give a clip with frames.")
    measured = [_measure(figures, shape, packs, thresholds) for figures, shape in zip(found, shapes, strict=True)]
    tracks = follow(found, thresholds)
    evidence = smoothed([frame["evidence"] for frame in measured], tracks)
    seen: list[Seen] = []
    looks: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    strange = 0
    for place, figures in enumerate(found):
        pairs = assign(evidence[place])
        strange += len(pairs) < len(figures)
        for figure, column in pairs:
            seen.append(_seen(place, figures[figure], shapes[place], names[column], measured[place], (figure, column)))
            looks[names[column]].append(figures[figure].embedding)
    characters = {}
    for column, name in enumerate(names):
        mine = [one for one in seen if one.name == name]
        near = [
            float(np.nan_to_num(frame["likeness"][:, column]).max()) for frame in measured if len(frame["likeness"])
        ]
        nearest = round(float(np.mean(near)), 4) if near else None
        characters[name] = _summary(name, mine, looks[name], len(found), nearest, thresholds.gate)
    return Score(len(found), characters, tuple(seen), round(strange / len(found), 4), round(thresholds.gate, 4))


def assign(evidence: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (figure, pack) of greatest total evidence (figures, packs), leaving out pairs with evidence of 0 or
    less."""
    from scipy.optimize import linear_sum_assignment

    worth = np.maximum(evidence, 0)
    return [
        (int(f), int(p)) for f, p in zip(*linear_sum_assignment(worth, maximize=True), strict=True) if worth[f, p] > 0
    ]


def cross_shot(scores: Sequence[Score], name: str) -> NDArray[np.float64]:
    """How alike a character looks from shot to shot: cosines (shots, shots) of its mean figure embeddings, NaN where
    absent."""
    looks = [score.characters[name].looks if name in score.characters else () for score in scores]
    result = np.full((len(looks), len(looks)), np.nan)
    for i, first in enumerate(looks):
        for j, second in enumerate(looks):
            if first and second:
                result[i, j] = float(np.dot(first, second))
    return result


def _noting(frames: Iterable[NDArray[np.uint8]], shapes: list[tuple[int, ...]]) -> Iterable[NDArray[np.uint8]]:
    for frame in frames:
        shapes.append(frame.shape[:2])
        yield frame


def _measure(
    figures: Sequence[Figure], shape: tuple[int, ...], packs: Mapping[str, IdentityPack], thresholds: Thresholds
) -> dict[str, NDArray[np.float64]]:
    """Arrays (figures, packs): cosines of each cue to the packs' centres, and likeness and evidence made from them."""
    table = {
        key: np.full((len(figures), len(packs)), np.nan) for key in ("face", "figure", "body", "likeness", "evidence")
    }
    for row, figure in enumerate(figures):
        for column, pack in enumerate(packs.values()):
            table["figure"][row, column] = figure.embedding @ pack.centre_figure
            table["body"][row, column] = figure.body @ pack.centre_body
            if figure.face is not None and pack.centre_face.any():
                table["face"][row, column] = figure.face.embedding @ pack.centre_face
        cues = {cue: table[cue][row] for cue in ("face", "figure", "body")}
        table["likeness"][row], table["evidence"][row] = thresholds.weigh(cues, shot_size(figure.box, shape))
    return table


def _seen(
    frame: int, figure: Figure, shape: tuple[int, ...], name: str, table: Mapping[str, NDArray[np.float64]], at: tuple[int, int]
) -> Seen:  # fmt: skip
    face = float(table["face"][at])
    return Seen(
        frame=frame,
        name=name,
        box=tuple(round(float(value), 1) for value in figure.box),
        face_box=None if figure.face is None else tuple(round(float(value), 1) for value in figure.face.box),
        size=shot_size(figure.box, shape),
        likeness=round(float(table["likeness"][at]), 4),
        face=None if np.isnan(face) else round(face, 4),
        figure=round(float(table["figure"][at]), 4),
    )


def _summary(
    name: str,
    mine: Sequence[Seen],
    looks: Sequence[NDArray[np.float32]],
    frames: int,
    nearest: float | None,
    gate: float,
) -> CharacterScore:
    if not mine:
        return CharacterScore(name, 0.0, 0.0, None, None, None, None, None, None, (), nearest, False)
    likeness = np.array([one.likeness for one in mine])
    moments = np.array([one.frame for one in mine], np.float64)
    slope = float(np.polyfit(moments, likeness, 1)[0]) if len(mine) > 2 else 0.0
    faces = [one.face for one in mine if one.face is not None]
    present, drift = len(mine) / frames, slope * (frames - 1)
    return CharacterScore(
        name=name,
        present=round(present, 4),
        no_face=round(1 - sum(one.face_box is not None for one in mine) / len(mine), 4),
        mean=round(float(likeness.mean()), 4),
        worst=round(float(likeness.min()), 4),
        worst_frame=mine[int(likeness.argmin())].frame,
        drift=round(drift, 4),
        face=round(float(np.mean(faces)), 4) if faces else None,
        figure=round(float(np.mean([one.figure for one in mine])), 4),
        looks=tuple(round(float(value), 5) for value in centre(np.stack(looks))),
        nearest=nearest,
        passes=bool(present >= PRESENT and drift > SINKING and likeness.mean() >= gate),
    )
