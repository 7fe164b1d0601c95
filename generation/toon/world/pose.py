"""What a body does: a pose for every moment of an action, and the envelope of a voice."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

ACTIONS = ("stands", "walks", "runs", "waves", "talks", "sits", "turns", "points", "picks up", "jumps", "climbs")
PROPS = ("none", "lantern", "book", "cup", "ball", "flower")


@dataclass(frozen=True)
class Pose:
    """Angles in radians from hanging straight down, positive towards the right of the screen; offsets in body heights."""

    dx: float = 0.0
    dy: float = 0.0
    sink: float = 0.0  # how far the hips come down
    lean: float = 0.0
    yaw: float = 0.0  # -1 looks to the left of the screen, 1 to the right
    tilt: float = 0.0
    arms: tuple[float, float, float, float] = (-0.25, -0.1, 0.25, 0.1)  # upper and lower, left then right
    legs: tuple[float, float, float, float] = (-0.06, -0.02, 0.06, 0.02)
    mouth: float = 0.0  # 0 shut .. 1 wide open
    blink: float = 0.0


@dataclass(frozen=True)
class Action:
    """One character's part in a clip: what it does, which way it faces (-1, 1), from which phase it breathes and blinks."""

    name: str
    facing: int
    phase: float
    prop: str = "none"


def sample_action(rng: np.random.Generator, side: str, name: str | None = None) -> Action:
    """A random action, or the named one, of somebody on this side of the screen.

    The words and the side settle all that is seen of it. What nothing tells, the phase of a step or which arm, a small network
    could only draw as the mean of all that may be, and the mean of an arm in ten places is no arm.
    """
    name = name or ACTIONS[int(rng.integers(len(ACTIONS)))]
    prop = PROPS[int(rng.integers(1, len(PROPS)))] if rng.random() < 0.25 else "none"
    free = name not in ("waves", "points", "jumps")
    return Action(name, -1 if side == "right" else 1, float(rng.uniform(0, 1)), prop if free else "none")


def pose_at(action: Action, seconds: float, length: float, mouth: float) -> Pose:
    """The pose `seconds` into a clip of `length` seconds; `mouth` is the voice's loudness 0..1."""
    t, d = seconds, action.facing
    own = t + action.phase
    blink = 1.0 if (own + action.phase) % 2.3 < 0.12 else 0.0
    still = Pose(dy=0.004 * math.sin(own * 3.0), yaw=0.35 * d, mouth=mouth, blink=blink, tilt=0.03 * math.sin(own * 1.7))
    if action.name in ("walks", "runs", "climbs"):
        return _step(action, t, length, mouth, blink)
    if action.name == "waves":
        swing = 0.5 * math.cos(t * 9)
        arm = (-2.2 * d, -2.7 * d + swing)  # the outer one, with nobody before it
        return replace(still, arms=(*arm, 0.25, 0.1) if d > 0 else (-0.25, -0.1, *arm))
    if action.name == "talks":
        hand = 0.35 * math.cos(t * 4.1) + 0.5
        arms = (-0.25, -0.1, 0.5 + hand * 0.3, 1.5 + hand) if d > 0 else (-0.5 - hand * 0.3, -1.5 - hand, 0.25, 0.1)
        return replace(still, tilt=0.06 * math.sin(t * 5.0), arms=arms)
    if action.name == "sits":
        return replace(still, sink=0.19, arms=(-0.2, 0.35, 0.2, -0.35), legs=(-0.75, -0.02, 0.75, 0.02))
    if action.name == "turns":
        share = min(max((seconds / max(length, 1e-6) - 0.2) / 0.6, 0.0), 1.0)
        yaw = d * math.cos(math.pi * share)
        return replace(still, yaw=-yaw)
    if action.name == "points":
        raised = 1.62 * d * min(1.0, seconds * 2.5 + 0.7)
        arm = (raised, raised)
        return replace(still, yaw=0.6 * d, arms=(*arm, 0.25, 0.1) if d < 0 else (-0.25, -0.1, *arm))
    if action.name == "picks up":
        down = math.cos(math.pi / 2 * min(max(seconds / max(length, 1e-6), 0.0), 1.0)) ** 0.7
        return replace(still, yaw=0.5 * d,
            sink=0.17 * down, lean=0.4 * d * down,
            arms=(0.5 * d * down - 0.2, 0.7 * d * down, 0.5 * d * down + 0.2, 0.3 * d * down),
            legs=(-0.5 * down - 0.06, 0.25 * down, 0.5 * down + 0.06, -0.25 * down),
        )  # fmt: skip
    if action.name == "jumps":
        beat = abs(math.cos(t * 4.2))
        low = max(0.0, 0.35 - beat)
        return replace(still, dy=0.16 * beat, sink=0.2 * low,
            arms=(-0.5 - 1.6 * beat, -0.7 - 1.8 * beat, 0.5 + 1.6 * beat, 0.7 + 1.8 * beat),
            legs=(-0.12 - 0.6 * low, 0.1, 0.12 + 0.6 * low, -0.1),
        )  # fmt: skip
    return still


def _step(action: Action, seconds: float, length: float, mouth: float, blink: float) -> Pose:
    """Steps from the widest on."""
    run, climb = action.name == "runs", action.name == "climbs"
    d, rate = action.facing, 11.0 if run else 5.5 if climb else 7.0
    s, c = math.cos(seconds * rate), -math.sin(seconds * rate)
    reach = 0.85 if run else 0.55
    forward = (seconds - length / 2) * (0.3 if run else 0.16 if climb else 0.2)
    lift = 0.30 if climb else 0.0
    legs = (
        d * (reach * s + lift), d * (reach * s - (0.9 if run else 0.5) * max(0.0, c)) - d * lift * 0.5,
        d * (-reach * s + lift), d * (-reach * s - (0.9 if run else 0.5) * max(0.0, -c)) - d * lift * 0.5,
    )  # fmt: skip
    bend = 1.3 if run else 0.35
    arms = (-d * reach * s, -d * reach * s + d * bend, d * reach * s, d * reach * s + d * bend)
    return Pose(
        dx=d * forward, dy=0.02 * abs(c) * (2.2 if run else 1) + (forward * 0.55 if climb else 0),
        lean=d * (0.2 if run else 0.08),
        yaw=0.75 * d, arms=arms, legs=legs, mouth=mouth, blink=blink, sink=0.03 if climb else 0.0,
    )  # fmt: skip


def voice(rng: np.random.Generator, frames: int, fps: float) -> np.ndarray:
    """A made-up line's loudness for each frame, (frames,) 0..1: syllables of 3-6 a second with pauses between phrases."""
    t = np.arange(frames) / fps
    level, at = np.zeros(frames), float(rng.uniform(-0.2, 0.4))
    while at < t[-1] + 0.2:
        for _ in range(int(rng.integers(3, 9))):
            width = float(rng.uniform(0.09, 0.17))
            level = np.maximum(level, rng.uniform(0.45, 1.0) * np.exp(-0.5 * ((t - at) / (width * 0.55)) ** 2))
            at += width * float(rng.uniform(1.3, 2.0))
        at += float(rng.uniform(0.15, 0.7))
    return np.where(level < 0.08, 0.0, level)
