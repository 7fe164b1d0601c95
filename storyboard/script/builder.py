"""Scenes in the making: what the readers of both forms, Markdown and Fountain, put their pieces into."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from storyboard.errors import Spot
from storyboard.limits import Limits
from storyboard.refs import clip_refusal, clip_span, frame_refusal, placed
from storyboard.script.cast import Cast
from storyboard.script.header import Header
from storyboard.script.headings import SceneHeading, ShotHeading, scene_heading, shot_heading
from storyboard.script.parts import Beat, Cut, GivenShot, Line, Scene, Script
from storyboard.script.prose import dialogue, is_dialogue, prose
from storyboard.script.soundfiles import length_of, sound_refusal
from storyboard.script.source import Passage, Source
from storyboard.script.transitions import EXAMPLE, Change, Transition, stands_alone


@dataclass
class _Shot:
    heading: ShotHeading
    spot: Spot
    beats: list[Beat] = field(default_factory=list)
    clip: Path | None = None
    frame: Path | None = None
    span: tuple[float | None, float | None] = (None, None)
    enter: Transition | None = None
    leave: Transition | None = None
    anchor: bool | None = None

    def built(self) -> GivenShot:
        said = self.heading
        return GivenShot(
            said.size, said.move, said.seconds, tuple(self.beats), self.clip, self.spot, self.frame, *self.span,
            enter=said.enter or self.enter, leave=said.leave or self.leave, anchor=bool(self.anchor),
            continues=bool(said.continues),
        )  # fmt: skip


@dataclass
class _Scene:
    heading: SceneHeading
    spot: Spot
    breaks: bool = False
    continues: bool = False
    beats: list[Beat] = field(default_factory=list)
    shots: list[_Shot] = field(default_factory=list)
    enter: Transition | None = None
    ambience: Path | None = None

    def built(self) -> Scene:
        shots = tuple(shot.built() for shot in self.shots)
        said = self.heading
        return Scene(
            said.text, said.place, said.interior, said.time, tuple(self.beats), shots, self.spot, self.breaks, self.continues,
            enter=self.enter, ambience=self.ambience,
        )  # fmt: skip


class ScriptBuilder:
    """Takes in headings, paragraphs and breaks, and gives the script that they make."""

    def __init__(self, source: Source, header: Header, limits: Limits) -> None:
        self.source, self.header, self.limits = source, header, limits
        self.cast = Cast(source, header.characters, open=header.broken)
        self.scenes: list[_Scene] = []
        self.paragraph = 0
        self._broken = False
        self._enter: Transition | None = None  # how what comes next enters

    @property
    def beats(self) -> list[Beat]:
        """Where the next beat goes: the open shot, or the open scene."""
        scene = self.open_scene(Spot(1))
        return scene.shots[-1].beats if scene.shots else scene.beats

    def open_scene(self, spot: Spot) -> _Scene:
        """The scene that text goes to; text before every heading, or after a break, opens one of its own."""
        if not self.scenes:
            self.scenes.append(_Scene(SceneHeading("", None, None, None), spot, self._broken, enter=self._entrance()))
            self._broken = False
        elif self._broken:
            last = self.scenes[-1]
            self.scenes.append(_Scene(last.heading, spot, True, True, enter=self._entrance()))
            self._broken = False
        return self.scenes[-1]

    def heading(self, text: str, line: int, column: int, *, shots: bool = True) -> bool:
        """Take a heading in when it opens a scene or a shot."""
        spot = Spot(line, column, max(1, len(text)))
        shot = shot_heading(self.source, text, line, column, self.limits) if shots else None
        if shot is not None:
            enter = self._entrance()
            self.open_scene(spot).shots.append(_Shot(shot, spot, enter=enter))
            self.paragraph += 1
            if shot.anchor:
                self._anchored(True, spot)
            return True
        scene = scene_heading(self.source, text, line, column)
        if scene is not None:
            self.scenes.append(_Scene(scene, spot, self._broken, enter=self._entrance()))
            self._broken = False
            self.paragraph += 1
            return True
        return False

    def break_here(self) -> None:
        """A thematic break: what follows is a new sequence."""
        self._broken = bool(self.scenes)

    def cut_here(self, spot: Spot, change: Change | None = None) -> None:
        """A transition or a heading of no scene: a shot ends here."""
        change = change or Change()
        self._enter = change.enter
        if not self.scenes:
            return
        self.paragraph += 1
        self.beats.append(Cut(spot, self.paragraph, change))
        if self.scenes[-1].shots:
            self.scenes[-1].shots[-1].leave = change.leave

    def transition(self, text: str, line: int, *, forced: bool = False) -> bool:
        """Take a line in when it is a transition and nothing else; one that is `forced` is, whatever it says."""
        found = stands_alone(text) or ((Change(), False) if forced else None)
        if found is None:
            return False
        spot = Spot(line, len(text) - len(text.lstrip()) + 1, max(1, len(text.strip())))
        if not found[1]:
            self.source.warn(spot, "this transition is not known here, so a cut is made of it", EXAMPLE)
        self.cut_here(spot, found[0])
        return True

    def _entrance(self) -> Transition | None:
        """How what is now opened enters, which counts once."""
        enter, self._enter = self._enter, None
        return enter

    def text(self, pieces: list[tuple[int, int, str]]) -> None:
        """Take in one paragraph, given as (line, column, text) pieces."""
        passage = Passage.join(pieces)
        if not passage.text.strip():
            return
        scene = self.open_scene(passage.spot(0, 1))
        if self._entrance() and scene.shots:
            what = "the transition before this stands within a shot, where nothing is joined"
            self.source.warn(passage.spot(0, 1), what, 'begin a new shot after it: "## Shot: medium"')
        self.paragraph += 1
        read = dialogue if is_dialogue(passage.text) else prose
        self.beats.extend(read(passage, self.cast, self.paragraph))

    def file(self, kind: str, said: str, line: int, column: int) -> None:
        """Take in a 'clip: path' or 'frame: path' line."""
        spot = Spot(line, column, max(1, len(said)))
        scene = self.scenes[-1] if self.scenes else None
        said, span = clip_span(said) if kind == "clip" else (said, (None, None))
        path = placed(self.source.path.parent, said.strip("\"'"))
        refused, example = {"clip": (clip_refusal, "takes/storm.mp4"), "frame": (frame_refusal, "frames/storm.png")}[kind]
        if scene is None or not scene.shots:
            self.source.fault(spot, f"a {kind} stands outside of a shot", 'put it under a "## Shot:" heading')
        elif getattr(scene.shots[-1], kind) is not None:
            self.source.fault(spot, f"the shot has two {kind}s", "keep one, or make two shots")
        else:
            problem = refused(path) if said else (f"the {kind} has no path", f"write {kind}: {example}")
            if problem is None and None not in span and (span[1] or 0) <= (span[0] or 0):
                problem = ("the clip's out point is not after its in point", "write clip: takes/storm.mp4 in 2.5s out 6s")
            if problem:
                self.source.fault(spot, *problem)
            setattr(scene.shots[-1], kind, path)
            if kind == "clip":
                scene.shots[-1].span = span

    def anchor(self, said: str, line: int, column: int) -> None:
        """Take in an 'anchor: true' line: the light of the open shot is the one that its scene is brought to."""
        spot = Spot(line, column, max(1, len(said)))
        wanted = {"true": True, "yes": True, "false": False, "no": False}.get(said.casefold())
        if not self.scenes or not self.scenes[-1].shots:
            self.source.fault(spot, "an anchor stands outside of a shot", 'put it under a "## Shot:" heading')
        elif wanted is None:
            self.source.fault(spot, f'an anchor is true or false, not "{said}"', "write anchor: true")
        else:
            self._anchored(wanted, spot)

    def _anchored(self, wanted: bool, spot: Spot) -> None:
        *others, shot = self.scenes[-1].shots
        if shot.anchor is not None:
            self.source.fault(spot, "the shot says twice whether it is the anchor", "keep one of them")
        elif wanted and any(other.anchor for other in others):
            self.source.fault(spot, "the scene has two anchors, and its light can be brought to one", "keep one of them")
        shot.anchor = wanted

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
