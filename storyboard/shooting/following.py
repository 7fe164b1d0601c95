"""Shots that go on from other shots: which ones they wait for, and what of those goes into them.

A shot that `continues` starts from the last picture of the one before it. (From the picture, made anew into latents, and not from
the last latent itself: that one stands for four pictures, and a shot begins with a latent of one.)

Where earlier shots are remembered, a few shots of each place and light are made first, and the best frames of those that are
accepted go into the others as pictures of the place. Nobody may be on them who is not in the shot too, for the model would draw
them there as well: so shots of few people come first, close-ups of one before the wide shot of both, and among equals the widest,
which shows most of the place. Nothing waits for a shot that waits for such a picture itself, so two rounds are enough.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError
from storyboard.events import Event
from storyboard.planning.board import Storyboard
from storyboard.planning.shot import Shot
from storyboard.script.words import SIZES
from storyboard.shooting.takes import Take, best, best_frame

if TYPE_CHECKING:
    from generation import Family

SHARE = 3  # a third of a shot's pictures, rounded down, may show its place; the others show who is in it


@dataclass(frozen=True)
class Waits:
    """What a shot waits for, by number from 1: the shot whose last picture it starts from (0 for none), and those it sees."""

    start: int = 0
    seen: tuple[int, ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        """Every shot that it waits for."""
        return (self.start, *self.seen) if self.start else self.seen


@dataclass(frozen=True)
class Given:
    """What a shot gets of others: a frame (H, W, 3) to start from, pictures of its place, for which `room` is kept."""

    start: Any = None
    place: tuple[Any, ...] = ()
    room: int = 0
    of: tuple[int, ...] = ()  # the shots that they are from


class Following:
    """Which shots of a board go on from which others, as the model's family can have it; None for no model: then none do."""

    def __init__(self, board: Storyboard, family: Family | None, *, remember: bool = False) -> None:
        self.board = board
        self.waits = waits_of(board, family, remember=remember) if family else {}
        self.notes = list(_lacks(board, family, remember=remember)) if family else []

    def levels(self, numbers: Iterable[int]) -> list[list[int]]:
        """These shots in the rounds in which they are made: each behind all that it waits for."""

        def depth(number: int) -> int:
            return 1 + max(map(depth, self._of(number).all), default=-1)

        found = defaultdict[int, list[int]](list)
        for number in numbers:
            found[depth(number)].append(number)
        return [found[level] for level in sorted(found)]

    def held_up(self, number: int, takes: Mapping[int, Sequence[Take]], last: str, chosen: Iterable[int]) -> str:
        """Why a shot cannot be made up to the stage `last` with these takes there, '' when it can. Raises StoryboardError where a
        film was asked for that cannot come of it."""
        waits = self._of(number)
        if waits.all and last != "decode":
            return f"shot {number} goes on from {_shots(waits.all)}, and so it is made only in a whole render"
        if not self.there(number, takes):
            raise StoryboardError(
                f"shot {number} continues shot {waits.start}, which is not made yet",
                where="shots",
                mend=f"make both: --shots {','.join(map(str, sorted({*chosen, waits.start})))}",
            )
        return ""

    def there(self, number: int, takes: Mapping[int, Sequence[Take]]) -> bool:
        """Whether there is what a shot starts from."""
        start = self._of(number).start
        return not start or _finished(takes, start) is not None

    def given(
        self, number: int, takes: Mapping[int, Sequence[Take]], frames: Callable[[Take], Iterator[Any]]
    ) -> Given:
        """What a shot gets of the takes that are kept; `frames` gives those of one."""
        waits = self._of(number)
        start = None
        if waits.start:
            (start,) = deque(frames(best(takes[waits.start])), maxlen=1)
        accepted = {each: take for each in waits.seen if (take := _finished(takes, each)) and take.passes}
        place = tuple(_best_picture(take, frames) for take in accepted.values())
        of = (waits.start,) if waits.start else tuple(accepted)
        return Given(start, place, len(waits.seen) if place else 0, of)

    def told(self, number: int, given: Given) -> Event | None:
        """What a person should know of a shot that waited."""
        waits = self._of(number)
        if waits.start:
            return Event("note", f"shot {number} starts from the last picture of shot {waits.start}", number)
        if not waits.seen:
            return None
        if not given.of:
            said = "which is not accepted" if len(waits.seen) == 1 else "none of which is accepted"
            return Event("note", f"shot {number} sees nothing of {_shots(waits.seen)}, {said}", number)
        return Event("note", f"shot {number} sees its place as in {_shots(given.of)}", number)

    def words(self, number: int, blank: Any) -> list[Given]:
        """Stand-ins for all that a shot may be given, as far as its words change with it; `blank` is any picture."""
        seen = self._of(number).seen
        return [Given(), Given(place=(blank,) * len(seen), room=len(seen))] if seen else [Given()]

    def _of(self, number: int) -> Waits:
        return self.waits.get(number, Waits())


def waits_of(board: Storyboard, family: Family, *, remember: bool) -> dict[int, Waits]:
    """What each shot that waits for others waits for."""
    shots = dict(enumerate(board.shots, start=1))
    found = {n: Waits(start=n - 1) for n, shot in shots.items() if shot.continues and family.takes_frame}
    if not remember or not family.pictures:
        return found
    places = defaultdict[tuple[Any, ...], list[int]](list)
    for number, shot in shots.items():
        if number not in found and shot.clip is None:
            places[_where(shot)].append(number)
    for alike in places.values():
        first: list[int] = []
        for number in sorted(alike, key=lambda n: (len(shots[n].names), not shots[n].anchor, SIZES.index(shots[n].size), n)):
            seen = [each for each in first if set(shots[each].names) <= set(shots[number].names)]
            if seen:
                seen.sort(key=lambda n: -len(shots[n].names))  # whoever is in it is seen in this light
                found[number] = Waits(seen=tuple(seen[: family.pictures // SHARE]))
            else:
                first.append(number)
    return found


def _where(shot: Shot) -> tuple[Any, ...]:
    return shot.place.casefold(), shot.interior, shot.time.casefold(), shot.light.side, shot.light.warmth


def _lacks(board: Storyboard, family: Family, *, remember: bool) -> Iterator[str]:
    """What was asked for and cannot be had of this family."""
    if remember and not family.pictures:
        yield f"{family.name} takes no pictures beside a shot: earlier shots are not remembered"
    continued = [number for number, shot in enumerate(board.shots, start=1) if shot.continues]
    if continued and not family.takes_frame:
        yield f"{family.name} starts from no picture: {_shots(continued)} can continue the shot before by words alone"


def _shots(numbers: Sequence[int]) -> str:
    return f"shot{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _finished(takes: Mapping[int, Sequence[Take]], number: int) -> Take | None:
    found = takes.get(number, ())
    return best(found) if any(not take.rejected for take in found) else None


def _best_picture(take: Take, frames: Callable[[Take], Iterator[Any]]) -> Any:
    shown = list(frames(take))
    return shown[best_frame(take.score, len(shown))]
