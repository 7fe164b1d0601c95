"""How good a pack is: what its frames cover, what it lacks, and one grade.

Every lack costs points (see LACKS), and the grade follows from their sum: A for none, B up to 2, C up to 4, D above. A
lack that costs nothing is told and changes no grade. What a pack did not measure (poses, in packs of the first version)
is not held against it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from identity.likeness import SIZES
from identity.records import Record
from identity.turn import FRONT, HIDDEN, POSES, PROFILE, UNKNOWN, pose

if TYPE_CHECKING:
    from identity.pack import IdentityPack

GRADES = (("A", 0), ("B", 2), ("C", 4), ("D", 10**6))
"""Each grade and the most points that it may have lost."""
LIGHTS = (("dark", 0.3), ("middle", 0.55), ("bright", 2.0))
"""Names of a figure's mean light (0..1) and where each ends."""
ONE_LIGHT = 0.08
"""Light from the 10th to the 90th percentile of the frames below which they share one light."""
FAR = 0.5
"""Share of the median frame's cosine to the centre below which a frame is far from the rest. Strangers lie near 0 by
their faces; the hardest views of the same person stay well above half."""


@dataclass(frozen=True)
class Coverage:
    """What a pack holds. `poses` counts frames by shot size and pose; qualities are 0..1, `face` is the median of the
    faces' longer sides in pixels (0: not measured), `far` the frames that are unlike the rest."""

    frames: int
    poses: dict[str, dict[str, int]]
    lights: dict[str, int]
    light_range: float
    full_figures: int
    quality: float
    lowest_quality: float
    faces: int
    face: float
    measured: bool
    sources: dict[str, int]
    left_out: dict[str, int]
    far: tuple[int, ...]
    consent: bool

    def posed(self, name: str) -> int:
        """Frames of one pose, over all shot sizes."""
        return sum(row[name] for row in self.poses.values())


@dataclass(frozen=True)
class Assessment:
    """A pack judged: its coverage, the points it lost, the grade, and advice in sentences, the gravest first."""

    coverage: Coverage
    lost: int
    grade: str
    advice: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Lack:
    """Something that a pack may lack: the points that it costs, when, and what to say (a format of the coverage)."""

    points: int
    when: Callable[[Coverage], bool]
    advice: str


LACKS = (
    Lack(5, lambda c: c.frames < 3, "only {frames} frames: a likeness cannot be learned from so few; give 20 or more"),
    Lack(3, lambda c: 3 <= c.frames < 8, "only {frames} frames: give 20 or more, from several moments"),
    Lack(1, lambda c: 8 <= c.frames < 20, "only {frames} frames: 20 or more hold a character better"),
    Lack(3, lambda c: not c.faces, "no face was seen in any frame: give pictures that show the face"),
    Lack(2, lambda c: 0 < c.faces < c.frames / 2, "no face was seen in {faceless} of {frames} frames"),
    Lack(2, lambda c: c.measured and not c.posed(FRONT), "no frontal views: give a picture that looks at the camera"),
    Lack(1, lambda c: c.measured and not c.posed(PROFILE), "no profile views: give pictures from both sides"),
    Lack(1, lambda c: not sum(c.poses["close-up"].values()), "no close-ups: give pictures in which the face is large"),
    Lack(1, lambda c: not c.full_figures, "no full-figure views: give pictures from head to foot"),
    Lack(1, lambda c: c.frames > 2 and c.light_range < ONE_LIGHT, "all frames share one light: add another time or place"),
    Lack(2, lambda c: c.quality < 0.35, "the frames are poor (median quality {quality:.2f}): give sharper, larger pictures"),
    Lack(1, lambda c: 0.35 <= c.quality < 0.6, "the frames are middling (median quality {quality:.2f}): sharper ones help"),
    Lack(1, lambda c: 0 < c.face < 40, "the faces are small (median {face:.0f} pixels): give closer or larger pictures"),
    Lack(1, lambda c: bool(c.far), "far from the rest: {far_frames}; look at spread.png whether this is the same person"),
    Lack(0, lambda c: len(c.sources) == 1 and c.frames > 2, "all frames are of one source: another adds clothes and light"),
    Lack(0, lambda c: not c.consent, "no consent note: say with --consent who agreed to this use of the pictures"),
)  # fmt: skip


