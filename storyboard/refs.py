"""Files that a script or a board names: reference pictures, videos, packs, clips. Are they there, and of the right kind?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from storyboard.errors import StoryboardError, closest, listed

# The kinds that identity.frames reads; named here so that a script is checked without loading anything.
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".jpe", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv",
          ".3gp", ".mxf", ".y4m")  # fmt: skip

_TIME = r"(?:\d+:){0,2}\d+(?:\.\d+)?|\.\d+"
_SPAN = re.compile(
    rf"(?P<path>.*?)(?:[,\s]+(?:in|from)\s+(?P<in>{_TIME})\s*s?)?(?:[,\s]+(?:out|to)\s+(?P<out>{_TIME})\s*s?)?\s*",
    re.IGNORECASE,
)


def clip_span(said: str) -> tuple[str, tuple[float | None, float | None]]:
    """'takes/storm.mp4 in 2.5s out 0:06' as the path and the in and out points in seconds, None where there is none."""
    found = _SPAN.fullmatch(said)
    if found is None:
        return said, (None, None)
    points = (sum(float(part) * 60**power for power, part in enumerate(reversed(point.split(":")))) if point else None
              for point in (found["in"], found["out"]))  # fmt: skip
    first, last = points
    return found["path"], (first, last)


def placed(folder: Path, said: str) -> Path:
    """A path as somebody wrote it, from a folder; '~' is the home folder."""
    try:
        return folder / Path(said).expanduser()
    except RuntimeError:  # '~nobody'
        return folder / said


def refs_refusal(path: Path) -> tuple[str, str] | None:
    """What is wrong with a path to references and what to do, or None when pictures, a video or a pack are there."""
    try:
        if path.is_dir():
            inside = any(each.suffix.lower() in PICTURES + VIDEOS or each.name == "pack.json" for each in path.rglob("*"))
            if inside:
                return None
            return f"{path} holds no pictures and no videos", f"put some there: {listed(PICTURES[:4])}, or {VIDEOS[0]}"
        if path.exists():
            if path.suffix.lower() in PICTURES + VIDEOS:
                return None
            return f"{path.name} is neither a picture nor a video", f"name a folder, {listed(PICTURES[:4])}, or {VIDEOS[0]}"
        siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    except (OSError, ValueError) as error:
        return f"the references cannot be read: {getattr(error, 'strerror', None) or error}", "check the path"
    near = closest(path.name, siblings)
    mend = f"did you mean {path.parent / near}?" if near else "put the reference pictures there, or name where they are"
    return f"there are no references at {path}", mend


def clip_refusal(path: Path) -> tuple[str, str] | None:
    """What is wrong with a path to a clip and what to do, or None when a video is there."""
    return file_refusal(path, "clip", "video", VIDEOS)


def frame_refusal(path: Path) -> tuple[str, str] | None:
    """What is wrong with a path to a shot's first frame and what to do, or None when a picture is there."""
    return file_refusal(path, "frame", "picture", PICTURES)


def file_refusal(path: Path, what: str, kind: str, endings: tuple[str, ...]) -> tuple[str, str] | None:
    """What is wrong with a path to one file, called `what`, and what to do; None when one of `kind`, by its ending, is there."""
    try:
        if path.is_file():
            if path.suffix.lower() in endings:
                return None
            return f"{path.name} is no {kind}", f"name a {kind} file, as {endings[0]} or {endings[1]}"
        siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    except (OSError, ValueError) as error:
        return f"the {what} cannot be read: {getattr(error, 'strerror', None) or error}", "check the path"
    near = closest(path.name, siblings)
    return f"there is no {what} at {path}", f"did you mean {path.parent / near}?" if near else "check the path"


def the_like(said: list[str]) -> Path | None:
    """The one picture that says who is meant, if any was given. Raises StoryboardError for several."""
    if len(said) > 1:
        raise StoryboardError(
            "a pack is of one person, so one picture says who", where="--like", mend="give one, or make several packs: --split"
        )
    return placed(Path(), said[0]) if said else None


def named_paths(said: Sequence[str], option: str, example: str) -> dict[str, Path]:
    """NAME=PATH, as given with an option again and again, as paths by name; `example` shows how it is written.

    Raises StoryboardError for anything else, and for a name given twice.
    """
    paths: dict[str, Path] = {}
    for each in said:
        name, equals, path = (part.strip() for part in each.partition("="))
        if not (name and equals and path):
            raise StoryboardError(f'"{each}" names nobody', where=option, mend=f"write {option} {example}")
        if name in paths:
            raise StoryboardError(f"{name} is named twice", where=option, mend="name each character once")
        paths[name] = placed(Path(), path)
    return paths


def frames_of(path: Path) -> Iterator[Any]:
    """The frames (H, W, 3) uint8 RGB of a video, or of a picture."""
    if path.suffix.lower() in PICTURES:
        from identity.frames import read_picture

        yield read_picture(path).pixels
        return
    from assemble import read_frames

    yield from read_frames(path)
