"""Clips as footage to train on: cut into stretches of the model's size, with who is in them and what happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError, listed, meant
from storyboard.refs import VIDEOS, clip_refusal

if TYPE_CHECKING:
    from generation import Family
    from generation.training.footage import Footage
    from identity import Encoders, IdentityPack, Score

SHORTEST = 5  # frames of a stretch
LOOKED = 1280  # pixels of the longer side that people are looked for in
HELD = 5  # every so-manieth stretch is held back
FIGURE, FACE = 2, 4
"""How much the pixels of a figure and of a face count, beside 1 of the rest: identity is there."""
NAMED = re.compile(r"(?<!\w)@(\w[\w-]*)")


def footage_of(
    clips: Sequence[Path], packs: Sequence[Path], family: Family, size: str | None, frames: int, tell: Callable[[str], object]
) -> tuple[dict[str, IdentityPack], list[Footage]]:
    """Packs by name, and the stretches of the clips that show their characters.

    Raises StoryboardError for no clips, for a clip whose text names someone without a pack, for clips in which nobody is
    recognised, for a size that the model does not make; IdentityError for packs of other encoders.
    """
    from identity import Encoders, IdentityPack

    width, height = _size(size, family)
    paths = list(_videos(clips))
    encoders = Encoders.load()
    loaded = [IdentityPack.load(path, encoders) for path in _folders(packs)]
    known = {pack.name: pack for pack in loaded}
    if len(known) < len(loaded):
        names = listed(sorted({pack.name for pack in loaded if sum(pack.name == each.name for each in loaded) > 1}))
        raise StoryboardError(f"two packs are of {names}", where="--packs", mend="give one pack for each character")
    most = min(1 + 4 * ((frames - 1) // 4), family.max_frames)
    found: list[Footage] = []
    for path in paths:
        there = list(_stretches(path, known, encoders, family, (width, height), most))
        found += there
        who = sorted({name for each in there for name in each.characters})
        tell(f"{path.name}: {len(there)} {'stretch' if len(there) == 1 else 'stretches'} with {', '.join(who) or 'nobody'}")
    if not found:
        mend = "give clips of them, or say in a text beside each clip who is in it: @mia walks."
        raise StoryboardError(f"nobody of {listed(list(known))} is recognised in the clips", where="--clips", mend=mend)
    last = len(found) - 1
    return known, [replace(each, held=place % HELD == HELD - 1 or place == last) for place, each in enumerate(found)]


def _folders(packs: Sequence[Path]) -> Iterator[Path]:
    """The packs' folders, also those in a folder of packs."""
    for path in packs:
        inside = sorted(each.parent for each in path.glob("*/pack.json")) if path.is_dir() else []
        yield from inside if inside and not (path / "pack.json").is_file() else [path]


def _videos(clips: Sequence[Path]) -> Iterator[Path]:
    none = True
    for path in clips:
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() in VIDEOS) if path.is_dir() else [path]
        for each in inside:
            if wrong := clip_refusal(each):
                raise StoryboardError(wrong[0], where="--clips", mend=wrong[1])
            none = False
            yield each
    if none:
        said = ", ".join(map(str, clips)) or "nothing"
        raise StoryboardError(f"there are no clips in {said}", where="--clips", mend="give videos, or a folder of them")


def _size(size: str | None, family: Family) -> tuple[int, int]:
    if size is None:
        return min(family.sizes, key=lambda each: each[0] * each[1])
    numbers = size.lower().split("x")
    if len(numbers) != 2 or not all(each.isdecimal() for each in numbers):
        raise StoryboardError(f'"{size}" is no size', where="--size", mend=f"write one of {family.size_list}")
    width, height = map(int, numbers)
    family.check(width, height, 1)
    return width, height


def _stretches(
    path: Path, packs: Mapping[str, IdentityPack], encoders: Encoders, family: Family, size: tuple[int, int], most: int
) -> Iterator[Footage]:
    """Stretches of `most` frames, the last one shorter; of those without a text, the ones in which somebody is recognised."""
    import numpy as np

    from assemble import read_frames
    from generation.references.keyframe import covering
    from generation.training.footage import Footage
    from identity import score

    text = path.with_suffix(".txt")
    caption = " ".join(text.read_text(encoding="utf-8").split()) if text.is_file() else ""
    said = tuple(dict.fromkeys(NAMED.findall(caption)))
    for name in said:
        if name not in packs:
            raise StoryboardError(
                f"@{name} has no pack{meant(name, list(packs))}", where=str(text), mend=f"name {listed(list(packs))}"
            )
    flow = read_frames(path, fps=family.fps)
    number = 0
    while len(taken := list(islice(flow, most))) >= SHORTEST:
        number += 1
        count = 1 + 4 * ((len(taken) - 1) // 4)
        # People are looked at as large as they were filmed: a small model's own size may be too small to tell them apart.
        larger = min(max(1.0, min(taken[0].shape[1] / size[0], taken[0].shape[0] / size[1])), LOOKED / max(size))
        seen = [covering(frame, round(size[0] * larger), round(size[1] * larger)) for frame in taken[:count]]
        measured = score(iter(seen), packs, encoders)
        names = said or _recognised(measured)
        if names:
            frames = np.stack([covering(frame, *size) for frame in seen])
            prompt = caption or f"{' and '.join('@' + name for name in names)}."
            weight = _weight(measured, names, frames.shape[:3], larger)
            yield Footage(f"{path.stem}, stretch {number}", frames, prompt, names[:3], weight)


def _recognised(measured: Score) -> tuple[str, ...]:
    """Who is in a stretch, from left to right."""
    from identity.portrayal import PRESENT

    there = {
        name for name, each in measured.characters.items() if each.present >= PRESENT and (each.mean or 0) >= measured.gate
    }
    left = {name: min(seen.box[0] for seen in measured.seen if seen.name == name) for name in there}
    return tuple(sorted(there, key=left.__getitem__))


def _weight(measured: Score, names: Sequence[str], shape: tuple[int, ...], larger: float) -> Any:
    """How much each pixel counts (k+1, H, W) uint8 in each latent frame, by where figures and faces are in its last frame, which
    was looked at so many times larger."""
    import numpy as np

    count, height, width = shape
    weight = np.ones(((count - 1) // 4 + 1, height, width), np.uint8)
    for value in (FIGURE, FACE):
        for seen in measured.seen:
            box = seen.box if value == FIGURE else seen.face_box
            if seen.frame % 4 or box is None or seen.name not in names:
                continue
            x0, y0, x1, y1 = (max(0, round(side / larger)) for side in box)
            weight[seen.frame // 4, y0:y1, x0:x1] = value
    return weight
