"""A shot on the board, and what it is made of: light, who is in the frame, lines, transitions; and the role of a character."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from storyboard.seeds import LARGEST

Seed = Annotated[int, Field(ge=0, le=LARGEST)]
Name = Annotated[str, Field(pattern=r"^[^\W\d_](?:[\w-]*\w)?$")]


class Part(BaseModel):
    """A part of a board; fields that this version does not know are kept."""

    model_config = ConfigDict(extra="allow", validate_assignment=True)


def unsaid(value: Any) -> bool:
    """Whether a field is left out of the file, as most boards need it not."""
    return not value


class KeyLight(Part):
    """The key light of a shot."""

    side: Literal["left", "right", "front", "back"]
    warmth: Literal["warm", "neutral", "cool"]


class Presence(Part):
    """A character in the frame and the side of the screen it keeps."""

    name: Name
    side: Literal["left", "centre", "right"]


class SpokenLine(Part):
    """A line of dialogue. `heard` says that the speaker is off screen; `wav` is a recording to be heard."""

    speaker: Name
    text: Annotated[str, Field(min_length=1)]
    manner: str = ""
    heard: bool = False
    wav: str | None = Field(default=None, exclude_if=unsaid)


class Transition(Part):
    """A shot enters by a dissolve from the one before, or by a fade from black; it leaves by a fade to black.

    A dissolve shows both shots at once, so the film is shorter than its shots together by its seconds; a fade lies within its
    shot. At most half of a shot goes into each.
    """

    kind: Literal["dissolve", "fade"]
    seconds: Annotated[float, Field(gt=0, le=60)]


class Role(Part):
    """A character of the film. `refs` are paths from the board's folder: pictures, videos, folders of them, or a pack.
    `voice` says how the scratch voice sounds: a language, low, deep, high, bright, slow, fast."""

    refs: Annotated[list[str], Field(min_length=1)]
    looks: str = ""
    voice: str = Field(default="", exclude_if=unsaid)


class Shot(Part):
    """One shot. `seconds` may be null only with a `clip`, which then is used from its in to its out point, in seconds of the
    clip, or whole. `transition_in` and `transition_out` null are cuts. `frame` is a picture that the shot starts from, for models
    that take one; a shot that `continues` starts from the last picture of the one before it in its scene. `anchor` picks the shot
    that others of its place and light are graded towards. `why` gives reasons for what was chosen."""

    sequence: Annotated[int, Field(ge=1)] = 1
    scene: Annotated[int, Field(ge=1)] = 1
    heading: str = ""
    size: Literal["wide", "medium", "close-up"]
    move: Literal["static", "push in", "pull out", "pan left", "pan right"] = "static"
    seconds: Annotated[float, Field(gt=0, le=3600)] | None
    place: Annotated[str, Field(min_length=1)]
    interior: bool
    time: Annotated[str, Field(min_length=1)]
    light: KeyLight
    anchor: bool = Field(default=False, exclude_if=unsaid)
    continues: bool = Field(default=False, exclude_if=unsaid)
    characters: list[Presence] = []
    action: str = ""
    lines: list[SpokenLine] = []
    clip: str | None = None
    frame: str | None = Field(default=None, exclude_if=unsaid)
    clip_in: Annotated[float, Field(ge=0)] | None = Field(default=None, exclude_if=unsaid)
    clip_out: Annotated[float, Field(gt=0)] | None = Field(default=None, exclude_if=unsaid)
    transition_in: Transition | None = Field(default=None, exclude_if=unsaid)
    transition_out: Transition | None = Field(default=None, exclude_if=unsaid)
    ambience: str | None = Field(default=None, exclude_if=unsaid)
    seed: Seed = 0
    prompt: str = ""
    prompt_check: str = ""
    why: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Who is in the frame, in slot order."""
        return tuple(part.name for part in self.characters)

    @property
    def transitions(self) -> dict[str, Transition]:
        """How it enters ("in") and leaves ("out") other than by cuts."""
        both = {"in": self.transition_in, "out": self.transition_out}
        return {side: said for side, said in both.items() if said is not None}

    @property
    def longest(self) -> float | None:
        """Seconds that it lasts at most; None for a clip that is used to its end."""
        spans = [self.seconds, None if self.clip_out is None else self.clip_out - (self.clip_in or 0)]
        return min((span for span in spans if span is not None), default=None)

    @model_validator(mode="after")
    def _sound(self) -> Shot:
        if len(set(self.names)) < len(self.names):
            raise ValueError("a character is in the shot twice")
        if self.seconds is None and self.clip is None:
            raise ValueError("seconds is null, which only a shot with a clip can have")
        if self.clip_out is not None and self.clip_out <= (self.clip_in or 0):
            raise ValueError("clip_out is not after clip_in")
        if self.transition_out is not None and self.transition_out.kind != "fade":
            raise ValueError("transition_out is a fade or null; a dissolve is the transition_in of the shot that it leads to")
        return self
