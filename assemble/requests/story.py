"""A film to be made elsewhere, as plain data, and the words in which other systems are told of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypedDict

MENTION = re.compile(r"(?<![\w@])@([^\W\d_](?:[\w-]*\w)?)")

CAMERA = {
    "static": "static camera",
    "push in": "the camera pushes in slowly",
    "pull out": "the camera pulls out slowly",
    "pan left": "the camera pans left",
    "pan right": "the camera pans right",
}
Naming = Callable[[str], str]
"""How a system calls a character of the story."""


class Person(TypedDict):
    """A character: its name, what it looks like, and addresses (file:// or https://) of its pictures and videos, best first."""

    name: str
    looks: str
    pictures: list[str]
    videos: list[str]


class Line(TypedDict):
    """Words that someone says; `heard` when the speaker is off screen."""

    speaker: str
    text: str
    manner: str
    heard: bool


class Shot(TypedDict):
    """One shot of the film; `number` from 1, `seconds` of it, `sides` of the screen by the name of who is in the frame."""

    number: int
    sequence: int
    scene: int
    seconds: float
    size: str  # wide, medium, close-up
    move: str  # a key of CAMERA
    place: str
    interior: bool
    time: str
    light: str  # "warm light from the left"
    sides: dict[str, str]
    action: str
    lines: list[Line]
    seed: int


class Story(TypedDict):
    """The whole film. `size` is (width, height) in pixels; shots that bring a clip of their own are not in it."""

    title: str
    style: str
    size: tuple[int, int]
    seed: int
    people: list[Person]
    shots: list[Shot]


def people_of(story: Story, shots: Sequence[Shot]) -> list[Person]:
    """Who is seen or heard in these shots, in the order of the story."""
    there = {name for shot in shots for name in shot["sides"]} | {
        line["speaker"] for shot in shots for line in shot["lines"]
    }
    return [person for person in story["people"] if person["name"] in there]


def told(shot: Shot, naming: Naming, *, lines: bool = True) -> str:
    """A shot in prose: framing, camera, place, light, action, and unless `lines` is false what is said."""
    place = f"{'Interior' if shot['interior'] else 'Exterior'}, {shot['place']}, {shot['time']}."
    parts = [f"{framing(shot)}, {CAMERA.get(shot['move'], shot['move'])}.", place, f"{_capital(shot['light'])}."]
    parts.append(acted(shot, naming))
    if lines:
        parts += [spoken(line, naming) for line in shot["lines"]]
    return " ".join(filter(None, parts))


def framing(shot: Shot) -> str:
    """'Wide shot', 'Close-up'."""
    return _capital(shot["size"] if shot["size"] == "close-up" else f"{shot['size']} shot")


def acted(shot: Shot, naming: Naming) -> str:
    """What happens, each character by its name there, with its side of the screen where it is named first."""
    waiting = {name: "in the centre" if side == "centre" else f"on the {side}" for name, side in shot["sides"].items()}

    def named(found: re.Match[str]) -> str:
        possessive = found.string[found.end() :].startswith(("'s", "\N{RIGHT SINGLE QUOTATION MARK}s"))
        side = "" if possessive else waiting.pop(found[1], "")
        return f"{naming(found[1])} {side}" if side else naming(found[1])

    text = MENTION.sub(named, " ".join(shot["action"].split()))
    return " ".join([*filter(None, [text]), *(f"{naming(name)} is {side}." for name, side in waiting.items())])


def spoken(line: Line, naming: Naming) -> str:
    """A line of dialogue as prose."""
    manner = f" {line['manner']}" if line["manner"] else ""
    who = f"{naming(line['speaker'])}'s voice, off screen, says" if line["heard"] else f"{naming(line['speaker'])} says"
    return f'{who}{manner}: "{line["text"]}"'


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def styled(story: Story, text: str) -> str:
    """A text with the film's style behind it."""
    return f"{text} Style: {story['style'].rstrip('.')}." if story["style"] else text


def described(people: Sequence[Person]) -> Naming:
    """Names for systems that know characters only by words: with its looks where a character is named first."""
    looks = {person["name"]: person["looks"].strip() for person in people}

    def naming(name: str) -> str:
        said = looks.pop(name, "")
        return f"{_capital(name)} ({said})" if said else _capital(name)

    return naming
