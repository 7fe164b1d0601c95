"""From reference sources to identity packs: find, judge, tell people apart, thin out, spread, summarise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from identity.desk import MOST, sorted_out
from identity.encoders import Encoders
from identity.errors import IdentityError
from identity.pack import IdentityPack
from identity.records import is_name


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
        if not is_name(name):
            raise IdentityError(f"{name!r} is no name for a character", mend="Give a short name such as mia.")
    if not sources:
        raise IdentityError("no reference pictures were given", where=names[0], mend="Give pictures, folders or videos.")
    if limit < 1:
        raise IdentityError("the limit of a pack is at least 1 frame", where=names[0], mend="Give --limit 1 or more.")
