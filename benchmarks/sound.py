"""Does a film's sound keep its promises? Random films, measured on the file with FFmpeg's own meter.

    python -m benchmarks.sound --films 12

Each film has shots of random places, lines by random voices at random moments, at one of three frame rates; it is brought to
every target and put under a picture. A second table: drawn people who talk, and how well their mouths are read.
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from assemble import add_sound, stitch
from assemble.sound.ambience import tone
from assemble.sound.envelope import lag
from assemble.sound.loudness import TARGETS, amplified, measure
from assemble.sound.master import mastered
from assemble.sound.mix import Bed, Spoken, Stems, mixed, samples_of
from assemble.sound.voices import cast, speak
from assemble.sound.waves import read_sound

PLACES = (("hall", True), ("beach", False), ("forest", False), ("street", False), ("field", False))
TEXTS = (
    "There is someone on the rocks!", "Run!", "I have been waiting here for hours, and nobody came.", "Who lit the lamp?",
    "We should go home before it gets dark.", "No.", "Look out, the wave is coming right at us.",
)  # fmt: skip
LOOKS = {"mia": "a girl", "tom": "an old man with a beard", "ann": "a woman"}
RATES = (Fraction(12), Fraction(24000, 1001), Fraction(25))


def film(rng: np.random.Generator) -> tuple[Stems, int, Fraction]:
    """The stems of a random film, its frames and its rate."""
    fps = RATES[rng.integers(len(RATES))]
    cuts = np.cumsum([0, *rng.uniform(1, 3, rng.integers(2, 5))])
    frames = round(cuts[-1] * fps)
    seconds = float(frames / fps)
    voices = list(cast(LOOKS, {}).values())
    beds, lines, at = [], [], float(rng.uniform(0, 1.5))
    for start, end in pairwise(cuts):
        beds.append(
            Bed(start, end, tone(*PLACES[rng.integers(len(PLACES))], bool(rng.random() < 0.5), samples_of(seconds + 1)))
        )
    while at < seconds - 0.5:
        sound = speak(TEXTS[rng.integers(len(TEXTS))], voices[rng.integers(3)])
        lines.append(Spoken(at, amplified(sound, rng.uniform(-20, 0)), rng.uniform(-1, 1)))
        at = lines[-1].end + float(rng.uniform(0.2, 2.5))
    return mixed(lines, beds, seconds), frames, fps


def films(count: int, seed: int) -> Table:
    """Every target over `count` random films."""
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in TARGETS}
    with tempfile.TemporaryDirectory() as folder:
        picture, path = Path(folder) / "picture.mp4", Path(folder) / "film.mp4"
        for number in range(count):
            stems, frames, fps = film(np.random.default_rng([seed, number]))
            stitch([[np.full((48, 64, 3), k % 200, np.uint8) for k in range(frames)]], picture, fps=fps, size=(64, 48))
            for name, goal in TARGETS.items():
                made = mastered(stems, goal)
                add_sound(picture, made.mix, path)
                heard = measure(read_sound(path))
                counted = measure(made.dialogue).integrated if goal.dialogue else heard.integrated
                with av.open(str(path)) as file:
                    ends = [
                        stream.duration * stream.time_base for stream in (file.streams.video[0], file.streams.audio[0])
                    ]
                off = abs((counted or -99.0) - goal.lufs)
                rows[name].append((off, (heard.peak or -99.0) - goal.peak, float(abs(ends[0] - ends[1]) * fps)))
    table = Table(title=f"{count} films, worst of each")
    for head in ("target", "LUFS", "off by, LU (bar 0.3)", "peak over limit, dB (bar 0)", "ends apart, frames (bar 1)"):
        table.add_column(head, justify="right")
    for name, found in rows.items():
        worst = np.max(found, axis=0)
        table.add_row(name, f"{TARGETS[name].lufs:g}", f"{worst[0]:.3f}", f"{worst[1]:+.2f}", f"{worst[2]:.3f}")
    return table


def mouths(count: int) -> Table:
    """Mouths of drawn people, whose opening is known."""
    from generation.toon.world.character import sample
    from generation.toon.world.scene import render, sample_scene
    from identity.mouths import openings

    table = Table(title=f"{count} drawn people who talk, 25 frames at 12 a second")
    for head in ("size", "mean correlation", "clear", "median |lag|, s", "worst |lag|, s"):
        table.add_column(head, justify="right")
    for size in ("medium", "close-up"):
        found = []
        for seed in range(count):
            scene = sample_scene(np.random.default_rng(seed), [sample(seed)], size=size, action="talks", move="static")
            clip = render(scene, 25, 192, 112)
            boxes = {index: tuple(drawn[0].face) for index, drawn in enumerate(clip.drawn)}
            found.append(lag(openings(clip.frames, boxes), clip.levels[0], 12))
        lags = [abs(each.seconds) for each in found if each.seconds is not None]
        mean = np.mean([each.correlation for each in found])
        table.add_row(size, f"{mean:.2f}", f"{len(lags)} of {count}", f"{np.median(lags):.3f}", f"{max(lags):.3f}")
    return table


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    Console().print(films(options.films, options.seed), mouths(options.people))


if __name__ == "__main__":
    main()
