"""How fast a film is stitched, and how much memory it takes: beside FFmpeg alone, and beside moviepy.

    python -m benchmarks.assembly                        # 10 minutes of 1080p24 from 832x480 clips, as the bar says
    python -m benchmarks.assembly --seconds 20 --short 5 # a look
    python -m benchmarks.assembly --preset ultrafast     # less of the encoder, which all of them share

All work on the same clips in one run and encode with the same x264, quality and preset. Two that are compared take turns of a
few seconds, so that whatever else the machine does slows both. moviepy comes with the `benchmark` extra.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assemble import probe

SIZE = (1920, 1080)
DISSOLVE = 0.5  # seconds between two clips
TURN = 5.0  # seconds that one of two films runs while the other waits


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


def measured(commands: dict[str, tuple[list[str], Path]]) -> dict[str, Cost]:
    """Run commands that each make a film, by name, in turns; the seconds of each are those in which it ran."""
    running = {
        title: subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        for title, (command, _) in commands.items()
    }
    for process in running.values():
        os.killpg(process.pid, signal.SIGSTOP)
    wall = dict.fromkeys(running, 0.0)
    costs: dict[str, Cost] = {}
    try:
        while running:
            for title, process in list(running.items()):
                os.killpg(process.pid, signal.SIGCONT)
                usage, seconds = _turn(process)
                wall[title] += seconds
                if usage:
                    del running[title]
                    found = probe(commands[title][1])
                    frames = round((found.seconds or 0) * found.fps)
                    costs[title] = Cost(wall[title], usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, frames)
                    print(f"{title}: {wall[title]:.1f} s", file=sys.stderr, flush=True)
    finally:
        for process in running.values():
            os.killpg(process.pid, signal.SIGKILL)
    return {title: costs[title] for title in commands}


def _turn(process: subprocess.Popen[bytes]) -> tuple[resource.struct_rusage | None, float]:
    """Let a process and its children run for a turn, then stop them. What it has used, if it came to its end; and the seconds."""
    started = time.perf_counter()
    while (seconds := time.perf_counter() - started) < TURN:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{process.args!r} failed")
            return usage, seconds
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGSTOP)
    return None, seconds


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

        film, other = folder / "film.mp4", folder / "other.mp4"
        long = row(said.seconds)
        costs = measured({f"ours, {said.short:g} s": (ours(row(said.short), 0, said.preset, film), film)})
        costs |= measured(
            {
                f"ours, {said.seconds:g} s": (ours(long, 0, said.preset, film), film),
                f"FFmpeg alone, {said.seconds:g} s": (alone(long, said.preset, other, ffmpeg), other),
            }
        )
        if said.against_moviepy:
            some = row(said.against_moviepy)
            plain = json.dumps([list(map(str, some)), DISSOLVE, said.preset, str(other)])
            theirs = [sys.executable, "-m", "benchmarks.assembly", "--moviepy", plain]
            costs |= measured(
                {
                    f"ours, dissolves, {said.against_moviepy:g} s": (ours(some, DISSOLVE, said.preset, film), film),
                    f"moviepy, dissolves, {said.against_moviepy:g} s": (theirs, other),
                }
            )
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
