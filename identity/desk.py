"""The desk on which sources are sorted: each figure with a reason to leave it out or none, and the people they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identity.candidates import Album, Candidate, gather
from identity.coverage import appeal, cover
from identity.curation import centre, medoids, thinned
from identity.encoders import Encoders
from identity.likeness import PAIR
from identity.pack import IdentityPack
from identity.persons import Person, likest, persons, tracks_of
from identity.records import EXEMPLARS, LeftOut
from identity.sources import source_hashes
from identity.twins import alike

MOST = 3
"""People that one source is split into, at most: a film has room for so many."""
PASSER_BY = 0.1
"""Who is seen in a smaller share of frames than this of the one seen most often gets no pack."""
NEIGHBOURS = 3
"""Kept frames that are named for each frame left out, at most."""


@contextmanager
def sorted_out(sources: Sequence[Path], encoders: Encoders, limit: int, consent: str) -> Iterator[Desk]:
    """A desk with these sources on it, cleared afterwards. Raises IdentityError as `gather` does."""
    with Album() as album:
        yield Desk([Path(source) for source in sources], encoders, limit, consent, album)


class Desk:
    """The candidates of some sources on the table, each with a reason to leave it out or '', and sorted into people."""

    def __init__(self, sources: list[Path], encoders: Encoders, limit: int, consent: str, album: Album) -> None:
        self.sources, self.encoders, self.limit, self.consent, self.album = sources, encoders, limit, consent, album
        found = gather(sources, encoders, album)
        self.candidates, self.empty, self.notes = found.candidates, found.empty, found.notes
        self.faults = [candidate.quality.fault for candidate in self.candidates]
        if all(self.faults):
            self.notes.append(f"every frame is poor, so all were kept: {self.faults[0]}")
            self.faults = [""] * len(self.faults)
        good = [i for i, fault in enumerate(self.faults) if not fault]
        self.tracks = tracks_of(self.candidates, encoders.thresholds)
        self.people = persons(self.candidates, good, self.tracks, encoders.thresholds)

    def rivals(self) -> list[str]:
        """A note where it is not clear who is meant."""
        counts = [len(person.members) for person in self.people]
        if len(counts) < 2 or counts[1] < 0.6 * counts[0]:
            return []
        told = f"two people are seen nearly equally often ({counts[0]} and {counts[1]} frames); the first was kept"
        return [f"{told} (say whom you mean by a picture: --like, or make a pack of each: --split)"]

    def many(self) -> list[int]:
        """The numbers of those who are more than passers-by, at most MOST."""
        least = PASSER_BY * len(self.people[0].members)
        return [number for number, person in enumerate(self.people[:MOST]) if len(person.members) >= least]

    def likest(self, likes: Mapping[str, Path]) -> list[int]:
        """The number of the person on each picture. Raises IdentityError."""
        return likest(likes, self.people, self.encoders)

    def pack(self, person: Person, name: str, by_name: Mapping[str, Person], notes: Sequence[str]) -> IdentityPack:
        """The pack of one person; `by_name` are the people who get one from the same sources."""
        reasons = self.judged(person, by_name)
        self._choose(reasons)
        kept = [i for i, reason in enumerate(reasons) if not reason]
        told = [*self.notes, *notes]
        faceless = sum(self.candidates[i].figure.face is None for i in kept)
        if faceless:
            told.append(f"no face was seen in {faceless} of {len(kept)} kept frames")
        return self._summed_up([self.candidates[i] for i in kept], name, self._left_out(reasons, kept), told)

    def judged(self, person: Person, by_name: Mapping[str, Person]) -> list[str]:
        """The reason of each candidate against a pack of this person, or '': those are all that could be in it."""
        reasons = list(self.faults)
        usual = float(np.median([self.candidates[i].quality.burnt for i in person.members]))
        level = float(np.median([self.candidates[i].view.level for i in person.members]))
        rivals = [(other, rival) for other, rival in by_name.items() if rival is not person]
        whose = {i: f"another person: {other}" for other, rival in rivals for i in rival.members}
        members = set(person.members)
        for i, reason in enumerate(reasons):
            if i in members:
                one = self.candidates[i]
                reasons[i] = one.quality.fault_beside(usual, one.view.level - level)
            else:
                doubtful = self.candidates[i].quality.doubtful
                reasons[i] = reason or whose.get(i, "too poor to tell who it is" if doubtful else "another person")
        self._drop_twins(reasons)
        return reasons

    def _drop_twins(self, reasons: list[str]) -> None:
        here = [i for i, reason in enumerate(reasons) if not reason]
        group = [self.candidates[i] for i in here]
        near = alike(
            prints=np.stack([c.print for c in group]),
            looks=np.stack([c.figure.embedding for c in group]),
            views=np.stack([c.view.row for c in group]),
            moments=np.array([c.frame.seconds or 0.0 for c in group]),
            tracks=self.tracks[here],
            usual=self.encoders.thresholds.spreads["figure"][PAIR].same,
        )
        _, repeats = thinned(near, np.array([c.worth for c in group], np.float32))
        for place, twin in repeats.items():
            reasons[here[place]] = f"nearly the same as {group[twin].frame.label}"

    def _choose(self, reasons: list[str]) -> None:
        here = [i for i, reason in enumerate(reasons) if not reason]
        chosen = set(cover(*appeal_of([self.candidates[i] for i in here]), self.limit))
        for place, index in enumerate(here):
            if place not in chosen:
                reasons[index] = f"over the limit of {self.limit}: frames like it are kept"

    def _left_out(self, reasons: list[str], kept: list[int]) -> tuple[LeftOut, ...]:
        """The frames that gave nothing to the pack, each once: its reason is that of its right person, else of its best
        figure."""
        looks = np.stack([self.candidates[i].figure.embedding for i in kept])
        labels = [self.candidates[i].frame.label for i in kept]
        used = {self.candidates[i].place for i in kept}
        left: dict[tuple[str, int | None], LeftOut] = {}
        for c, reason in zip(self.candidates, reasons, strict=True):
            place = c.place
            if place in used or (place in left and not left[place].reason.startswith(("another person", "too poor to tell"))):
                continue
            nearest = np.argsort(-(looks @ c.figure.embedding), kind="stable")[:NEIGHBOURS]
            near = tuple(dict.fromkeys(labels[k] for k in nearest))
            left[place] = LeftOut(c.frame.source, c.frame.index, c.frame.seconds, reason, near)
        for frame in self.empty:
            nothing = "no face and no figure found"
            left[frame.source, frame.index] = LeftOut(frame.source, frame.index, frame.seconds, nothing)
        return tuple(left[place] for place in sorted(left, key=lambda place: (place[0], place[1] or 0)))

    def _summed_up(
        self, kept: list[Candidate], name: str, left_out: tuple[LeftOut, ...], notes: Sequence[str]
    ) -> IdentityPack:
        figures = np.stack([c.figure.embedding for c in kept])
        bodies = np.stack([c.figure.body for c in kept])
        width = next((len(c.figure.face.embedding) for c in self.candidates if c.figure.face is not None), 512)
        blank = np.zeros(width, np.float32)
        faces = np.stack([blank if c.figure.face is None else c.figure.face.embedding for c in kept])
        worth = np.array([c.worth for c in kept], np.float32)
        with_face = np.flatnonzero(np.linalg.norm(faces, axis=1) > 0.5)
        # Exemplars carry a face where enough frames have one, since the generator has no other close view of it.
        pool = with_face if len(with_face) >= EXEMPLARS else np.arange(len(kept))
        return IdentityPack(
            name=name,
            encoders=dict(self.encoders.hashes),
            faces=faces,
            figures=figures,
            bodies=bodies,
            centre_face=centre(faces, worth),
            centre_figure=centre(figures, worth),
            centre_body=centre(bodies, worth),
            exemplars=tuple(int(pool[i]) for i in medoids(figures[pool], EXEMPLARS)),
            records=tuple(c.record for c in kept),
            pictures=tuple(self.album.picture(c.kept_at) for c in kept),
            left_out=left_out,
            sources=tuple(str(source) for source in self.sources),
            licence=self.encoders.licence,
            source_hashes=source_hashes(self.sources),
            notes=tuple(notes),
            consent=self.consent,
        )


def appeal_of(candidates: Sequence[Candidate]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the rule of `coverage` works on, for these candidates. Quality counts by half: a rare view may be a soft one."""
    quality = np.array([0.5 + 0.5 * c.worth for c in candidates])
    return appeal(np.stack([c.view.row for c in candidates]), quality)

