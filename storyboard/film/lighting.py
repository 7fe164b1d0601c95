"""The light of a film: what the board says of each shot, the boxes that identity measured, the checks, and the grade.

found = light(settings(board, order), frames, people, grade=True)
film = stitch(found.graded(number, frames(number)) for number in order)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from storyboard.planning.board import Storyboard
from storyboard.script.light import change_in
from storyboard.shooting.runfolder import RunFolder

if TYPE_CHECKING:
    from assemble import Evidence, Finding, Grading, Lighting, Look, Person, Setting

Frames = Callable[[int], Iterable[Any]]
People = Mapping[int, Mapping[int, "list[Person]"]]


@dataclass(frozen=True)
class FilmLight:
    """The light of the shots in a film. `before` and `after` the grade; the same where nothing was graded. `gradings` say what
    was graded and what was refused, and why; `evidence` are pictures of what is not ok, as it was made."""

    before: Lighting
    after: Lighting
    looks: Mapping[int, Look]
    graded_looks: Mapping[int, Look]
    gradings: Mapping[int, Grading] = field(default_factory=dict)
    evidence: Mapping[Finding, tuple[Evidence, ...]] = field(default_factory=dict)

    @property
    def fix(self) -> bool:
        """Whether something is wrong that the grade did not mend."""
        return any(each.verdict == "fix" for each in self.after.findings)

    def grades(self, number: int) -> bool:
        """Whether the film shows a shot graded."""
        grading = self.gradings.get(number)
        return grading is not None and grading.grade is not None

    def frames(self, number: int, frames: Iterable[Any]) -> Iterator[Any]:
        """The frames of a shot as the film shows them."""
        grading = self.gradings.get(number)
        grade = grading.grade if grading else None
        return iter(frames) if grade is None else map(grade.apply, frames)

    def keep(self, run: RunFolder) -> None:
        """Write each grade as a LUT, and the one that undoes it; those of earlier renders go."""
        folder = run.path / "grades"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.cube"):
            old.unlink()
        for number, grading in self.gradings.items():
            if grading.grade is not None:
                run.write(f"grades/{number:02}.cube", grading.grade.cube(f"shot {number}"))
                run.write(f"grades/{number:02}-undo.cube", grading.grade.inverse().cube(f"shot {number}, undone"))

    def plain(self) -> dict[str, Any]:
        """As plain data for run.json."""
        return {
            "fix": self.fix,
            "anchors": self.before.anchors,
            "alone": self.before.alone,
            "before": [each.plain() for each in self.before.findings],
            "after": [each.plain() for each in self.after.findings] if self._regraded else None,
            "grades": {
                number: {
                    "towards": each.anchor,
                    "kept": each.grade is not None,
                    "why": each.why,
                    "lut": f"grades/{number:02}.cube" if each.grade is not None else None,
                }
                for number, each in self.gradings.items()
            },
        }

    @property
    def _regraded(self) -> bool:
        return any(each.grade is not None for each in self.gradings.values())


def light(said: Sequence[Setting], frames: Frames, people: People, *, grade: bool) -> FilmLight:
    """Check the light of shots, of each of which something is `said`, and with `grade` bring those that are off to their anchors.

    `frames` gives a shot's frames (H, W, 3) uint8 RGB anew at each call, `people` by shot and frame who is where in them.
    """
    from assemble import check, evidence, look, regrade

    looks = {each.number: look(frames(each.number), people.get(each.number, {})) for each in said}
    before = check(said, looks)
    seen = evidence(before.faults, looks, frames, people)
    made = regrade(said, looks, before, frames, people) if grade else {}
    if not any(each.grade is not None for each in made.values()):
        return FilmLight(before, before, looks, looks, made, seen)
    after = {**looks, **{number: each.look for number, each in made.items()}}
    # The anchors stay: a film that was brought to one shot is not judged by another.
    fixed = [replace(each, anchor=before.anchors[each.number] == each.number) for each in said]
    return FilmLight(before, check(fixed, after), looks, after, made, seen)


def settings(board: Storyboard, numbers: Iterable[int]) -> list[Setting]:
    """What the board says of the light of these shots."""
    from assemble import Setting

    found = []
    for number in numbers:
        shot = board.shots[number - 1]
        side, warmth = shot.light.side, shot.light.warmth
        place, time, pans = shot.place.casefold(), shot.time.casefold(), shot.move.startswith("pan")
        change = change_in(shot.action)
        found.append(Setting(number, place, shot.interior, time, side, warmth, shot.anchor, change, pans))
    return found


def unsaid(numbers: Iterable[int]) -> list[Setting]:
    """The same where nobody knows: each shot stands alone, and may pan."""
    from assemble import Setting

    return [Setting(number, f"shot {number}", False, "", "", "", pans=True) for number in numbers]


def people_in(score: Mapping[str, Any] | None) -> dict[int, list[Person]]:
    """Who is where in each frame of a take, by identity's score of it."""
    from assemble import Person

    found: dict[int, list[Person]] = {}
    for seen in (score or {}).get("seen", ()):
        face = seen["face_box"]
        person = Person(seen["name"], tuple(seen["box"]), None if face is None else tuple(face))
        found.setdefault(seen["frame"], []).append(person)
    return found
