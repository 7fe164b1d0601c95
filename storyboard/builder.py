"""Scenes in the making: what the readers of both forms, Markdown and Fountain, put their pieces into."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from storyboard.cast import Cast
from storyboard.errors import Spot
from storyboard.header import Header
from storyboard.headings import SceneHeading, ShotHeading, scene_heading, shot_heading
from storyboard.limits import Limits
from storyboard.prose import dialogue, is_dialogue, prose
from storyboard.refs import clip_refusal, placed
from storyboard.script import Beat, Cut, GivenShot, Line, Scene, Script
from storyboard.soundfiles import length_of, sound_refusal
from storyboard.source import Passage, Source


@dataclass
class _Shot:
    heading: ShotHeading
    spot: Spot
    beats: list[Beat] = field(default_factory=list)
    clip: Path | None = None


@dataclass
class _Scene:
    heading: SceneHeading
    spot: Spot
    breaks: bool = False
    continues: bool = False
    beats: list[Beat] = field(default_factory=list)
    shots: list[_Shot] = field(default_factory=list)
    ambience: Path | None = None

    def built(self) -> Scene:
        shots = tuple(
            GivenShot(shot.heading.size, shot.heading.move, shot.heading.seconds, tuple(shot.beats), shot.clip, shot.spot)
            for shot in self.shots
        )
        said = self.heading
        return Scene(
            said.text, said.place, said.interior, said.time, tuple(self.beats), shots, self.spot, self.breaks, self.continues,
            self.ambience,
        )  # fmt: skip


class ScriptBuilder:
    """Takes in headings, paragraphs and breaks, and gives the script that they make."""

    def __init__(self, source: Source, header: Header, limits: Limits) -> None:
        self.source, self.header, self.limits = source, header, limits
        self.cast = Cast(source, header.characters, open=header.broken)
        self.scenes: list[_Scene] = []
        self.paragraph = 0
        self._broken = False

    @property
    def beats(self) -> list[Beat]:
        """Where the next beat goes: the open shot, or the open scene."""
        scene = self.open_scene(Spot(1))
        return scene.shots[-1].beats if scene.shots else scene.beats

    def open_scene(self, spot: Spot) -> _Scene:
        """The scene that text goes to; text before every heading, or after a break, opens one of its own."""
        if not self.scenes:
            self.scenes.append(_Scene(SceneHeading("", None, None, None), spot, self._broken))
            self._broken = False
        elif self._broken:
            last = self.scenes[-1]
            self.scenes.append(_Scene(last.heading, spot, True, True))
            self._broken = False
        return self.scenes[-1]

    def heading(self, text: str, line: int, column: int, *, shots: bool = True) -> bool:
        """Take a heading in when it opens a scene or a shot."""
        spot = Spot(line, column, max(1, len(text)))
        shot = shot_heading(self.source, text, line, column, self.limits) if shots else None
        if shot is not None:
            self.open_scene(spot).shots.append(_Shot(shot, spot))
            self.paragraph += 1
            return True
        scene = scene_heading(self.source, text, line, column)
        if scene is not None:
            self.scenes.append(_Scene(scene, spot, self._broken))
            self._broken = False
            self.paragraph += 1
            return True
        return False

    def break_here(self) -> None:
        """A thematic break: what follows is a new sequence."""
        self._broken = bool(self.scenes)

    def cut_here(self, spot: Spot) -> None:
        """A transition or a heading of no scene: a shot ends here."""
        if self.scenes:
            self.paragraph += 1
            self.beats.append(Cut(spot, self.paragraph))

    def text(self, pieces: list[tuple[int, int, str]]) -> None:
        """Take in one paragraph, given as (line, column, text) pieces."""
        passage = Passage.join(pieces)
        if not passage.text.strip():
            return
        self.open_scene(passage.spot(0, 1))
        self.paragraph += 1
        read = dialogue if is_dialogue(passage.text) else prose
        self.beats.extend(read(passage, self.cast, self.paragraph))

    def clip(self, said: str, line: int, column: int) -> None:
        """Take in a 'clip: path' line."""
        spot = Spot(line, column, max(1, len(said)))
        scene = self.scenes[-1] if self.scenes else None
        path = placed(self.source.path.parent, said.strip("\"'"))
        if scene is None or not scene.shots:
            self.source.fault(spot, "a clip stands outside of a shot", 'put it under a "## Shot:" heading')
        elif scene.shots[-1].clip is not None:
            self.source.fault(spot, "the shot has two clips", "keep one, or make two shots")
        else:
            problem = clip_refusal(path) if said else ("the clip has no path", "write clip: takes/storm.mp4")
            if problem:
                self.source.fault(spot, *problem)
            scene.shots[-1].clip = path

    def sound(self, kind: str, said: str, line: int, column: int) -> None:
        """Take in a 'voice: path' line, for the line of dialogue above it, or an 'ambience: path' line, for its scene."""
        spot = Spot(line, column, max(1, len(said)))
        path = placed(self.source.path.parent, said.strip("\"'"))
        problem = sound_refusal(path)
        if problem:
            self.source.fault(spot, *problem)
        elif kind == "ambience":
            self.open_scene(spot).ambience = path
        elif self.beats and isinstance(self.beats[-1], Line):
            self.beats[-1] = replace(self.beats[-1], wav=path, length=length_of(path))
        else:
            self.source.fault(spot, "a recording stands under no line", 'put it under the line that it speaks: @mia: "..."')

    def script(self) -> Script:
        """The whole script."""
        header = self.header
        scenes = tuple(scene.built() for scene in self.scenes)
        return Script(
            self.source.path, header.title, header.style, header.size, header.seed, header.characters, scenes
        )  # fmt: skip
