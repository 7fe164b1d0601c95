"""How well scores find who is wrong: right clips, clips swapped half-way, morphing, and in other clothes, of drawn characters.

    python -m benchmarks.scores                              # 8 characters, 2 clips of each kind and size
    python -m benchmarks.scores --people 2 --clips 1 --frames 16

The characters are held out: no training of the encoders saw them. A morph is a blend from one rendering of a scene to
another of the same scene with somebody else in it; other clothes are the same character with another top colour and
pattern. "Found" says that the clip does not pass; "before the middle" that the change was named at a frame before the
middle of the clip (for a swap: at its frame, or one off); "at" is that frame as a share of the clip, the median.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from generation.toon.world import character, scene
from identity import CharacterScore, Encoders, IdentityPack, prepare, score
from identity.likeness import SIZES

WIDTH, HEIGHT = 320, 192
KINDS = ("right", "swap", "morph", "clothes")


def pack_of(who: character.Character, encoders: Encoders, folder: str) -> IdentityPack:
    """A pack of 15 drawn pictures of a character."""
    for number in range(15):
        made = scene.sample_scene(np.random.default_rng([who.seed, number]), [who], size=SIZES[number % 3])
        Image.fromarray(scene.render(made, 1, WIDTH, HEIGHT).frames[0]).save(Path(folder) / f"{number:02}.png")
    return prepare([Path(folder)], "x", encoders)


def redressed(who: character.Character, rng: np.random.Generator) -> character.Character:
    """The same character with a top of quite another colour and pattern."""

    def far(other: str) -> bool:
        return float(np.abs(np.subtract(character.CLOTH[other], who.top_colour)).sum()) > 200

    colours = [colour for colour in character.CLOTH if far(colour)]
    patterns = [pattern for pattern in character.PATTERNS if pattern != who.pattern]
    first, second = (character.CLOTH[colours[int(place)]] for place in rng.choice(len(colours), 2, replace=False))
    pattern = patterns[int(rng.integers(len(patterns)))]
    return replace(who, top_colour=first, pattern=pattern, pattern_colour=second)


def clips(who: character.Character, other: character.Character, size: str, seed: int, frames: int) -> dict[str, np.ndarray]:
    """A clip (frames, H, W, 3) of each kind, all of one scene."""
    rng = np.random.default_rng([seed, who.seed])
    first = scene.sample_scene(rng, [who], size=size)

    def with_part(person: character.Character) -> np.ndarray:
        return scene.render(replace(first, parts=(replace(first.parts[0], who=person),)), frames, WIDTH, HEIGHT).frames

    right, wrong = with_part(who), with_part(other)
    share = np.linspace(0, 1, frames)[:, None, None, None]
    return {
        "right": right,
        "swap": np.concatenate([right[: frames // 2], wrong[frames // 2 :]]),
        "morph": (right * (1 - share) + wrong * share).astype(np.uint8),
        "clothes": with_part(redressed(who, rng)),
    }


def found_at(one: CharacterScore, kind: str, frames: int) -> float | None:
    """The frame at which a change is named, as a share of the clip, if it is where it should be."""
    if not one.changes:
        return None
    first = one.changes[0].first
    good = abs(first - frames // 2) <= 1 if kind == "swap" else first < frames / 2
    return first / frames if good else None


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("people", 8), ("clips", 2), ("frames", 36), ("start", 800_000)):
        options.add_argument(f"--{name}", type=int, default=default)
    said = options.parse_args()
    cv2.setNumThreads(1)
    encoders = Encoders.load()
    people = [character.sample(seed) for seed in character.seeds(2 * said.people, hold_out=True, start=said.start)]
    results: dict[tuple[str, str], list[CharacterScore]] = {}
    for who, other in zip(people[: said.people], people[said.people :], strict=True):
        with TemporaryDirectory() as folder:
            packs = {"x": pack_of(who, encoders, folder)}
        for size in SIZES:
            for number in range(said.clips):
                for kind, frames in clips(who, other, size, number, said.frames).items():
                    results.setdefault((kind, size), []).append(score(frames, packs, encoders).characters["x"])
    table = Table("kind", "size", "clips", "found", "missed", "false alarms", "before the middle", "at", "clothes")
    for kind in KINDS:
        for size in SIZES:
            scores = results[kind, size]
            found = sum(not one.passes for one in scores)
            places = [place for one in scores if (place := found_at(one, kind, said.frames)) is not None]
            worn = [one.clothes for one in scores if one.clothes is not None]
            right, dressed = kind == "right", kind in ("right", "clothes")
            table.add_row(
                kind, size, str(len(scores)), "" if right else str(found), "" if right else str(len(scores) - found),
                str(found) if right else "", "" if dressed else str(len(places)),
                f"{np.median(places):.2f}" if places and not dressed else "", f"{np.median(worn):.2f}" if worn else "",
            )  # fmt: skip
    Console(width=120).print(table)
    for (kind, size), scores in results.items():
        for one in scores:
            if kind == "right" and not one.passes:
                print(f"false alarm, {size}: {one.faults or f'found in {one.present:.0%}'}")


if __name__ == "__main__":
    main()
