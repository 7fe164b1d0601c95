"""Finishing: the kept takes become the film. Light first, then the picture, then the sound; what is known of all goes along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.events import Event
from storyboard.film.delivering import joins, write_shots
from storyboard.film.edit import film_edit
from storyboard.film.lighting import FilmLight, light, people_in, settings
from storyboard.film.marking import Marking
from storyboard.film.sounding import Sounding
from storyboard.shooting.filming import Filming

if TYPE_CHECKING:
    from assemble import Clip, Delivery, Film


class Finishing:
    """The way of one film from its takes. `light` is what the checks of light found, None before."""

    def __init__(
        self, filming: Filming, sounding: Sounding, marking: Marking, delivery: Delivery, clips_to: Path | None, *, grade: bool
    ) -> None:
        self.filming, self.sounding, self.marking = filming, sounding, marking
        self.delivery, self.clips_to, self.grade = delivery, clips_to, grade
        self.board, self.run, self.tell, self.fps = filming.board, filming.run, filming.tell, filming.fps
        self.light: FilmLight | None = None

    def finish(self, film: Path) -> float:
        """Make the film, and each shot as a clip of its own where that is asked; returns the film's seconds."""
        from assemble import stitch

        kept, size = self.filming.kept, self.board.pixels
        order = sorted(kept)
        for number in range(1, len(self.board.shots) + 1):
            if number not in kept:
                self.tell(Event("note", f"shot {number} is not rendered yet, so the film goes without it", number))
        self.light = self._lit(order)
        shown = self.marking.clips((self._shown(number) for number in order), size, self.fps)
        with self.marking.film(film, clips=self._clips(order), packs=self._packs(), models=self.filming.hashes) as draft:
            picture, joined = self.sounding.picture(draft), joins(self.board, order)
            mark = self.marking.picture(self.delivery.size or size)
            made = stitch(shown, picture, fps=self.fps, size=size, joins=joined, delivery=self.delivery, mark=mark)
            try:
                self.sounding.finish(made, draft, order, self.marking.stems)
            except BaseException:
                if picture != draft:  # a film without its sound is nothing to leave behind
                    picture.unlink(missing_ok=True)
                raise
        self.sounding.follow(kept, self.filming.frames, self.fps)
        self.tell(Event("film", f"{film}: {len(order)} shots, {made.seconds:.1f} s", seconds=made.seconds))
        self._keep_edit(made, order)
        if self.clips_to:
            shots = ((number, self._footage(number)) for number in order)
            write_shots(self.clips_to, shots, film, self.fps, size, self.delivery, mark, self.tell)
        return made.seconds

    def _lit(self, order: list[int]) -> FilmLight:
        """Check the light of the shots, and bring it together where it is off and that is wanted."""
        kept, frames = self.filming.kept, self.filming.frames
        people = {number: people_in(kept[number].score) for number in order}
        found = light(settings(self.board, order), lambda number: frames(kept[number]), people, grade=self.grade)
        found.keep(self.run)
        for number, grading in found.gradings.items():
            self.tell(Event("light", f"shot {number}: {grading.why}", number))
        for fault in found.after.faults:
            self.tell(Event("light", f"{fault.verdict}: shot {fault.shots[-1]}: {fault.text}", fault.shots[-1]))
        return found

    def _keep_edit(self, made: Film, order: list[int]) -> None:
        """Write the film as an edit for editing programs, with what was found as markers."""
        from assemble import otio_text

        assert self.light
        found = [(fault.shots[-1], fault.frames[0], fault.text) for fault in self.light.after.faults]
        kept = [self.filming.kept[number] for number in order]
        edit = film_edit(self.board, kept, made, self.run.path, found, self.sounding.stems)
        self.run.write("film.otio", otio_text(edit, self.run.path))

    def _clips(self, order: list[int]) -> list[str]:
        """sha256 of the user's own clips in the film."""
        from assemble.marks import digest

        paths = (self.board.shots[number - 1].clip for number in order)
        return [digest(self.board.path(path)) for path in paths if path is not None]

    def _packs(self) -> list[str]:
        """sha256 of what is used of each pack, sorted: it tells which packs, and not who."""
        casting = self.filming.casting
        return sorted(casting.digests(casting.packs).values())

    def _shown(self, number: int) -> Iterator[Any] | Clip:
        """A shot as the film shows it: its footage, as frames where captions or a label come into them."""
        if self.sounding.paints(number):
            return self.sounding.frames(number, self._frames(number), self.fps)
        return self._frames(number) if self.marking.labels else self._footage(number)

    def _footage(self, number: int) -> Iterator[Any] | Clip:
        """A shot's kept take: its frames, graded where they are, or the part of a file that the shot shows as it is."""
        from assemble import Clip

        shot, take = self.board.shots[number - 1], self.filming.kept[number]
        if shot.clip is None or (self.light and self.light.grades(number)):
            return self._frames(number)
        start, longest = shot.clip_in or 0, shot.longest
        return Clip(Path(take.clip), start, None if longest is None else start + longest)

    def _frames(self, number: int) -> Iterator[Any]:
        frames = self.filming.frames(self.filming.kept[number])
        return self.light.frames(number, frames) if self.light else frames
