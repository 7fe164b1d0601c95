"""Who is drawn: a character is a set of traits, sampled from one integer seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

SKIN: dict[str, Colour] = {
    "pale": (252, 224, 202), "fair": (242, 200, 166), "tan": (218, 164, 120),
    "olive": (196, 148, 98), "brown": (150, 98, 64), "dark": (98, 62, 44),
}  # fmt: skip
HAIR: dict[str, Colour] = {
    "black": (36, 32, 40), "brown": (98, 62, 38), "auburn": (148, 66, 34), "red": (214, 88, 34),
    "blonde": (240, 204, 104), "grey": (150, 152, 158), "white": (238, 238, 236), "blue": (66, 116, 214),
    "pink": (236, 120, 178), "green": (74, 164, 96), "purple": (128, 78, 176),
}  # fmt: skip
CLOTH: dict[str, Colour] = {
    "red": (206, 48, 48), "orange": (238, 134, 42), "yellow": (246, 210, 58), "green": (62, 152, 78),
    "teal": (42, 158, 160), "blue": (52, 98, 200), "navy": (38, 50, 104), "purple": (126, 68, 164),
    "pink": (240, 142, 180), "brown": (126, 84, 52), "grey": (136, 140, 148), "white": (240, 240, 236),
    "black": (46, 46, 54),
}  # fmt: skip
EYES: dict[str, Colour] = {
    "brown": (92, 56, 30), "blue": (58, 120, 204), "green": (60, 140, 80), "grey": (110, 118, 128), "black": (24, 22, 26),
}  # fmt: skip

HAIR_STYLES = ("short", "bob", "long", "curly", "bun", "ponytail", "spiky", "mohawk", "bald")
FACES = ("round", "oval", "square", "long")
GLASSES = ("none", "round", "square", "dark")
HATS = ("none", "cap", "beanie", "top hat", "rain hat", "beret", "headband")
BEARDS = ("none", "full beard", "goatee", "moustache")
TOPS = ("shirt", "coat", "dress", "jumper", "vest")
PATTERNS = ("plain", "stripes", "dots", "checks", "bars", "sash")
BOTTOMS = ("trousers", "shorts", "skirt")


@dataclass(frozen=True)
class Character:
    """Traits of one drawn person. Colours are RGB 0..255; `height`, `build` and `head` are factors about 1."""

    seed: int
    kind: str  # girl, boy, woman, man
    skin: Colour
    hair: Colour
    hair_style: str
    face: str
    eyes: Colour
    eye_size: float
    glasses: str
    hat: str
    hat_colour: Colour
    beard: str
    beard_colour: Colour
    top: str
    top_colour: Colour
    pattern: str
    pattern_colour: Colour
    bottom: str
    bottom_colour: Colour
    shoes: Colour
    height: float
    build: float
    head: float
    looks: str  # one phrase that says the above in words
    names: tuple[str, ...] = ()  # trait labels, the targets of the encoders' training


def held_out(seed: int) -> bool:
    """True for the tenth of all identities that no training may see."""
    return hashlib.sha256(f"toon identity {seed}".encode()).digest()[0] < 26


def seeds(count: int, *, hold_out: bool, start: int = 0) -> list[int]:
    """The first `count` identity seeds from `start` on the asked side of the hold-out rule."""
    found: list[int] = []
    seed = start
    while len(found) < count:
        if held_out(seed) == hold_out:
            found.append(seed)
        seed += 1
    return found


def sample(seed: int) -> Character:
    """The character of an identity seed; the same seed always gives the same person."""
    rng = np.random.default_rng([seed, 77])

    def pick(options: tuple[str, ...] | list[str], weights: list[float] | None = None) -> str:
        p = None if weights is None else np.array(weights) / sum(weights)
        return str(options[int(rng.choice(len(options), p=p))])

    def shade(table: dict[str, Colour], name: str, spread: float) -> Colour:
        base = np.array(table[name], float)
        jitter = rng.normal(0, spread, 3) * 0.5 + rng.normal(0, spread)
        r, g, b = np.clip(base + jitter, 12, 252).astype(int)
        return int(r), int(g), int(b)

    kind = pick(["girl", "boy", "woman", "man"])
    child, male = kind in ("girl", "boy"), kind in ("boy", "man")
    hair_name = pick(
        list(HAIR), [3, 3, 2, 3, 3, 0.2, 0.2, 1, 1, 0.7, 1] if child else [3, 3, 2, 2, 3, 2, 2, 0.7, 0.7, 0.5, 0.7]
    )
    hair_style = pick(
        list(HAIR_STYLES),
        [4, 0.5, 0.7, 2, 0.3, 0.3, 3, 1, 0 if child else 2] if male else [1, 3, 3, 2, 2, 2.5, 0.5, 0.3, 0.1],
    )
    skin_name, face, eye_name = pick(list(SKIN)), pick(FACES), pick(list(EYES))
    glasses = pick(GLASSES, [6, 2, 2, 0.8])
    hat = pick(HATS, [6, 1.5, 1.5, 0.8, 1.2, 1.2, 1.2])
    beard = pick(BEARDS, [3, 3, 2, 2]) if kind == "man" else "none"
    top = pick(TOPS, [3, 3, 0, 3, 1.5] if male else [2, 2.5, 3, 2.5, 1])
    pattern = pick(PATTERNS, [5, 2.5, 2, 1.5, 1.5, 1.2])
    bottom = pick(BOTTOMS, [5, 2, 0] if male else [3, 1, 3])
    cloth = list(CLOTH)
    top_name, bottom_name, hat_name, shoe_name = (pick(cloth) for _ in range(4))
    far = [c for c in cloth if np.abs(np.subtract(CLOTH[c], CLOTH[top_name])).sum() > 160]
    pattern_name = pick(far)
    hair, beard_name = shade(HAIR, hair_name, 7), hair_name if rng.random() < 0.7 else "white"

    looks = _looks(
        kind, hair_name, hair_style, glasses, hat, hat_name, beard, beard_name, top, top_name, pattern, pattern_name
    )
    return Character(
        seed=seed, kind=kind, skin=shade(SKIN, skin_name, 5), hair=hair, hair_style=hair_style, face=face,
        eyes=EYES[eye_name], eye_size=float(rng.uniform(0.85, 1.25)), glasses=glasses, hat=hat,
        hat_colour=shade(CLOTH, hat_name, 8), beard=beard,
        beard_colour=hair if beard_name == hair_name else HAIR["white"], top=top, top_colour=shade(CLOTH, top_name, 8),
        pattern=pattern, pattern_colour=shade(CLOTH, pattern_name, 8), bottom=bottom,
        bottom_colour=shade(CLOTH, bottom_name, 8), shoes=shade(CLOTH, shoe_name, 8),
        height=float(rng.uniform(0.72, 0.84) if child else rng.uniform(0.92, 1.06)),
        build=float(rng.uniform(0.85, 1.2) if child else rng.uniform(0.85, 1.35)),
        head=float(rng.uniform(1.12, 1.25) if child else rng.uniform(0.92, 1.08)), looks=looks,
        names=(kind, skin_name, hair_name, hair_style, face, eye_name, glasses, hat, beard, top, top_name, pattern, bottom,
               bottom_name),
    )  # fmt: skip


def _looks(
    kind: str, hair: str, hair_style: str, glasses: str, hat: str, hat_colour: str, beard: str, beard_colour: str,
    top: str, top_colour: str, pattern: str, pattern_colour: str,
) -> str:  # fmt: skip
    article = "an old" if kind == "man" and "white" in (hair, beard_colour if beard != "none" else "") else "a"
    text = f"{article} {kind}"
    text += " with no hair" if hair_style == "bald" else f" with {hair_style} {hair} hair"
    if beard != "none":
        text += f" and a {beard_colour} {beard}"
    if glasses != "none":
        text += f", {glasses} glasses"
    if hat != "none":
        text += f", a {hat_colour} {hat}"
    dressed = f" in a {top_colour} {top}"
    return text + dressed + ("" if pattern == "plain" else f" with {pattern_colour} {pattern}")


FIELDS: tuple[tuple[str, ...], ...] = (
    ("girl", "boy", "woman", "man"), tuple(SKIN), tuple(HAIR), HAIR_STYLES, FACES, tuple(EYES), GLASSES, HATS, BEARDS, TOPS,
    tuple(CLOTH), PATTERNS, BOTTOMS, tuple(CLOTH),
)  # fmt: skip
"""The possible values of each entry of `Character.names`, in order."""


def colours(character: Character) -> np.ndarray:
    """Ground-truth colours (7, 3) float 0..1: skin, hair, hat, top, pattern, bottom, shoes (the hair again if no hat)."""
    hat = character.hat_colour if character.hat != "none" else character.hair
    pattern = character.pattern_colour if character.pattern != "plain" else character.top_colour
    hair = character.hair if character.hair_style != "bald" else character.skin
    rows = (character.skin, hair, hat, character.top_colour, pattern, character.bottom_colour, character.shoes)
    return np.array(rows, np.float32) / 255
