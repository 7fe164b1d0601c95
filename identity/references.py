"""From reference sources to an identity pack: find, judge, keep one person, thin out, spread, summarise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identity.candidates import Candidate, gather
from identity.curation import centre, medoids, people, spread, thinned
from identity.encoders import Encoders, Figure
from identity.errors import IdentityError
from identity.frames import Frame
from identity.likeness import PAIR, Thresholds
from identity.pack import IdentityPack
from identity.quality import alike
from identity.records import EXEMPLARS, LeftOut

STRANGERS = 0.5
"""Likeness (0 strangers, 1 the same) below which two groups of figures are two people."""
TWINS = 0.97
"""Cosine of figures above which two frames with the same fingerprint are near-duplicates."""
_APART = 4.0  # distance of two figures of one frame, who are certainly two people


def prepare(
    sources: Sequence[Path], name: str, encoders: Encoders, limit: int = 150, consent: str = ""
) -> IdentityPack:
    """Make a pack of one character from pictures, folders and videos.

    Blurred, burnt and tiny figures are left out, then everyone but the person seen most often, then near-duplicates,
    then what is over `limit` (1 or more) after choosing for spread. `left_out` of the pack lists each such frame with
    its reason. A frame with a figure but no face is kept with a note. Same sources, same pack.

    Raises IdentityError for no sources, for one that cannot be read, and for a folder or video, or all pictures
    together, in which nobody is found.
    """
    if not name or "/" in name or name != name.strip():
        raise IdentityError(f"{name!r} is no name for a character", mend="Give a short name such as mia.")
    if not sources:
        raise IdentityError("no reference pictures were given", where=name, mend="Give pictures, folders or videos.")
    if limit < 1:
        raise IdentityError("the limit of a pack is at least 1 frame", where=name, mend="Give --limit 1 or more.")
    candidates, empty = gather([Path(source) for source in sources], encoders)
    reasons, notes = _judge(candidates)
    _keep_one_person(candidates, reasons, notes, encoders.thresholds)
    _drop_duplicates(candidates, reasons)
    _choose(candidates, reasons, limit)
    kept = [c for c, reason in zip(candidates, reasons, strict=True) if not reason]
    faceless = sum(c.figure.face is None for c in kept)
    if faceless:
        notes.append(f"no face was seen in {faceless} of {len(kept)} kept frames")
    return _pack(
        kept, name, encoders, tuple(str(s) for s in sources), _left_out(candidates, reasons, empty), notes, consent
    )


def _judge(candidates: list[Candidate]) -> tuple[list[str], list[str]]:
    """A reason, or '', for each candidate; when all have a fault, all are kept and a note says so."""
    reasons = [candidate.quality.fault for candidate in candidates]
    if all(reasons):
        return [""] * len(candidates), [f"every frame is poor, so all were kept: {reasons[0]}"]
    return reasons, []


def _keep_one_person(candidates: list[Candidate], reasons: list[str], notes: list[str], thresholds: Thresholds) -> None:
    """Keep the person seen in most frames, once a frame. Edits reasons and notes."""
    here = [i for i, reason in enumerate(reasons) if not reason]
    group = [candidates[i] for i in here]
    likeness = pair_likeness([c.figure for c in group], thresholds)
    distance = 1 - np.clip(likeness, -0.5, 1)
    places = [c.place for c in group]
    apart = np.array([[a == b for b in places] for a in places]) & ~np.eye(len(group), dtype=bool)
    distance[apart] = _APART
    np.fill_diagonal(distance, 0)
    labels = people(distance, 1 - STRANGERS)
    counts = np.bincount(labels)
    if len(counts) > 1 and counts[1] >= 0.6 * counts[0]:
        notes.append(
            f"two people are seen nearly equally often ({counts[0]} and {counts[1]} frames); the first was kept"
        )
    for place, index in enumerate(here):
        if labels[place] != 0:
            reasons[index] = "another person"
    # Average linkage may still have put two figures of one frame together: the one nearer to all the others stays.
    mean = likeness[:, labels == 0].mean(axis=1)
    for place, index in enumerate(here):
        rivals = np.flatnonzero(apart[place] & (labels == 0))
        if labels[place] == 0 and any((mean[r], -r) > (mean[place], -place) for r in rivals):
            reasons[index] = "another person"


def pair_likeness(figures: Sequence[Figure], thresholds: Thresholds) -> NDArray[np.float64]:
    """How alike every two of n figures are, (n, n): 0 as strangers, 1 as pictures of one person."""
    looks = np.stack([figure.embedding for figure in figures]).astype(np.float64)
    bodies = np.stack([figure.body for figure in figures]).astype(np.float64)
    faces = np.stack([np.full(512, np.nan) if f.face is None else f.face.embedding.astype(np.float64) for f in figures])
    similarities = {"face": faces @ faces.T, "figure": looks @ looks.T, "body": bodies @ bodies.T}
    return np.asarray(thresholds.weigh(similarities, PAIR)[0], np.float64)


def _drop_duplicates(candidates: list[Candidate], reasons: list[str]) -> None:
    here = [i for i, reason in enumerate(reasons) if not reason]
    group = [candidates[i] for i in here]
    looks = np.stack([c.figure.embedding for c in group])
    near = looks @ looks.T > TWINS
    for a, b in np.argwhere(near):
        near[a, b] = alike(group[a].quality, group[b].quality)
    _, repeats = thinned(near, np.array([c.worth for c in group], np.float32))
    for place, twin in repeats.items():
        reasons[here[place]] = f"nearly the same as {group[twin].frame.label}"


def _choose(candidates: list[Candidate], reasons: list[str], limit: int) -> None:
    here = [i for i, reason in enumerate(reasons) if not reason]
    features = np.stack([candidates[i].features for i in here])
    chosen = set(spread(features, limit))
    for place, index in enumerate(here):
        if place not in chosen:
            reasons[index] = f"over the limit of {limit}: frames like it are kept"


def _left_out(candidates: list[Candidate], reasons: list[str], empty: list[Frame]) -> tuple[LeftOut, ...]:
    """The frames that gave nothing to the pack, each once: its reason is that of its right person, else of its best
    figure."""
    kept = {c.place for c, reason in zip(candidates, reasons, strict=True) if not reason}
    left: dict[tuple[str, int | None], LeftOut] = {}
    for c, reason in zip(candidates, reasons, strict=True):
        place = c.place
        if place not in kept and (place not in left or left[place].reason == "another person"):
            left[place] = LeftOut(c.frame.source, c.frame.index, c.frame.seconds, reason)
    for frame in empty:
        left[frame.source, frame.index] = LeftOut(
            frame.source, frame.index, frame.seconds, "no face and no figure found"
        )
    return tuple(left[place] for place in sorted(left, key=lambda place: (place[0], place[1] or 0)))


def _pack(
    kept: list[Candidate],
    name: str,
    encoders: Encoders,
    sources: tuple[str, ...],
    left_out: tuple[LeftOut, ...],
    notes: list[str],
    consent: str,
) -> IdentityPack:
    figures = np.stack([c.figure.embedding for c in kept])
    bodies = np.stack([c.figure.body for c in kept])
    faces = np.stack([np.zeros(512, np.float32) if c.figure.face is None else c.figure.face.embedding for c in kept])
    worth = np.array([c.worth for c in kept], np.float32)
    with_face = np.flatnonzero(np.linalg.norm(faces, axis=1) > 0.5)
    # Exemplars carry a face where enough frames have one, since the generator has no other close view of it.
    pool = with_face if len(with_face) >= EXEMPLARS else np.arange(len(kept))
    return IdentityPack(
        name=name,
        encoders=dict(encoders.hashes),
        faces=faces,
        figures=figures,
        bodies=bodies,
        centre_face=centre(faces, worth),
        centre_figure=centre(figures, worth),
        centre_body=centre(bodies, worth),
        exemplars=tuple(int(pool[i]) for i in medoids(figures[pool], EXEMPLARS)),
        records=tuple(c.record for c in kept),
        pictures=tuple(c.picture for c in kept),
        left_out=left_out,
        sources=sources,
        notes=tuple(notes),
        consent=consent,
    )
