"""A board as the story that other systems are told of: plain data, with the addresses of reference pictures and videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.errors import StoryboardError
from storyboard.planning.board import Storyboard
from storyboard.planning.shot import Role
from storyboard.refs import PICTURES, VIDEOS

if TYPE_CHECKING:
    from assemble.requests import Story
    from assemble.requests.story import Person, Shot

MOST = 9  # pictures of a character: no system takes more


def story_of(board: Storyboard) -> Story:
    """The story of a board. Shots that bring a clip of their own are not in it, nor is who is in no other."""
    shots: list[Shot] = [
        {
            "number": number, "sequence": shot.sequence, "scene": shot.scene, "seconds": shot.seconds or 0.0, "size": shot.size,
            "move": shot.move, "place": shot.place, "interior": shot.interior, "time": shot.time,
            "light": f"{shot.light.warmth} light from the {shot.light.side}",
            "sides": {part.name: part.side for part in shot.characters}, "action": shot.action, "seed": shot.seed,
            "lines": [
                {"speaker": line.speaker, "text": line.text, "manner": line.manner, "heard": line.heard} for line in shot.lines
            ],
        }
        for number, shot in enumerate(board.shots, start=1)
        if shot.clip is None
    ]  # fmt: skip
    there = {name for shot in shots for name in shot["sides"]} | {
        line["speaker"] for shot in shots for line in shot["lines"]
    }
    people = [_person(board, name, role) for name, role in board.characters.items() if name in there]
    return {
        "title": board.title, "style": board.style, "size": board.pixels, "seed": board.seed, "people": people, "shots": shots,
    }  # fmt: skip


def _person(board: Storyboard, name: str, role: Role) -> Person:
    files = [file for said in role.refs for file in _files(board.path(said).resolve())]
    pictures = [file.as_uri() for file in files if file.suffix.lower() in PICTURES]
    videos = [file.as_uri() for file in files if file.suffix.lower() in VIDEOS]
    return {"name": name, "looks": role.looks, "pictures": pictures[:MOST], "videos": videos[:MOST]}


def _files(path: Path) -> list[Path]:
    """The files of a reference, the most telling first: of a pack its exemplars, of a folder from all over it."""
    if (path / "pack.json").is_file():
        try:
            frames = sorted((path / "frames").glob("*.webp"))
            exemplars = json.loads((path / "pack.json").read_text(encoding="utf-8"))["exemplars"]
            return [frames[number] for number in exemplars]
        except (OSError, ValueError, LookupError, TypeError) as error:
            mend = "remove it and make it again: storyboard refs prepare"
            raise StoryboardError("the pack is not whole", where=str(path), mend=mend) from error
    if path.is_dir():
        return _spread(sorted(each for each in path.rglob("[!.]*") if each.suffix.lower() in PICTURES + VIDEOS))
    return [path] if path.is_file() else []


def _spread(files: list[Path]) -> list[Path]:
    """The same files, reordered so that the first few come from all over the list: first, last, middle, quarters ..."""
    places = [0.0, 1.0]
    step = 2
    while step < 2 * len(files):
        places += [odd / step for odd in range(1, step, 2)]
        step *= 2
    return [files[number] for number in dict.fromkeys(round(place * (len(files) - 1)) for place in places if files)]
