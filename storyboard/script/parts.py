"""A script as its author wrote it: characters, scenes, shots and lines, each with its place in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from storyboard.errors import Problem, Spot
from storyboard.script.light import LightNote
from storyboard.script.transitions import Change, Transition

SPEAKING = 14.0  # characters a second, a calm voice
BREATH = 0.2  # seconds of silence that a line needs around it


@dataclass(frozen=True)
class Character:
    """One character: the name that @name binds, the reference pictures or videos (or a pack folder), and its looks."""

    name: str
    refs: tuple[Path, ...]
    looks: str
    spot: Spot
    voice: str = ""


@dataclass(frozen=True)
class Sentence:
    """One sentence of what is seen; characters stand in it as @name, spelled as they were declared."""

    text: str
    spot: Spot
    paragraph: int


@dataclass(frozen=True)
class Line:
    """One line of dialogue. `heard` says that the speaker is off screen; `manner` is a '(whispers)'; `wav` its own recording."""

    speaker: str
    text: str
    spot: Spot
    paragraph: int
    manner: str = ""
    heard: bool = False
    wav: Path | None = None
    length: float | None = None  # seconds of its own recording, where they are known

    @property
    def seconds(self) -> float:
        """How long it takes to say, with a breath."""
        return (len(self.text) / SPEAKING if self.length is None else self.length) + BREATH


@dataclass(frozen=True)
class LightCue:
    """A sentence that sets the key light from here on."""

    note: LightNote
    spot: Spot
    paragraph: int


@dataclass(frozen=True)
class Cut:
    """A transition that the script asks for ('CUT TO:', 'DISSOLVE TO:')."""

    spot: Spot
    paragraph: int
    change: Change


Beat = Sentence | Line | LightCue | Cut


@dataclass(frozen=True)
class GivenShot:
    """A shot as its heading gives it; None where the heading leaves the choice to the planner.

    `clip_in` and `clip_out` are seconds of the clip; `enter` and `leave` None are cuts.
    """

    size: str | None
    move: str | None
    seconds: float | None
    beats: tuple[Beat, ...]
    clip: Path | None
    spot: Spot
    frame: Path | None = None
    clip_in: float | None = None
    clip_out: float | None = None
    enter: Transition | None = None
    leave: Transition | None = None
    anchor: bool = False  # others of its place and light are graded towards it
    continues: bool = False  # it starts where the shot before ends


@dataclass(frozen=True)
class Scene:
    """A place at a time. Its `beats` are all its text when it has no given shots, else what stands before the first."""

    heading: str
    place: str | None
    interior: bool | None
    time: str | None
    beats: tuple[Beat, ...]
    shots: tuple[GivenShot, ...]
    spot: Spot
    breaks: bool = False  # a thematic break stands before it: a new sequence begins
    continues: bool = False  # same scene as the one before, only the sequence is new
    enter: Transition | None = None  # of its first shot
    ambience: Path | None = None  # a sound to lie under it


@dataclass(frozen=True)
class Script:
    """A whole script. `size` is the film's (width, height) in pixels, `seed` the film's, each None when not given."""

    path: Path
    title: str
    style: str
    size: tuple[int, int] | None
    seed: int | None
    characters: dict[str, Character]
    scenes: tuple[Scene, ...]
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
