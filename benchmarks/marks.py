"""What the mark in the picture survives, what it costs, and how often something unmarked is taken for marked.

    python -m benchmarks.marks                                   # 13 clips of 4 s at 832x480, 17 kinds of copy
    python -m benchmarks.marks --clips 4 --seconds 2             # a look
    python -m benchmarks.marks --false 20000                     # unmarked clips x random keys, the full search each
    python -m benchmarks.marks --cost 48                         # marking beside assembly, at 1080 lines

"blind" is the share of clips whose id was read without help, "ledger" that found with the id among 1,000 of a ledger, "wrong"
how often another id than the one written was found. The clips are toon films, photographs panned and still (of scikit-image and
scikit-learn), flat graphics, noise, and dark and static pictures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from assemble import stitch
from assemble.marks import PictureMark, new_id
from assemble.marks.pattern import pattern
from assemble.marks.payload import decode
from assemble.marks.reading import BLIND, MATCHED, Averaged, places, seek, spectra
from assemble.marks.sampling import luma
from assemble.picture import Frame
from benchmarks.clips import FPS, SIZE, Clip, clips

Change = Callable[[Iterable[Frame]], Iterable[Frame]]


def each(change: Callable[[Frame], Frame]) -> Change:
    return lambda frames: (np.ascontiguousarray(change(frame)) for frame in frames)


def scaled(width: int, height: int) -> Change:
    return each(lambda frame: cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA))


# Of each copy: what is done to the pictures, the codec, its quality, frames a second.
Copy = tuple[Change, str, int, int]
COPIES: dict[str, Copy] = {
    "H.264 CRF 18": (each(lambda f: f), "libx264", 18, FPS),
    "H.264 CRF 23": (each(lambda f: f), "libx264", 23, FPS),
    "H.264 CRF 28": (each(lambda f: f), "libx264", 28, FPS),
    "H.264 CRF 33": (each(lambda f: f), "libx264", 33, FPS),
    "H.265 CRF 28": (each(lambda f: f), "libx265", 28, FPS),
    "VP9 CRF 33": (each(lambda f: f), "libvpx-vp9", 33, FPS),
    "half size, CRF 23": (scaled(416, 240), "libx264", 23, FPS),
    "two thirds (720p to 480p), CRF 23": (scaled(554, 320), "libx264", 23, FPS),
    "crop to 80 %, CRF 23": (each(lambda f: f[48:432, 84:748]), "libx264", 23, FPS),
    "border of 10 %, CRF 23": (
        each(lambda f: cv2.copyMakeBorder(f, 48, 48, 84, 84, cv2.BORDER_CONSTANT)), "libx264", 23, FPS),
    "brightness +6 %, CRF 23": (each(lambda f: np.clip(f + 15.0, 0, 255).astype(np.uint8)), "libx264", 23, FPS),
    "contrast +15 %, CRF 23": (each(lambda f: np.clip((f - 128.0) * 1.15 + 128, 0, 255).astype(np.uint8)), "libx264", 23, FPS),
    "mirrored, CRF 23": (each(lambda f: f[:, ::-1]), "libx264", 23, FPS),
    "24 to 30 fps, CRF 23": (lambda frames: (f for n, f in enumerate(frames) for _ in range(1 + (n % 4 > 2))), "libx264", 23, 30),
    "2 s cut out, CRF 23": (lambda frames: (f for n, f in enumerate(frames) if n >= 2 * FPS or n < 4), "libx264", 23, FPS),
    "CRF 23, then CRF 28": (each(lambda f: f), "libx264", 28, FPS),
}  # fmt: skip


OWN = {
    "libvpx-vp9": {"b:v": "0", "deadline": "realtime", "cpu-used": "5"},
    "libx265": {"x265-params": "log-level=none"},
}
"""Options of single codecs."""


def written(frames: Iterable[Frame], path: Path, codec: str, crf: int, fps: int) -> Path:
    """The frames as a file."""
    with av.open(str(path), "w") as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = container.add_stream(codec, rate=fps)
                stream.width, stream.height, stream.pix_fmt = frame.shape[1], frame.shape[0], "yuv420p"
                fast = {
                    "libvpx-vp9": {"b:v": "0", "deadline": "realtime", "cpu-used": "5"},
                    "libx265": {"x265-params": "log-level=none"},
                }
                stream.options = {"crf": str(crf), "preset": "medium", **fast.get(codec, {})}
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def robustness(console: Console, names: dict[str, Clip], copies: dict[str, Copy], count: int) -> None:
    """The table of copies."""
    ledger = [new_id() for _ in range(999)]
    hits = {name: [0, 0, 0, ""] for name in copies}
    quality = []
    with TemporaryDirectory() as folder:
        for clip_name, clip in names.items():
            ident = new_id()
            mark = PictureMark(ident, SIZE)
            frames = list(clip(count))
            marked = list(mark.frames(frames))
            error = np.mean([np.mean((a.astype(np.float32) - b) ** 2) for a, b in zip(frames, marked, strict=True)])
            quality.append((clip_name, 10 * np.log10(255**2 / error)))
            first = stitch([marked], Path(folder) / "film.mp4", fps=FPS, size=SIZE).path
            for name, (change, codec, crf, fps) in copies.items():
                source = first
                if "then" in name:
                    source = written(decoded(first), Path(folder) / "once.mp4", "libx264", 23, FPS)
                path = Path(folder) / f"copy.{'webm' if codec == 'libvpx-vp9' else 'mp4'}"
                averaged = Averaged()
                for picture in luma(written(change(decoded(source)), path, codec, crf, fps)):
                    averaged.add(picture)
                sight = seek(averaged, [*ledger, ident])
                hits[name][0] += sight.ident == ident and sight.verdict == "blind"
                hits[name][1] += sight.ident == ident
                hits[name][2] += sight.ident not in (None, ident)
                if sight.ident != ident:
                    hits[name][3] += f"{clip_name} "
            print(clip_name, f"{quality[-1][1]:.1f} dB", {name: row[:2] for name, row in hits.items()}, flush=True)
    table = Table(
        title=f"{len(names)} clips of {count} frames, {SIZE[0]}x{SIZE[1]}; every copy is of the stitched film (CRF 17)"
    )
    for head in ("copy", "blind", "with ledger", "wrong", "not found"):
        table.add_column(head)
    for name, (blind_hits, known_hits, wrong, missed) in hits.items():
        table.add_row(name, f"{blind_hits / len(names):.0%}", f"{known_hits / len(names):.0%}", str(wrong), str(missed))
    console.print(table)
    worst = min(quality, key=lambda row: row[1])
    console.print(
        f"PSNR: {worst[1]:.1f} dB at the least ({worst[0]}), {np.mean([row[1] for row in quality]):.1f} dB on average"
    )


def false_positives(console: Console, names: dict[str, Clip], trials: int, count: int, known: int) -> None:
    """Unmarked clips x random keys, the full search each, and a ledger of random ids."""
    per = -(-trials // len(names))
    ids = [new_id() for _ in range(known)]
    syncs, blinds, matches, wrong, done = [], [], [], 0, 0
    from assemble.marks.payload import codeword

    words = np.array([codeword(ident) for ident in ids], np.float64)
    began = time.perf_counter()
    for name, clip in names.items():
        averaged = Averaged()
        for frame in clip(count):
            averaged.add(frame)
        assert averaged.sum is not None
        planes = spectra(averaged.sum)
        for number in range(min(per, trials - done)):
            made = pattern(f"{name}/{number}")
            found = places(planes, made)
            softs = [made.read(place.tile)[0] for place in found]
            reads = [read[1] for soft in softs if (read := decode(soft))]
            fits = [float((words @ soft).max() / np.linalg.norm(soft)) for soft in softs]
            syncs.append(found[0].sync)
            blinds.append(max(reads, default=0.0))
            matches.append(max(fits))
            wrong += blinds[-1] >= BLIND or matches[-1] >= MATCHED
            done += 1
    table = Table(
        title=f"{done} searches of unmarked clips ({time.perf_counter() - began:.0f} s), a ledger of {known} ids"
    )
    for head in ("score", "threshold", "median", "99 %", "greatest"):
        table.add_column(head)
    for name, threshold, values in (("sync", "-", syncs), ("blind", BLIND, blinds), ("ledger", MATCHED, matches)):
        table.add_row(
            name,
            str(threshold),
            *(f"{value:.2f}" for value in (np.median(values), np.quantile(values, 0.99), max(values))),
        )
    console.print(table)
    console.print(
        f"taken for marked: {wrong} of {done}; below {3 / done:.1e} with 95 % confidence if that is 0 (rule of three)"
    )
    for name, threshold, values in (("blind", BLIND, blinds), ("ledger", MATCHED, matches)):
        console.print(f"{name}: {tail(np.array(values), threshold)}")


def tail(values: np.ndarray, threshold: float) -> str:
    """The rate beyond the threshold by an exponential tail over the upper 2 % (mean excess), as far as one may draw it out."""
    start = np.quantile(values, 0.98)
    excess = values[values > start] - start
    if len(excess) < 5:
        return "too few searches to draw the tail out"
    rate = 0.02 * np.exp(-(threshold - start) / excess.mean())
    return f"about {rate:.1e} a search beyond {threshold} (exponential tail from {start:.2f}, mean excess {excess.mean():.2f})"


def cost(console: Console, count: int) -> None:
    """CPU seconds of assembly at 1080 lines, without marks and with."""
    size = 1920, 1080
    frames = [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in clips()["temple, panned"](count)]
    mark = PictureMark(new_id(), size)
    mark.frame(frames[0])
    spent = {}
    with TemporaryDirectory() as folder:
        for name, clip in (("plain", lambda: iter(frames)), ("marked", lambda: mark.frames(frames))) * 2:
            began = time.process_time()
            stitch([clip()], Path(folder) / "film.mp4", fps=FPS, size=size)
            spent[name] = min(spent.get(name, 1e9), time.process_time() - began)
    began = time.process_time()
    for frame in frames:
        mark.frame(frame)
    alone = time.process_time() - began
    console.print(
        f"{count} frames at 1920x1080: {spent['plain']:.2f} s of CPU to assemble, {spent['marked']:.2f} s with the mark; the "
        f"mark alone {alone:.2f} s, {alone / spent['plain']:.1%} ({alone / count * 1e3:.1f} ms a frame)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the mark in the picture survives, costs, and mistakes.")
    parser.add_argument("--copies", default="", metavar="TEXT", help="only copies whose name has this in it")
    parser.add_argument("--clips", type=int, default=99, help="so many of the clips")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each")
    parser.add_argument(
        "--false", type=int, metavar="N", help="instead: N searches of unmarked clips, each with a random key"
    )
    parser.add_argument("--known", type=int, default=1000, help="ids in the ledger of --false")
    parser.add_argument("--cost", type=int, metavar="N", help="instead: what marking N frames at 1080 lines costs")
    said = parser.parse_args()
    console = Console(width=130)
    names = dict(list(clips().items())[: said.clips])
    count = max(8, round(said.seconds * FPS))
    if said.false:
        false_positives(console, names, said.false, min(count, 24), said.known)
    elif said.cost:
        cost(console, said.cost)
    else:
        robustness(console, names, {name: copy for name, copy in COPIES.items() if said.copies in name}, count)


if __name__ == "__main__":
    main()
