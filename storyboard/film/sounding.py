"""The sound of a film: what lies under its picture, its captions, and how well mouths keep to voices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from storyboard.errors import StoryboardError, listed, meant
from storyboard.events import Event
from storyboard.planning.board import Storyboard
from storyboard.shooting.dialogue import Dialogue
from storyboard.shooting.runfolder import RunFolder
from storyboard.shooting.takes import Take

if TYPE_CHECKING:
    from assemble import Film
    from assemble.sound.mix import Bed, Stems

Loudness = Literal["ebu", "web", "streaming"]
Captions = Literal["burn"]
SIDES = {"left": -1.0, "centre": 0.0, "right": 1.0}
NIGHT = ("night", "evening", "dusk", "midnight")


class Sounding:
    """Gives a stitched film its sound. `report` is what came of it, as plain data; None before."""

    def __init__(
        self, dialogue: Dialogue, run: RunFolder, tell: Callable[[Event], None],
        loudness: str = "web", captions: str | None = None, silent: bool = False,
    ) -> None:  # fmt: skip
        self.dialogue, self.run, self.tell = dialogue, run, tell
        self.loudness, self.burns, self.silent = loudness, captions == "burn", silent
        self.board: Storyboard = dialogue.board
        self.report: dict[str, Any] | None = None

    @property
    def stems(self) -> list[Path]:
        """The stems that lie under the film; none before it is finished, and where it is silent."""
        return [self.run.path / "sound" / f"{name}.wav" for name in ("dialogue", "ambience")] if self.report else []

    def picture(self, film: Path) -> Path:
        """Where the picture alone is to be stitched: under the film's name only when nothing comes to it."""
        return film if self.silent else self.run.path / f"picture{film.suffix}"

    def paints(self, number: int) -> bool:
        """Whether captions are burnt into a shot."""
        return self.burns and bool(self.dialogue.lines.get(number))

    def frames(self, number: int, flow: Iterator[Any], fps: float) -> Iterator[Any]:
        """The frames of a shot with its captions."""
        said = self.dialogue.lines.get(number, [])
        from assemble.sound.captions import captions
        from assemble.sound.painter import burnt

        shot = self.board.shots[number - 1]
        lines = [(each.start, each.end, each.line.speaker, each.line.text) for each in said]
        return burnt(flow, captions(lines, shot.seconds or max(each.end for each in said) + 1), fps, self.board.pixels)

    def finish(self, made: Film, film: Path, order: list[int], marked: Callable[[Stems], Stems]) -> None:
        """Write captions and stems of a stitched film, and put the sound under it.

        `order` are its shots by number; `marked` gives synthetic sound its mark.
        """
        starts = {number: float(cut / made.fps) for number, cut in zip(order, made.cuts, strict=True)}
        ends = dict(zip(order, [*list(starts.values())[1:], made.seconds], strict=True))
        self._captions(starts, made.seconds)
        if self.silent:
            return
        from assemble import add_sound
        from assemble.sound.loudness import target
        from assemble.sound.master import mastered
        from assemble.sound.mix import Spoken, mixed
        from assemble.sound.waves import write_wav

        lines, rows = [], []
        for number, start in starts.items():
            sides = {part.name: SIDES[part.side] for part in self.board.shots[number - 1].characters}
            for each in self.dialogue.lines.get(number, []):
                rows.append({"shot": number, "speaker": each.line.speaker, "text": each.line.text,
                             "start": round(start + each.start, 3), "end": round(start + each.end, 3),
                             "heard": each.sound is not None})  # fmt: skip
                if each.sound is not None:
                    lines.append(Spoken(start + each.start, each.sound, sides.get(each.line.speaker, 0.0)))
        beds, places = self._beds(starts, ends)
        goal = target(self.loudness)
        master = mastered(marked(mixed(lines, beds, made.seconds)), goal)
        if master.held:
            self.tell(Event("note", "nobody speaks, so the ambience stays quieter than the loudness target"))
        folder = self.run.path / "sound"
        folder.mkdir(exist_ok=True)
        for name, stem in (("dialogue", master.dialogue), ("ambience", master.ambience), ("mix", master.mix)):
            write_wav(stem, folder / f"{name}.wav")
        add_sound(made.path, master.mix, film)
        made.path.unlink()
        curve = master.programme.curve
        self.report = {
            "target": {**asdict(goal), "of": "dialogue" if goal.dialogue else "programme"},
            "counted": master.counted, "programme": master.programme.integrated, "dialogue": master.speech.integrated,
            "peak": master.programme.peak, "range": master.programme.range, "gain": master.gain, "held": master.held,
            "voices": self.dialogue.voices, "unsaid": self.dialogue.unsaid, "lines": rows, "places": places,
            "curve": list(curve), "cuts": list(starts.values()), "seconds": made.seconds, "mouths": [],
        }  # fmt: skip
        measured = "silence" if master.counted is None else f"{master.counted:.1f} LUFS"
        peak = "" if master.programme.peak is None else f", true peak {master.programme.peak:.1f} dBTP"
        self.tell(Event("sound", f"sound: {len(lines)} lines, {measured} for {goal.name} ({goal.lufs:g}){peak}"))

    def follow(self, kept: Mapping[int, Take], frames: Callable[[Take], Iterator[Any]], fps: float) -> None:
        """Measure how far mouths are behind the voices in the kept takes."""
        for number, take in kept.items():
            if self.report is None or take.score is None or number not in self.dialogue.lines:
                continue
            seen: dict[str, dict[int, Any]] = {}
            for row in take.score.get("seen", ()):
                if row["face_box"]:
                    seen.setdefault(row["name"], {})[row["frame"]] = row["face_box"]
            from assemble.sound.envelope import lag
            from identity.mouths import openings

            for name, levels in self.dialogue.levels(number, take.score["frames"], fps).items():
                found = lag(openings(frames(take), seen.get(name, {})), levels, fps)
                self.report["mouths"].append({"shot": number, "name": name, **asdict(found)})
                said = f"shot {number}: {name}'s mouth"
                if found.seconds is None:
                    said += f" is not seen to follow the voice (correlation {found.correlation:.2f})"
                else:
                    said += f" is {abs(found.seconds):.2f} s {'behind' if found.seconds >= 0 else 'before'} the voice"
                    said += "" if found.span is None else f" ({found.span[0]:+.2f} to {found.span[1]:+.2f} s)"
                self.tell(Event("score", said, number, take.number))

    def _captions(self, starts: Mapping[int, float], seconds: float) -> None:
        from assemble.sound.captions import captions, srt, vtt

        lines = [
            (start + each.start, start + each.end, each.line.speaker, each.line.text)
            for number, start in starts.items()
            for each in self.dialogue.lines.get(number, [])
        ]
        made = captions(lines, seconds)
        self.run.write("film.srt", srt(made))
        self.run.write("film.vtt", vtt(made))

    def _beds(self, starts: Mapping[int, float], ends: Mapping[int, float]) -> tuple[list[Bed], list[dict[str, Any]]]:
        """The ambience of each run of shots in one place."""
        from assemble.sound.ambience import clip_bed, kind_of, recorded_bed, tone
        from assemble.sound.mix import Bed, samples_of

        def place(number: int) -> tuple[str, bool, bool, str | None, str | None]:
            shot = self.board.shots[number - 1]
            return shot.place, shot.interior, shot.time.casefold() in NIGHT, shot.ambience, shot.clip

        beds, rows = [], []
        total = samples_of(max(ends.values()) + 1)
        for (name, interior, night, file, clip), numbers in groupby(starts, place):
            shots = list(numbers)
            start = starts[shots[0]]
            sound = clip_bed(self.board.path(clip), samples_of(start), total) if clip else None
            said = clip if sound is not None else file or f"synthetic, {kind_of(name, interior)}"
            if sound is None:
                sound = recorded_bed(self.board.path(file), total) if file else tone(name, interior, night, total)
            beds.append(Bed(start, ends[shots[-1]], sound))
            rows.append({"place": name, "shots": shots, "sound": said})
        return beds, rows


def check_sound(loudness: str, captions: str | None) -> None:
    """StoryboardError when this is no way to ask for sound."""
    for name, said, words in (("loudness", loudness, get_args(Loudness)), ("captions", captions, get_args(Captions))):
        if said is not None and said not in words:
            raise StoryboardError(f'"{said}" is not known{meant(said, words)}', where=name, mend=f"write {listed(words)}")
