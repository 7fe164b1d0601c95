"""The prompt as the text encoder reads it: names as the family's models know them, and what always stands before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generation.errors import GenerationError
from generation.family import Family
from generation.request import ShotRequest

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def worded(request: ShotRequest, family: Family, adapted: bool) -> str:
    """The prompt of a request for a family; `adapted` when an identity adapter binds its tokens to the words of slots.

    Where names are told by looks, the first mention of a character has them, and with pictures also which ones are of it:
    "Mia, a girl with red hair, from the first and second reference images, waves. Mia sits." Pictures of the place come last, and
    one sentence says what they are for, however many they are.
    """
    names = request.characters
    slots = [family.slot_word.format(slot) for slot in range(1, len(names) + 1)]
    if family.naming == "slot":
        return spoken_prompt(request.prompt, names, slots)
    called = slots if adapted else [name[:1].upper() + name[1:] for name in names]
    told = []
    before = 0
    for place, word in enumerate(called):
        pictures = len(request.pictures[place]) if request.pictures and family.naming == "order" else 0
        said = [word, request.looks[place] if request.looks else "", _images(before, pictures)]
        before += pictures
        told.append(", ".join(filter(None, said)) + ("," if any(said[1:]) else ""))
    prompt = spoken_prompt(request.prompt, names, called, told)
    # A sentence may end with a name: "looks at Tom, an old man,."
    prompt = re.sub(r",(?=\s*[.,;:!?]|\s*$)", "", prompt)
    if request.place and family.naming == "order":
        prompt = re.sub(r"(?<![.!?])$", ".", prompt.rstrip())
        prompt += f" The place and the light are those of the {'other ' if before else ''}reference images."
    return (family.prefix if before or request.place else "") + prompt


def spoken_prompt(prompt: str, characters: Sequence[str], words: Sequence[str], first: Sequence[str] = ()) -> str:
    """The prompt with each @name replaced by its word, the first mention of each by its word in `first`, if given."""
    known = dict(zip(characters, words, strict=True))
    openings = dict(zip(characters, first, strict=True)) if first else {}

    def word(found: re.Match[str]) -> str:
        owns = prompt.startswith(("'s", "\u2019s"), found.end())  # "@mia's lamp" has no room for looks
        return known[found[1]] if owns else openings.pop(found[1], known[found[1]])

    if known:
        names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
        prompt = re.sub(rf"(?<!\w)@({names})(?!\w)", word, prompt)
    stray = re.search(r"(?<!\w)@\w[\w-]*", prompt)
    if stray:
        raise GenerationError(
            f"{stray[0]} is in the prompt but not in the shot",
            mend=f"Characters of this shot: {', '.join('@' + name for name in characters) or 'none'}.",
        )
    return prompt


def _images(before: int, count: int) -> str:
    """Which reference images are a character's: 'from the first and second reference images'."""
    if not count:
        return ""
    numbers = [ORDINALS[place] for place in range(before, before + count)]
    listed = " and ".join([", ".join(numbers[:-1]), numbers[-1]] if count > 1 else numbers)
    return f"from the {listed} reference image{'s' if count > 1 else ''}"
