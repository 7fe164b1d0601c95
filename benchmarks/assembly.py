"""How fast a film is stitched, and how much memory it takes: beside FFmpeg alone, and beside moviepy.

    python -m benchmarks.assembly                        # 10 minutes of 1080p24 from 832x480 clips, as the bar says
    python -m benchmarks.assembly --seconds 20 --short 5 # a look
    python -m benchmarks.assembly --preset ultrafast     # less of the encoder, which all of them share

All work on the same clips in one run and encode with the same x264, quality and preset. Seconds are of the wall and of the
processor: the latter hardly depends on what else the machine does. moviepy comes with the `benchmark` extra.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIZE = (1920, 1080)
DISSOLVE = 0.5  # seconds between two clips


@dataclass(frozen=True)
class Cost:
    """What a film cost: seconds of wall and processor, peak memory in MB, frames that came out."""

    wall: float
    processor: float
    memory: float
    frames: int


def clips(folder: Path, ffmpeg: str, seconds: float) -> list[Path]:
    """Clips to stitch, so many seconds long: 832x480 at 24 frames a second, moving, a little noisy as generated pictures are."""
    found = []
    for number, source in enumerate(("testsrc2", "mandelbrot", "rgbtestsrc")):
        path = folder / f"clip{number}.mp4"
        noise = f"noise=alls=6:allf=t:all_seed={number},gblur=sigma=0.8,format=yuv420p,setparams=colorspace=bt709"
        command = [
            ffmpeg,
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            f"{source}=size=832x480:rate=24",
            "-t",
            str(seconds),
            "-vf",
            noise,
        ]
        command += ["-c:v", "libx264", "-crf", "12", "-preset", "veryfast", str(path)]
        subprocess.run(command, check=True)  # noqa: S603
        found.append(path)
    return found


def measured(command: list[str], out: Path) -> Cost:
    """Run a command that makes a film, and look at what it took."""
    before, started = os.times(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall, after = time.perf_counter() - started, os.times()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    from assemble import probe

    found = probe(out)
    return Cost(wall, spent, usage.ru_maxrss / 1024, round((found.seconds or 0) * found.fps))


def ours(paths: list[Path], dissolve: float, preset: str, out: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "benchmarks.assembly",
        "--child",
        json.dumps([list(map(str, paths)), dissolve, preset, str(out)]),
    ]


def alone(paths: list[Path], preset: str, out: Path, ffmpeg: str) -> list[str]:
    """FFmpeg that decodes, scales as we do and encodes, and joins nothing."""
    text = out.with_suffix(".txt")
    text.write_text("".join(f"file '{path}'\n" for path in paths))
    width, height = SIZE
    scale = f"scale={width}:1108:flags=lanczos+accurate_rnd+full_chroma_inp+full_chroma_int,crop={width}:{height}"
    encode = ["-c:v", "libx264", "-preset", preset, "-crf", "17", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    return [ffmpeg, "-y", "-v", "error", "-f", "concat", "-safe", "0", "-i", str(text), "-vf", scale, *encode, str(out)]


def child(said: str) -> None:
    """The work of one process of ours: stitch the clips."""
    from dataclasses import replace

    from assemble import Clip, Delivery, Join, delivery, stitch

    paths, dissolve, preset, out = json.loads(said)
    known = delivery.CODECS["h264"]
    delivery.CODECS["h264"] = replace(known, options=known.options | {"preset": preset})
    joins = [Join(dissolve=dissolve) for _ in paths]
    stitch([Clip(Path(path)) for path in paths], out, fps=24, size=SIZE, joins=joins, delivery=Delivery())


def moviepy(said: str) -> None:
    """The same film as moviepy makes it: clips resized, faded in over each other and composed."""
    from moviepy import VideoFileClip, concatenate_videoclips, vfx

    paths, dissolve, preset, out = json.loads(said)
    width, height = SIZE
    found = []
    for index, path in enumerate(paths):
        clip = VideoFileClip(path, audio=False).resized(width=width).cropped(y1=14, height=height)
        found.append(clip.with_effects([vfx.CrossFadeIn(dissolve)]) if index else clip)
    film = concatenate_videoclips(found, method="compose", padding=-dissolve)
    film.write_videofile(
        out, fps=24, codec="libx264", preset=preset, audio=False, ffmpeg_params=["-crf", "17"], logger=None
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=600, help="length of the film")
    parser.add_argument("--short", type=float, default=10, help="length of the short one that memory is compared with")
    parser.add_argument(
        "--against-moviepy", type=float, default=20, help="length of the film with dissolves; 0 leaves it out"
    )
    parser.add_argument("--shot", type=float, default=5, help="length of a clip")
    parser.add_argument("--preset", default="medium", help="of x264")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--moviepy", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.child or said.moviepy:
        (child if said.child else moviepy)(said.child or said.moviepy)
        return
    import imageio_ffmpeg

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = clips(folder, ffmpeg, said.shot)

        def row(seconds: float) -> list[Path]:
            return [sources[k % len(sources)] for k in range(max(2, round(seconds / said.shot)))]

        out = folder / "film.mp4"
        runs: dict[str, Callable[[], list[str]]] = {
            f"ours, {said.short:g} s": lambda: ours(row(said.short), 0, said.preset, out),
            f"ours, {said.seconds:g} s": lambda: ours(row(said.seconds), 0, said.preset, out),
            f"FFmpeg alone, {said.seconds:g} s": lambda: alone(row(said.seconds), said.preset, out, ffmpeg),
        }
        if said.against_moviepy:
            some = row(said.against_moviepy)
            runs[f"ours, dissolves, {said.against_moviepy:g} s"] = lambda: ours(some, DISSOLVE, said.preset, out)
            plain = json.dumps([list(map(str, some)), DISSOLVE, said.preset, str(out)])
            runs[f"moviepy, dissolves, {said.against_moviepy:g} s"] = lambda: [
                sys.executable, "-m", "benchmarks.assembly", "--moviepy", plain,
            ]  # fmt: skip
        costs = {}
        for title, command in runs.items():
            costs[title] = measured(command(), out)
            print(f"{title}: {costs[title].wall:.1f} s", file=sys.stderr, flush=True)
    show(list(costs.items()), said.preset)


def show(costs: list[tuple[str, Cost]], preset: str) -> None:
    table = Table(title=f"Stitching 832x480 clips to 1080p24, x264 {preset}")
    for head in ("film", "frames", "wall s", "processor s", "peak MB"):
        table.add_column(head, justify="left" if head == "film" else "right")
    for title, cost in costs:
        table.add_row(title, str(cost.frames), f"{cost.wall:.1f}", f"{cost.processor:.1f}", f"{cost.memory:.0f}")
    bars = Table(title="Bars")
    for head in ("", "measured", "bar"):
        bars.add_column(head)
    (_, short), (_, long), (_, alone_), *rest = costs
    bars.add_row("memory, long to short", f"{long.memory / short.memory:.2f}", "at most 1.2")
    bars.add_row("wall, ours to FFmpeg alone", f"{long.wall / alone_.wall:.2f}", "at most 1.3")
    bars.add_row("processor, ours to FFmpeg alone", f"{long.processor / alone_.processor:.2f}", "")
    if rest:
        (_, mine), (_, theirs) = rest
        bars.add_row("speed, ours to moviepy (wall)", f"{theirs.wall / mine.wall:.2f}", "at least 1.5")
        bars.add_row("speed, ours to moviepy (processor)", f"{theirs.processor / mine.processor:.2f}", "")
    console = Console()
    console.print(table)
    console.print(bars)


if __name__ == "__main__":
    main()
