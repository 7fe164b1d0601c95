"""Labelled pictures: a folder with a folder for each person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storyboard.errors import StoryboardError
from storyboard.refs import PICTURES

FEWEST_PEOPLE = 2


class People(Mapping[str, Iterator[Any]]):
    """For each name the pictures (H, W, 3) uint8 RGB of that person, read one by one when they are asked for."""

    def __init__(self, files: dict[str, list[Path]]) -> None:
        self.files = files

    def __getitem__(self, name: str) -> Iterator[Any]:
        from identity.frames import read_picture

        return (read_picture(path).pixels for path in self.files[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def labelled(folder: Path) -> People:
    """The people in a folder. Videos are passed over: frames of one clip are too alike to measure on.

    Raises StoryboardError for no such folder, for fewer than FEWEST_PEOPLE, and for one with fewer pictures than
    can be measured on.
    """
    from identity.calibration import PICTURES as FEWEST

    layout = f"give {folder.name or folder}/NAME/*.png, one folder for each person"
    if not folder.is_dir():
        raise StoryboardError("there is no such folder", where=str(folder), mend=layout)
    homes = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    files = {home.name: _pictures(home) for home in homes}
    if len(files) < FEWEST_PEOPLE:
        said = "only one person" if files else "no person"
        raise StoryboardError(f"the folder has folders of {said}", where=str(folder), mend=layout)
    for name, pictures in files.items():
        if len(pictures) < FEWEST:
            many = f"{len(pictures)} picture{'' if len(pictures) == 1 else 's'}"
            raise StoryboardError(
                f"{many} of {name} are too few to measure on" if len(pictures) != 1 else f"{many} of {name} is too little",
                where=str(folder / name),
                mend=f"give {FEWEST} pictures or more, from near and from far (videos do not count)",
            )
    return People(files)


def _pictures(home: Path) -> list[Path]:
    inside = sorted(home.rglob("[!.]*"))
    return [path for path in inside if path.suffix.lower() in PICTURES and path.is_file()]
