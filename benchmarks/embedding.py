"""How fast figures are found and embedded, and in how much memory.

    python -m benchmarks.embedding [--encoders DIR] [--frames 48] [--rounds 3] [--short 30] [--long 600]

Speed: frames a second of `Encoders.observe_many` against the plain loop that the libraries' own examples show: insightface's
FaceAnalysis as it prepares itself, with all its modules, one frame at a time; a figure detector and a body model, where the set
has them, one figure at a time; open_clip one picture at a time. Both see the same decoded frames, in turns, in one process.

Memory: the most that a process held which loaded the encoders and looked at one frame, and at `--short` and `--long` seconds of
video, decoded as it goes. Each is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from generation.toon.world import character, scene
from identity.boxes import figure_around
from identity.encoders import Encoders, figure_crop
from identity.encoderset import EncoderSet, open_set

FPS = 24
CLIP = 10
"""Seconds of the drawn video; a longer one is the same again and again."""


def draw_video(path: Path, width: int, height: int) -> None:
    """Shots of one to three held-out toon characters, a second each."""
    people = character.seeds(6, hold_out=True, start=700_000)
    rng = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = width, height, "yuv420p", Fraction(1, FPS)
        for shot in range(CLIP):
            who = [character.sample(people[(shot + k) % len(people)]) for k in range(1 + shot % 3)]
            for drawn in scene.render(scene.sample_scene(rng, who), FPS, 320, 192).frames:
                frame = av.VideoFrame.from_ndarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_CUBIC))
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decoded(path: Path, count: int) -> Iterator[np.ndarray]:
    """The first `count` frames of a video that begins anew when it is over."""
    left = count
    while left:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
                left -= 1
                if not left:
                    return


def plain_loop(source: EncoderSet) -> Callable[[list[np.ndarray]], int]:
    """The loop that is to be beaten; gives the number of figures it embedded."""
    import open_clip
    import torch
    from insightface.app import FaceAnalysis
    from insightface.model_zoo.person_detection import PersonDetection
    from insightface.model_zoo.person_reid import PersonReID
    from PIL import Image

    providers = ["CPUExecutionProvider"]
    app = FaceAnalysis(name=str(source.folder), providers=providers)
    app.prepare(ctx_id=-1)
    persons = bodies = None
    if source.sees_figures:
        people, reid = (
            {**source.tasks[task], "path": str(source.files[task]), "sha256": source.hashes[task]}
            for task in ("person_detection", "person_reid")
        )
        persons, bodies = PersonDetection(people, providers), PersonReID(reid, providers)
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{source.figure}", require_pretrained=True)
    model.eval()

    def run(frames: list[np.ndarray]) -> int:
        count = 0
        for frame in frames:
            bgr = np.ascontiguousarray(frame[..., ::-1])
            faces = app.get(bgr)
            if persons is None:
                boxes = np.array([figure_around(face.bbox, frame.shape[:2]) for face in faces]).reshape(-1, 4)
            else:
                boxes = persons.detect(bgr)[:, :4]
            for box in boxes:
                crop = figure_crop(frame, box)
                with torch.inference_mode():
                    model.encode_image(prepare(Image.fromarray(crop))[None])
                if bodies is not None:
                    bodies.embed(np.ascontiguousarray(crop[..., ::-1]))
                count += 1
        return count

    return run


def measure_speed(folder: Path | None, video: Path, frames: int, rounds: int) -> None:
    warnings.simplefilter("ignore", FutureWarning)  # insightface's, at every face
    source = open_set(folder)
    encoders, plain = Encoders(source, None), plain_loop(source)
    taken = list(decoded(video, FPS * CLIP))[:: max(1, FPS * CLIP // frames)][:frames]
    sides: dict[str, Callable[[], int]] = {
        "plain": lambda: plain(taken),
        "ours": lambda: sum(len(figures) for figures in encoders.observe_many(taken)),
    }
    figures = {name: run() for name, run in sides.items()}  # once to warm up
    rates: dict[str, list[float]] = {name: [] for name in sides}
    work = dict.fromkeys(sides, 0.0)
    for _ in range(rounds):
        for name, run in sides.items():
            start, used = time.perf_counter(), time.process_time()
            run()
            rates[name].append(len(taken) / (time.perf_counter() - start))
            work[name] += 1000 * (time.process_time() - used) / len(taken) / rounds
    ratio = [b / a for a, b in zip(rates["plain"], rates["ours"], strict=True)]
    for name in sides:
        seen = f"{figures[name]} figures in {len(taken)} frames"
        print(
            f"{name:6s} {np.median(rates[name]):7.2f} frames a second, {work[name]:6.0f} ms of processor a frame, {seen}"
        )
    print(f"ratio  {np.median(ratio):7.2f} (of each round: {', '.join(f'{each:.2f}' for each in ratio)}); the bar is 3")


def measure_memory(folder: Path | None, video: Path, short: int, long: int) -> None:
    peaks = {}
    for name, frames in (
        ("encoders, one frame", 1),
        (f"{short} s of video", short * FPS),
        (f"{long} s of video", long * FPS),
    ):
        command = [sys.executable, "-m", "benchmarks.embedding", "--watch", str(frames), "--video", str(video)]
        command += ["--encoders", str(folder)] if folder else []
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
        peaks[name] = told["peak"]
        share = told["peak"] / next(iter(peaks.values()))
        rate = f", {told['frames'] / told['seconds']:6.1f} frames a second with decoding" if frames > 1 else ""
        print(f"{name:20s} {told['peak']:7.0f} MB at most, {share:.3f} of the encoders' own{rate}")
    one, _, last = peaks.values()
    print(f"the bar is 1.2: {'kept' if last <= 1.2 * one else 'broken'}")


def watch(folder: Path | None, video: Path, count: int) -> None:
    """Look at frames as they are decoded, and tell the most memory that this took."""
    encoders = Encoders(open_set(folder), None)
    start = time.perf_counter()
    frames = sum(1 for _ in encoders.observe_many(decoded(video, count)))
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - start, "peak": peak()}))


def peak() -> float:
    """The most memory that this process has held, in MB. Of getrusage a child would inherit its parent's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedding", description=__doc__)
    parser.add_argument("--encoders", type=Path, help="an encoder set's folder (the shipped one by default)")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=48, help="frames of the speed test")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", type=int, default=30, help="seconds of the shorter video")
    parser.add_argument("--long", type=int, default=600, help="seconds of the longer one; 0 leaves memory out")
    parser.add_argument("--watch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--video", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.watch:
        watch(asked.encoders, asked.video, asked.watch)
        return
    width, height = (int(side) for side in asked.size.split("x"))
    with tempfile.TemporaryDirectory() as work:
        video = Path(work) / "toon.mp4"
        draw_video(video, width, height)
        print(f"{width}x{height}, encoder set {open_set(asked.encoders).name}")
        measure_speed(asked.encoders, video, asked.frames, asked.rounds)
        if asked.long:
            measure_memory(asked.encoders, video, asked.short, asked.long)


if __name__ == "__main__":
    main()