def assess(pack: IdentityPack) -> Assessment:
    """Judge a pack by the rule above."""
    held = cover(pack)
    said = asdict(held) | {
        "faceless": held.frames - held.faces,
        "far_frames": ", ".join(f"frame {number:03}" for number in held.far[:5]) + (" ..." if len(held.far) > 5 else ""),
    }
    lacks = sorted((lack for lack in LACKS if lack.when(held)), key=lambda lack: -lack.points)
    lost = sum(lack.points for lack in lacks)
    grade = next(name for name, most in GRADES if lost <= most)
    return Assessment(held, lost, grade, tuple(lack.advice.format(**said) for lack in lacks))


def cover(pack: IdentityPack) -> Coverage:
    """Count what a pack holds."""
    records = pack.records
    counted = Counter((record.size, pose(record)) for record in records)
    columns = (*POSES, *([UNKNOWN] if any(name == UNKNOWN for _, name in counted) else []))
    sizes = dict.fromkeys((*reversed(SIZES), *(record.size for record in records)))
    lights = Counter(light_name(record) for record in records)
    light = np.array([record.light for record in records])
    quality = np.array([record.quality for record in records])
    faces = [record.face_size for record in records if record.face_size > 0]
    low, high = np.quantile(light, (0.1, 0.9))
    return Coverage(
        frames=len(pack),
        poses={size: {name: counted[size, name] for name in columns} for size in sizes},
        lights={name: lights[name] for name, _ in LIGHTS},
        light_range=round(float(high - low), 3),
        full_figures=sum(is_full_figure(record) for record in records),
        quality=round(float(np.median(quality)), 3),
        lowest_quality=round(float(quality.min()), 3),
        faces=sum(pose(record) != HIDDEN for record in records),
        face=round(float(np.median(faces)), 1) if faces else 0.0,
        measured=bool(faces),
        sources=_sources(pack),
        left_out=dict(Counter(reason_kind(frame.reason) for frame in pack.left_out).most_common()),
        far=far_frames(pack),
        consent=bool(pack.consent),
    )


def light_name(record: Record) -> str:
    """dark, middle or bright."""
    return next((name for name, end in LIGHTS if record.light < end), LIGHTS[-1][0])


def is_full_figure(record: Record) -> bool:
    """Whether a frame shows the figure from head to foot, as far as its box tells: a wide shot, or a box nearly twice as
    tall as wide."""
    x0, y0, x1, y1 = record.box
    return record.size == "wide" or (y1 - y0) >= 1.9 * (x1 - x0)


def reason_kind(reason: str) -> str:
    """A reason for leaving a frame out, without what is of this frame alone: `blurred (0.81 of 1)` is `blurred`."""
    return re.split(r" \(|: | as (?=\S)", reason, maxsplit=1)[0]


def far_frames(pack: IdentityPack) -> tuple[int, ...]:
    """Frames far less like the centre than the median one: by the face where it was seen, else by the whole figure."""
    seen = np.linalg.norm(pack.faces, axis=1) > 0.5
    far = np.zeros(len(pack), bool)
    for here, rows, centre in (
        (seen, pack.faces, pack.centre_face), (~seen, pack.figures, pack.centre_figure)
    ):  # fmt: skip
        if here.any():
            cosine = rows @ centre
            # Few frames without a face make no median of their own, but every frame has a figure.
            usual = float(np.median(cosine[here] if rows is pack.faces else cosine))
            far |= here & (cosine < FAR * usual)
    return tuple(int(frame) for frame in np.flatnonzero(far))


def _sources(pack: IdentityPack) -> dict[str, int]:
    """Kept frames by the source that was given, or by their own file where that is not known."""
    given = {said: Path(said) for said in pack.sources}
    counted: Counter[str] = Counter()
    for record in pack.records:
        path = Path(record.source)
        counted[next((said for said, home in given.items() if home == path or home in path.parents), record.source)] += 1
    return dict(counted.most_common())
