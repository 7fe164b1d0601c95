"""Shots for the benchmark: scenes with held-out people, and their pictures through the real stages."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from generation import Model, ShotRequest, VoiceTrack, open_stage
from generation.families import FAMILIES
from generation.toon.world import caption, character, scene
from identity import IdentityPack


@dataclass(frozen=True)
class Shot:
    """A scene, the names of its people in slot order, and the seed of the take."""

    scene: scene.Scene
    names: tuple[str, ...]
    seed: int


def plan(people: list[character.Character], groups: list[tuple[int, ...]], places: int, seed: int) -> list[Shot]:
    """For each group of people (indices, in slot order) a shot in each of `places` different places; everyone stands still
    enough to be measured, sides and sizes vary."""
    shots = []
    for g, group in enumerate(groups):
        rng = np.random.default_rng([seed, g])
        order = rng.permutation(list(scene.PLACES))
        for k in range(places):
            cast = [people[i] for i in group]
            size = scene.SIZES[(g + k) % 3] if len(group) == 1 else ("medium", "wide")[(g + k) % 2]
            action = ("stands", "waves", "talks", "walks", "points")[int(rng.integers(5))]
            drawn = scene.sample_scene(rng, cast, place=str(order[k]), size=size, move="static", action=action)
            sides = [p.side for p in drawn.parts]
            if len(group) == 2:  # either order of slots on the screen as often as the other
                sides = ["left", "right"] if (g + k) % 2 else ["right", "left"]
            parts = tuple(
                replace(p, side=side, speaks=False, action=replace(p.action, prop="none"))
                for p, side in zip(drawn.parts, sides, strict=True)
            )
            shots.append(
                Shot(
                    replace(drawn, parts=parts), tuple(f"c{people[i].seed}" for i in group), int(rng.integers(1 << 30))
                )
            )
    return shots


def generate(
    model: Model, shots: list[Shot], packs: dict[str, IdentityPack], *, frames: int, scale: float = 1.0, steps: int | None = None,
    guidance: tuple[float, float] | None = None, voices: list[VoiceTrack] | None = None,
) -> list[np.ndarray]:  # fmt: skip
    """Frames (T, H, W, 3) uint8 of each shot, stage by stage as a render makes them; `voices` moves the mouths of each, and
    `scale` is the strength of identity as a share of the family's own."""
    family = model.family
    strength = (scale * family.identity_scale[0], scale * family.identity_scale[1])
    rng = np.random.default_rng(0)
    width, height = family.sizes[0]
    requests = [
        ShotRequest(
            prompt=caption.caption(shot.scene, rng, plain=True), characters=shot.names,
            sides=tuple(part.side for part in shot.scene.parts), frames=frames, width=width, height=height,
            seed=shot.seed, steps=steps or family.steps, guidance=guidance or family.guidance, identity_scale=strength,
            voice=voices[k] if voices else None, voice_scale=family.voice_scale,
        )
        for k, shot in enumerate(shots)
    ]  # fmt: skip
    tokens = [[packs[name].tokens_input() for name in shot.names] for shot in shots]
    held: list[dict] = [{} for _ in shots]  # type: ignore[type-arg]
    for name in ("encode", "layout", "detail", "decode"):
        with open_stage(name, model) as stage:
            held = [stage.run(r, t, before) for r, t, before in zip(requests, tokens, held, strict=True)]
    return [one["frames"].numpy() for one in held]


def draw(shots: list[Shot], frames: int) -> list[np.ndarray]:
    """The same scenes as the world draws them: what a perfect model would show."""
    return [scene.render(shot.scene, frames, *FAMILIES["toon"].sizes[0]).frames for shot in shots]
