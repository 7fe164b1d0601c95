"""The storyboard: a typed, versioned document between the plan and the render, saved as JSON that a person can edit.

Fields that this version does not know survive reading and writing. A prompt follows its shot's fields until a person
rewrites it: `prompt_check` is the fingerprint of the prompt as composed, and a prompt that no longer fits it is kept as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from storyboard.errors import Problem, ScriptError, Spot, StoryboardError, closest
from storyboard.faults import doubts, json_mend, told
from storyboard.files import write_text
from storyboard.prompt import compose, print_of
from storyboard.refs import placed
from storyboard.seeds import LARGEST, derived
from storyboard.source import Source
from storyboard.upgrade import upgraded
from storyboard.words import MENTION

Seed = Annotated[int, Field(ge=0, le=LARGEST)]
Name = Annotated[str, Field(pattern=r"^[^\W\d_](?:[\w-]*\w)?$")]
SizeText = Annotated[str, Field(pattern=r"^\d{1,5}x\d{1,5}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", validate_assignment=True)


def _unsaid(value: Any) -> bool:
    return not value


class KeyLight(_Part):
    """The key light of a shot."""

    side: Literal["left", "right", "front", "back"]
    warmth: Literal["warm", "neutral", "cool"]


class Presence(_Part):
    """A character in the frame and the side of the screen it keeps."""

    name: Name
    side: Literal["left", "centre", "right"]


class SpokenLine(_Part):
    """A line of dialogue. `heard` says that the speaker is off screen; `wav` is a recording to be heard."""

    speaker: Name
    text: Annotated[str, Field(min_length=1)]
    manner: str = ""
    heard: bool = False
    wav: str | None = Field(default=None, exclude_if=_unsaid)


class Transition(_Part):
    """A shot enters by a dissolve from the one before, or by a fade from black; it leaves by a fade to black.

    A dissolve shows both shots at once, so the film is shorter than its shots together by its seconds; a fade lies within its
    shot. At most half of a shot goes into each.
    """

    kind: Literal["dissolve", "fade"]
    seconds: Annotated[float, Field(gt=0, le=60)]


class Role(_Part):
    """A character of the film. `refs` are paths from the board's folder: pictures, videos, folders of them, or a pack.
    `voice` says how the scratch voice sounds: a language, low, deep, high, bright, slow, fast."""

    refs: Annotated[list[str], Field(min_length=1)]
    looks: str = ""
    voice: str = Field(default="", exclude_if=_unsaid)


class Shot(_Part):
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
    anchor: bool = Field(default=False, exclude_if=_unsaid)
    continues: bool = Field(default=False, exclude_if=_unsaid)
    characters: list[Presence] = []
    action: str = ""
    lines: list[SpokenLine] = []
    clip: str | None = None
    frame: str | None = Field(default=None, exclude_if=_unsaid)
    clip_in: Annotated[float, Field(ge=0)] | None = Field(default=None, exclude_if=_unsaid)
    clip_out: Annotated[float, Field(gt=0)] | None = Field(default=None, exclude_if=_unsaid)
    transition_in: Transition | None = Field(default=None, exclude_if=_unsaid)
    transition_out: Transition | None = Field(default=None, exclude_if=_unsaid)
    ambience: str | None = Field(default=None, exclude_if=_unsaid)
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


class Storyboard(_Part):
    """A film, shot by shot."""

    schema_: Annotated[Literal["storyboard/1"], Field(alias="schema")] = "storyboard/1"
    title: str = ""
    style: str = ""
    size: SizeText
    seed: Seed = 0
    characters: dict[Name, Role] = {}
    shots: Annotated[list[Shot], Field(min_length=1)]
    _folder: Path = PrivateAttr(default_factory=Path.cwd)

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, said: Any, _: ValidationInfo) -> Any:
        """[832, 480] is what many would write."""
        return f"{said[0]}x{said[1]}" if isinstance(said, (list, tuple)) and len(said) == 2 else said

    @model_validator(mode="after")
    def _bound(self) -> Storyboard:
        wrong = []
        for index, shot in enumerate(self.shots):
            acting = dict.fromkeys(MENTION.findall(shot.action))
            for name in dict.fromkeys([*shot.names, *acting, *(line.speaker for line in shot.lines)]):
                if name not in self.characters:
                    near = closest(name, self.characters)
                    wrong.append(f"shots[{index}]: there is no character {name}" + (f", did you mean {near}?" if near else ""))
                elif name in acting and name not in shot.names:
                    wrong.append(f"shots[{index}]: @{name} is in the action and not in the shot's characters")
        if wrong:
            raise ValueError("\n  ".join(wrong))
        return self

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the film."""
        width, height = self.size.split("x")
        return int(width), int(height)

    @property
    def spans(self) -> list[float | None]:
        """Seconds from the beginning of each shot to that of the next, or to the end; None where a clip sets them. A dissolve
        takes its seconds off the shot before it."""
        following = [shot.transition_in for shot in self.shots[1:]]
        taken = [each.seconds if each and each.kind == "dissolve" else 0.0 for each in [*following, None]]
        return [shot.longest and shot.longest - less for shot, less in zip(self.shots, taken, strict=True)]

    @property
    def seconds(self) -> float:
        """Length of the film, as far as the shots say theirs."""
        return sum(span or 0 for span in self.spans)

    @property
    def folder(self) -> Path:
        """The folder that the board's paths start from."""
        return self._folder

    def path(self, said: str) -> Path:
        """A path of this board (a reference, a clip) as one that can be opened."""
        return placed(self._folder, said)

    def placed(self, folder: Path) -> Storyboard:
        """The same board, its paths taken to start from a folder."""
        board = self.model_copy()
        board._folder = folder
        return board

    def at(self, folder: Path) -> Storyboard:
        """The same board with its paths written from another folder."""
        moved = self.model_copy(deep=True)
        moved._folder = folder

        def rebased(said: str) -> str:
            if said.startswith("~") or Path(said).is_absolute():
                return said
            return Path(os.path.relpath(self._folder / said, folder)).as_posix()

        for role in moved.characters.values():
            role.refs = [rebased(said) for said in role.refs]
        for shot in moved.shots:
            if shot.clip is not None:
                shot.clip = rebased(shot.clip)
            if shot.frame is not None:
                shot.frame = rebased(shot.frame)
            if shot.ambience:
                shot.ambience = rebased(shot.ambience)
            for line in shot.lines:
                line.wav = rebased(line.wav) if line.wav else None
        return moved

    def composed(self) -> Storyboard:
        """The board with every prompt that nobody has rewritten made anew from its shot's fields."""
        board = self.model_copy(deep=True)
        for shot in board.shots:
            if not shot.prompt or (shot.prompt_check and print_of(shot.prompt) == shot.prompt_check):
                shot.prompt = compose(shot, board.style)
                shot.prompt_check = print_of(shot.prompt)
        return board

    def reseeded(self, seed: int) -> Storyboard:
        """The board with every shot's seed derived anew from another film seed."""
        board = self.model_copy(deep=True)
        board.seed = seed
        within: dict[int, int] = {}
        for shot in board.shots:
            within[shot.scene] = within.get(shot.scene, 0) + 1
            shot.seed = derived(seed, shot.scene, within[shot.scene])
        return board

    def text(self) -> str:
        """The board as JSON."""
        return json.dumps(self.model_dump(by_alias=True, mode="json"), indent=2, ensure_ascii=False) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the board; its paths are written from the folder that it lands in."""
        path = Path(path)
        if not path.absolute().parent.is_dir():
            raise StoryboardError("there is no such folder", where=str(path.parent), mend=f"make it: mkdir -p {path.parent}")
        write_text(path, self.at(path.absolute().parent).text())

    @classmethod
    def load(cls, path: str | Path) -> Storyboard:
        """The board in a file. StoryboardError names the JSON path of each mistake."""
        source = Source.read(path)
        try:
            data = json.loads(source.text)
        except json.JSONDecodeError as error:
            spot = Spot(error.lineno, error.colno)
            shown = source.lines[error.lineno - 1] if error.lineno <= len(source.lines) else ""
            raise ScriptError([Problem(str(path), spot, f"this is no JSON: {error.msg}", json_mend(error), shown)]) from None
        except (RecursionError, ValueError):
            raise StoryboardError("this is no JSON", where=str(path), mend="make it anew with storyboard plan") from None
        return cls.parse(data, where=str(path), folder=source.path.absolute().parent)

    @classmethod
    def parse(cls, data: Any, *, where: str = "board", folder: Path | None = None) -> Storyboard:
        """The board in a JSON object, brought up from older versions."""
        data = upgraded(data, where)
        try:
            board = cls.model_validate(data)
        except ValidationError as error:
            raise told(error, where) from None
        board._folder = folder or Path.cwd()
        return board.composed()

    def doubts(self) -> Iterator[str]:
        """Unknown fields that look like a known one misspelt."""
        yield from doubts(self, "")
