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
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from storyboard.errors import Problem, ScriptError, Spot, StoryboardError, closest
from storyboard.files import write_text
from storyboard.planning.faults import doubts, json_mend, told
from storyboard.planning.prompt import compose, print_of
from storyboard.planning.shot import Name, Part, Role, Seed, Shot
from storyboard.planning.upgrade import upgraded
from storyboard.refs import placed
from storyboard.script.source import Source
from storyboard.script.words import MENTION
from storyboard.seeds import derived

SizeText = Annotated[str, Field(pattern=r"^\d{1,5}x\d{1,5}$")]


class Storyboard(Part):
    """A film, shot by shot."""

    schema_: Annotated[Literal["storyboard/1"], Field(alias="schema")] = "storyboard/1"
    title: str = ""
    style: str = ""
    size: SizeText
    seed: Seed = 0
    characters: dict[Name, Role] = Field(default_factory=dict)
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
