"""From reference sources to identity packs: find, judge, tell people apart, thin out, spread, summarise."""

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
from identity.errors import IdentityError
from identity.likeness import PAIR
from identity.pack import IdentityPack
from identity.persons import Person, likest, persons, tracks_of
from identity.records import EXEMPLARS, LeftOut
from identity.twins import alike

MOST = 3
"""People that one source is split into, at most: a film has room for so many."""
PASSER_BY = 0.1
"""Who is seen in a smaller share of frames than this of the one seen most often gets no pack."""
NEIGHBOURS = 3
"""Kept frames that are named for each frame left out, at most."""


def prepare(
    sources: Sequence[Path],
    name: str,
    encoders: Encoders,
    limit: int = 150,
    consent: str = "",
    like: Path | None = None,
) -> IdentityPack:
    """Make a pack of one character from pictures, folders and videos.

    Blurred, burnt, hidden, crushed and tiny figures are left out, then everyone but the person seen most often, or the one
    on the picture `like`, then near-duplicates, then what is over `limit` (1 or more) after choosing for spread over pose,
    scale, light and clothes. `left_out` of the pack lists each frame that gave nothing, with its reason and the kept frames
    that are nearest to it. A frame with a figure but no face is kept with a note. Same sources, same pack.

    Raises IdentityError for no sources, for one that cannot be read, for a folder or video, or all pictures together, in
    which nobody is found, and for a `like` that shows nobody, several people, or someone who is not in the sources.
    """
    _check([name], sources, limit)
    with sorted_out(sources, encoders, limit, consent) as desk:
        mine = desk.people[0] if like is None else desk.people[desk.likest({name: like})[0]]
        notes = [] if like is not None else desk.rivals()
        return desk.pack(mine, name, {}, notes)


def split(
    sources: Sequence[Path],
    encoders: Encoders,
    names: Sequence[str] = (),
    likes: Mapping[str, Path] | None = None,
    limit: int = 150,
    consent: str = "",
) -> list[IdentityPack]:
    """Make a pack of each of up to MOST people in the same sources, as `prepare` makes one.

    With `likes`, pictures by name, there is a pack for each of these names, in their order. Else the people come by how
    many frames they are seen in, are called as in `names` and, from there on, person-1, person-2, person-3; who is only a
    passer-by gets none.

    Raises IdentityError as `prepare` does, and for more than MOST names.
    """
    likes = likes or {}
    called = list(likes) or [*names, *(f"person-{place + 1}" for place in range(len(names), MOST))]
    if len(called) > MOST or len(set(called)) < len(called):
        raise IdentityError(
            f"sources are split into at most {MOST} people, each of a name of its own", mend=f"Give up to {MOST} names."
        )
    _check(called, sources, limit)
    with sorted_out(sources, encoders, limit, consent) as desk:
        numbers = desk.likest(likes) if likes else desk.many()
        by_name = {name: desk.people[number] for name, number in zip(called, numbers, strict=False)}
        others = len(desk.people) - len(by_name)
        notes = [f"{others} more {'person is' if others == 1 else 'people are'} seen and got no pack"] if others else []
        return [desk.pack(person, name, by_name, notes) for name, person in by_name.items()]


def _check(names: Sequence[str], sources: Sequence[Path], limit: int) -> None:
    for name in names:
        if not name or "/" in name or name != name.strip():
            raise IdentityError(f"{name!r} is no name for a character", mend="Give a short name such as mia.")
    if not sources:
        raise IdentityError("no reference pictures were given", where=names[0], mend="Give pictures, folders or videos.")
    if limit < 1:
        raise IdentityError("the limit of a pack is at least 1 frame", where=names[0], mend="Give --limit 1 or more.")


@contextmanager
def sorted_out(sources: Sequence[Path], encoders: Encoders, limit: int, consent: str) -> Iterator[Desk]:
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
        whose = {i: f"another person: {other}" for other, one in by_name.items() if one is not person for i in one.members}
        for i, reason in enumerate(reasons):
            if i in person.members:
                reasons[i] = self.candidates[i].quality.fault_beside(usual)
            else:
                reasons[i] = reason or whose.get(i, "another person")
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
            if place in used or (place in left and not left[place].reason.startswith("another person")):
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
            notes=tuple(notes),
            consent=self.consent,
        )


def appeal_of(candidates: Sequence[Candidate]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the rule of `coverage` works on, for these candidates. Quality counts by half: a rare view may be a soft one."""
    quality = np.array([0.5 + 0.5 * c.worth for c in candidates])
    return appeal(np.stack([c.view.row for c in candidates]), quality)

