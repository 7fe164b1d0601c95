"""What moves that should, and what moves that should not: mouths, still backgrounds, and figures that stay themselves.

    python -m benchmarks.motion                 # 25 shots of 33 frames, of two held-out people each
    python -m benchmarks.motion --shots 4       # a look

In each shot one person talks and the other stands silent, before a camera that does not move. "Follows" is the correlation of the
talker's mouth with the loudness that it was given, "in time" the share of shots in which it is at least .6 with a lag of at most
one frame, "silent" how much the other's mouth moves as a share of the talker's (standard deviation over a shot, the median of
shots). "Still" is the change from frame to frame where nobody is drawn, in levels
of 255, beside that of the drawing; "last to first" how alike a figure's last frame is to its first (cosine of the figure's
embedding). "Drawings" is what the same measures say of the same scenes as the world draws them, and "behind the VAE" of those
as the model's VAE gives them back: the most that the experts can reach.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from assemble.sound.envelope import lag
from benchmarks.identity import cast, measure, shots
from benchmarks.vae import coded
from generation import Model, VoiceTrack
from generation.families import FAMILIES
from generation.toon.world import character, scene
from generation.toon.world.pose import sample_action
from identity import Encoders, Figure
from identity.mouths import openings

FRAMES = 33
FOLLOWS = 0.6
COLUMNS = ("follows", "in time", "silent", "still", "last to first")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion", description=__doc__)
    parser.add_argument("--shots", type=int, default=25)
    parser.add_argument("--model", default="toon")
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-identity"), help="where the people's packs are kept")
    asked = parser.parse_args()

    encoders = Encoders.load()
    people = cast.held_out(2 * asked.shots)
    packs = cast.packs(people, asked.work, encoders)
    plan = [_shot(people[2 * k : 2 * k + 2], k) for k in range(asked.shots)]
    clips = [scene.render(shot.scene, FRAMES, *FAMILIES["toon"].sizes[0]) for shot in plan]
    voices = [VoiceTrack(dict(zip(shot.names, clip.levels, strict=True))) for shot, clip in zip(plan, clips, strict=True)]
    model = Model.open(asked.model)
    made = shots.generate(model, plan, packs, frames=FRAMES, voices=voices)

    table = Table(title=f"{len(plan)} shots of {FRAMES} frames: one of two held-out people talks")
    for column in ("", *COLUMNS):
        table.add_column(column, justify="right" if column else "left")
    drawn = [clip.frames for clip in clips]
    for name, pictures in (("drawings", drawn), ("drawings behind the VAE", coded(drawn, model)), ("renders", made)):
        table.add_row(name, *_row(pictures, clips, plan, encoders))
    Console(width=110).print(table)


def _shot(pair: list[character.Character], index: int) -> shots.Shot:
    """The first of two talks, the other stands; either is on the left as often."""
    rng = np.random.default_rng([57, index])
    drawn = scene.sample_scene(rng, pair, size="medium", move="static", action="stands")
    sides = ("left", "right") if index % 2 else ("right", "left")
    parts = tuple(
        scene.Part(who, side, replace(sample_action(rng, side, action), prop="none"), speaks=action == "talks")
        for who, side, action in zip(pair, sides, ("talks", "stands"), strict=True)
    )
    return shots.Shot(replace(drawn, parts=parts), tuple(f"c{who.seed}" for who in pair), int(rng.integers(1 << 30)))


def _row(pictures: list[np.ndarray], clips: list[scene.Clip], plan: list[shots.Shot], encoders: Encoders) -> list[str]:
    told: dict[str, list[float]] = defaultdict(list)
    for frames, clip, shot in zip(pictures, clips, plan, strict=True):
        seen = [_by_part(frame, shot, encoders) for frame in frames]
        mouths = [
            openings(frames, {k: each[part].face.box for k, each in enumerate(seen) if part in each and each[part].face})
            for part in (0, 1)
        ]
        found = lag(mouths[0], clip.levels[0], shot.scene.fps)
        told["follows"].append(found.correlation)
        in_time = found.seconds is not None and abs(found.seconds) <= 1 / shot.scene.fps and found.correlation >= FOLLOWS
        told["in time"].append(in_time)
        told["silent"].append(float(np.nanstd(mouths[1]) / np.nanstd(mouths[0])))
        told["still"].append(_change(frames, clip))
        for part in (0, 1):
            ends = [each[part].embedding for each in (seen[0], seen[-1]) if part in each]
            told["last to first"].append(float(ends[0] @ ends[1]) if len(ends) == 2 else 0.0)
    return [
        f"{np.mean(told['follows']):.2f}", f"{np.mean(told['in time']):.0%}", f"{np.nanmedian(told['silent']):.2f}",
        f"{np.nanmean(told['still']):.2f}", f"{np.mean(told['last to first']):.3f}",
    ]  # fmt: skip


def _by_part(frame: np.ndarray, shot: shots.Shot, encoders: Encoders) -> dict[int, Figure]:
    """The two largest figures of a frame, by the part whose side they are on; nobody when it shows only one."""
    seen = measure.people(frame, encoders, 2)
    left = int(shot.scene.parts[1].side == "left")
    return {left: seen[0], 1 - left: seen[1]} if len(seen) == 2 else {}


def _change(frames: np.ndarray, clip: scene.Clip) -> float:
    """The mean change from frame to frame of a pixel that no figure comes near in the drawing, in levels."""
    height, width = frames.shape[1:3]
    still = np.ones((height, width), bool)
    for found in clip.drawn:
        for each in found:
            x0, y0, x1, _ = each.box
            still[max(0, int(y0 - 0.1 * height)) :, max(0, int(x0 - 0.1 * width)) : max(0, int(x1 + 0.1 * width))] = False
    if not still.any():
        return float("nan")
    return float(np.abs(np.diff(frames.astype(np.int16), axis=0))[:, still].mean())


if __name__ == "__main__":
    main()
