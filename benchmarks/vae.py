"""What the embedded model's VAE gives back of drawings of held-out people, and a sheet to look at.

    python -m benchmarks.vae                    # 60 clips of 33 frames
    python -m benchmarks.vae --clips 8          # a look

PSNR in dB, of each clip and then their mean, by what the camera does: of the first frame, which is coded as a lone picture, of
the others, and of the faces in them all. The sheet has clips' middle frames, what came back of each below it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.identity import cast
from benchmarks.identity.__main__ import sheet
from generation import Model
from generation.families import FAMILIES
from generation.toon.crops import to_signed
from generation.toon.world import character, scene

FRAMES = 33
COLUMNS = ("clips", "first frame", "other frames", "faces", "worst clip")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vae", description=__doc__)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--model", default="toon")
    parser.add_argument("--sheet", type=Path, default=Path("out/benchmark-vae/sheet.png"))
    asked = parser.parse_args()

    people = cast.held_out(2 * asked.clips)
    scenes = [_scene(people, index) for index in range(asked.clips)]
    clips = [scene.render(each, FRAMES, *FAMILIES["toon"].sizes[0]) for each in scenes]
    back = coded([clip.frames for clip in clips], Model.open(asked.model))

    told: dict[str, list[list[float]]] = defaultdict(list)
    for each, clip, frames in zip(scenes, clips, back, strict=True):
        row = _row(clip, frames)
        told[each.move].append(row)
        told["all"].append(row)
    table = Table(title=f"{len(clips)} clips of {FRAMES} frames of held-out people, behind the VAE: PSNR in dB")
    for column in ("camera", *COLUMNS):
        table.add_column(column, justify="left" if column == "camera" else "right")
    for move in (*sorted(set(told) - {"all"}), "all"):
        rows = np.array(told[move])
        table.add_row(move, str(len(rows)), *(f"{value:.1f}" for value in np.nanmean(rows, 0)), f"{rows[:, 1].min():.1f}")
    Console(width=110).print(table)
    asked.sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet(asked.sheet, [clip.frames for clip in clips], back)
    print(f"a sheet of drawings, each above what came back of it: {asked.sheet}")


@torch.inference_mode()
def coded(clips: list[np.ndarray], model: Model) -> list[np.ndarray]:
    """Clips (T, H, W, 3) uint8 into latents and back."""
    vae = model.network("vae", torch.float32)
    out = []
    for frames in clips:
        back = vae.decode(vae.encode(to_signed(frames[None])).latent_dist.mode()).sample[0].permute(1, 2, 3, 0)
        out.append(((back.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy())
    return out


def _scene(people: list[character.Character], index: int) -> scene.Scene:
    """One or two people in turn, in any place and light, doing anything before any camera."""
    return scene.sample_scene(np.random.default_rng([58, index]), people[2 * index : 2 * index + 1 + index % 2])


def _row(clip: scene.Clip, back: np.ndarray) -> list[float]:
    error = (clip.frames.astype(np.float32) - back).astype(np.float64) ** 2
    faces = [_within(error[k], each.face) for k, drawn in enumerate(clip.drawn) for each in drawn]
    return [_decibels(error[0]), _decibels(error[1:]), _decibels(np.concatenate(faces))]


def _within(error: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    """The errors (N,) inside a box, as far as it is in the frame."""
    x0, y0, x1, y1 = (max(0, round(v)) for v in box)
    return error[y0:y1, x0:x1].ravel()


def _decibels(error: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / error.mean())) if error.size else float("nan")


if __name__ == "__main__":
    main()
