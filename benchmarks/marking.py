"""What the marks of a film cost: beside the whole of its assembly, and beside stitching alone.

    python -m benchmarks.marking                # films of 15 s at 1080p24 from 832x480 clips; about 20 minutes
    python -m benchmarks.marking --seconds 3    # a look

Assembly is `storyboard assemble` as a user runs it, with checks, grade, sound and report, with all marks and with `--no-marks`.
Both take turns, each time from nothing, and the best of each counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
from rich.console import Console
from rich.table import Table

from assemble import stitch
from assemble.marks import PictureMark, new_id
from benchmarks.clips import FPS, clips
from benchmarks.marks import written

SIZE = (1920, 1080)
KINDS = ("toon, wide", "coffee, panned", "graphics")
SHOTS = 3
REFERENCES = Path(__file__).parents[1] / "examples" / "lighthouse" / "refs"
SCRIPT = """---
title: Marks
size: 832x480
characters:
  mia: {{refs: {references}/mia}}
  tom: {{refs: {references}/tom}}
---

# EXT. BEACH - MORNING
"""
SHOT = """
## Shot: medium, static, {seconds:g}s
@mia waves. @tom points at the sea.
@mia: "There is someone on the rocks!"
"""

Spent = tuple[float, float, int]
"""Seconds of processor, seconds of wall, bytes of the film."""


def best(rounds: int, made: Callable[[bool], Spent]) -> tuple[Spent, Spent]:
    """The least of each that a film took without and with marks, by turns."""
    found: dict[bool, list[Spent]] = {False: [], True: []}
    for _ in range(rounds):
        for marked, spent in found.items():
            spent.append(made(marked))
    plain, with_marks = ((min(s[0] for s in each), min(s[1] for s in each), each[0][2]) for each in found.values())
    return plain, with_marks


def assembled(board: Path, folder: Path, marked: bool) -> Spent:
    """What `storyboard assemble` takes for the clips of a folder."""
    with TemporaryDirectory() as made:
        film = Path(made) / "film.mp4"
        command = [sys.executable, "-m", "storyboard", "assemble", str(board), "--clips", str(folder), "-o", str(film)]
        command += ["--delivery", "1080p24", *(() if marked else ("--no-marks",))]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 3):  # 3: a finding, as that nobody is seen in a photograph of coffee
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        return usage.ru_utime + usage.ru_stime, time.perf_counter() - started, film.stat().st_size


def stitched(name: str, count: int, marked: bool) -> Spent:
    """What stitching alone takes for frames that are there already, in their size."""
    frames = [cv2.resize(frame, SIZE, interpolation=cv2.INTER_CUBIC) for frame in clips()[name](count)]
    with TemporaryDirectory() as made:
        cpu, wall = time.process_time(), time.perf_counter()
        mark = PictureMark(new_id(), SIZE) if marked else None
        film = stitch([frames], Path(made) / "film.mp4", fps=FPS, size=SIZE, mark=mark)
        return time.process_time() - cpu, time.perf_counter() - wall, film.path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description="What the marks of a film cost.")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each film")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is made")
    parser.add_argument("--kinds", default="", metavar="TEXT", help="only clips whose name has this in it")
    said = parser.parse_args()
    each = round(said.seconds * FPS / SHOTS)
    table = Table(title=f"{SHOTS} shots, {each * SHOTS} frames at {SIZE[0]}x{SIZE[1]}; the best of {said.rounds}")
    for head in ("clips", "of", "CPU s", "with marks", "more", "wall s", "with marks", "more", "file"):
        table.add_column(head, justify="left" if head in ("clips", "of") else "right")

    def row(name: str, of: str, costs: tuple[Spent, Spent]) -> None:
        plain, marked = costs
        pairs = zip(plain[:2], marked[:2], strict=True)
        said = [text for p, m in pairs for text in (f"{p:.1f}", f"{m:.1f}", f"{m / p - 1:+.0%}")]
        table.add_row(name, of, *said, f"x{marked[2] / plain[2]:.2f}")
        print(name, of, *said, flush=True, file=sys.stderr)

    with TemporaryDirectory() as work:
        script, board = Path(work) / "script.md", Path(work) / "board.json"
        shots = SHOT.format(seconds=each / FPS) * SHOTS
        script.write_text(SCRIPT.format(references=REFERENCES) + shots)
        subprocess.run([sys.executable, "-m", "storyboard", "plan", str(script), "-o", str(board)], check=True)  # noqa: S603
        for name in (kind for kind in KINDS if said.kinds in kind):
            folder = Path(work) / name.replace(", ", "-")
            folder.mkdir()
            frames = clips()[name](each * SHOTS)
            for number in range(SHOTS):
                written((next(frames) for _ in range(each)), folder / f"shot{number + 1:02}.mp4", "libx264", 12, FPS)
            assembled(board, folder, marked=False)  # the first one makes the packs, which later ones find
            row(name, "assemble", best(said.rounds, lambda marked, folder=folder: assembled(board, folder, marked)))  # type: ignore[misc]
            some = min(each, 2 * FPS)
            row(name, "stitching", best(said.rounds, lambda marked, name=name, some=some: stitched(name, some, marked)))  # type: ignore[misc]
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
