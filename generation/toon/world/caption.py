"""The words for a scene, in the form of a planner's prompt."""

from __future__ import annotations

import numpy as np

from generation.toon.world.place import PLACES
from generation.toon.world.pose import PROPS
from generation.toon.world.scene import MOVES, Part, Scene

PHRASES: dict[str, tuple[str, ...]] = {
    "stands": ("stands", "stands still", "stands there", "looks out of the window",
               "looks around", "waits", "listens", "smiles", "thinks", "looks at the sea"),
    "walks": ("walks", "walks slowly", "walks along", "strolls", "comes in", "steps forward",
              "walks through the {place}", "goes for a walk"),
    "runs": ("runs", "runs fast", "hurries", "rushes in", "dashes along", "runs through the {place}"),
    "waves": ("waves", "waves hello", "waves goodbye", "waves a hand", "greets a friend"),
    "talks": ("talks", "speaks", "says something", "tells a story", "whispers", "answers", "calls out"),
    "sits": ("sits", "sits down", "is sitting", "rests on a stool", "sits quietly", "is seated"),
    "turns": ("turns around", "turns", "turns to look", "looks back", "turns to the other side"),
    "points": ("points", "points ahead", "points at something", "points the way", "points to the side"),
    "picks up": ("picks something up", "picks up a shell", "bends down", "picks up a stone", "picks it up", "picks up a letter"),
    "jumps": ("jumps", "jumps for joy", "hops", "cheers", "jumps up and down"),
    "climbs": ("climbs the stairs", "climbs", "climbs up", "goes up the stairs", "climbs the steps"),
}  # fmt: skip


def slot_word(slot: int) -> str:
    """The word that stands for the character in a slot (0..2) in every caption."""
    return f"character{slot + 1}"


def caption(scene: Scene, rng: np.random.Generator, *, plain: bool = False) -> str:
    """The scene as a prompt; each part is named by its slot word. `plain` always takes the first phrase for an action."""
    interior = "interior" if PLACES[scene.place][0] else "exterior"
    head = f"{scene.size} shot, {MOVES[scene.move]}. {interior}, {scene.place}, {scene.time}. "
    light = f"{scene.light.warmth} light from the {scene.light.side}. "
    said = [_sentence(part, slot, scene.place, rng, plain) for slot, part in enumerate(scene.parts)]
    if not plain:
        rng.shuffle(said)
    said += [f"{slot_word(i)} talks." for i, p in enumerate(scene.parts) if p.speaks and (plain or rng.random() < 0.8)]
    return head + light + " ".join(said) + f" {scene.style.name}"


def _sentence(part: Part, slot: int, place: str, rng: np.random.Generator, plain: bool) -> str:
    phrases = PHRASES[part.action.name]
    phrase = phrases[0] if plain else phrases[int(rng.integers(len(phrases)))]
    side = "in the centre" if part.side == "centre" else f"on the {part.side}"
    text = f"{slot_word(slot)} {side} {phrase.format(place=place)}"
    if part.action.prop != "none":
        hold = "with" if plain else ("with", "holding", "carrying")[int(rng.integers(3))]
        text += f" {hold} a {part.action.prop}"
    if not plain and rng.random() < 0.15:
        text += f" in the {place}"
    if not plain and rng.random() < 0.2:
        text += f", {part.who.looks}"
    return text + "."


VOCABULARY = sorted({w for group in PHRASES.values() for p in group for w in p.split()} | set(PROPS))
"""Words that captions are made of, for the tests of the planner's agreement with the model."""
