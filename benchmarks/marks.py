"""What the mark in the picture survives. What it costs: `marking`; how often it is seen where none is: `mistaken`.

    python -m benchmarks.marks --into /tmp/marks                        # 13 clips of 4 s at 832x480, 16 kinds of copy
    python -m benchmarks.marks --into /tmp/look --clips toon --seconds 2  # a look

"blind" is the share of clips whose id was read without help, "ledger" that found with the id among 1,000 of a ledger, "wrong"
how often another id than the one written was found. The clips are toon films, photographs panned and still (of scikit-image and
scikit-learn), flat graphics, noise, and dark and static pictures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from assemble import stitch
from assemble.conform import Conformer, planes
from assemble.marks import PictureMark, new_id
from assemble.marks.picture import BLACK, WHITE
from assemble.marks.reading import Averaged, seek
from assemble.marks.sampling import luma
from assemble.picture import Frame
from benchmarks.clips import FPS, SIZE, clips

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
                stream.options = {"crf": str(crf), "preset": "medium", **OWN.get(codec, {})}
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def psnr(frames: list[Frame], mark: PictureMark) -> float:
    """dB of the marked pictures to the plain ones, before any encoder."""
    conformed = Conformer(mark.size, "yuv420p")
    errors = []
    for frame in frames:
        plain = conformed(((frame, Fraction(1)),))
        change = planes(mark(plain))[0].astype(np.float32) - planes(plain)[0]
        errors.append(float(np.mean((change * 255 / (WHITE - BLACK)) ** 2)))
    return float(10 * np.log10(255**2 / np.mean(errors)))


def tried(clip_name: str, copies: Iterable[str], count: int, path: Path) -> None:
    """Look at each copy of a clip, with 999 ids of others in the ledger beside its own; what is seen is kept, copy by copy."""
    ident = new_id()
    known = [*(new_id() for _ in range(999)), ident]
    mark = PictureMark(ident, SIZE)
    frames = list(clips()[clip_name](count))
    row = json.loads(path.read_text()) if path.exists() else {"clip": clip_name, "psnr": psnr(frames[::8], mark), "seen": {}}
    with TemporaryDirectory() as folder:
        first = stitch([frames], Path(folder) / "film.mp4", fps=FPS, size=SIZE, mark=mark).path
        for name in (name for name in copies if name not in row["seen"]):
            change, codec, crf, fps = COPIES[name]
            source = first
            if "then" in name:
                source = written(decoded(first), Path(folder) / "once.mp4", "libx264", 23, FPS)
            copy = Path(folder) / f"copy.{'webm' if codec == 'libvpx-vp9' else 'mp4'}"
            averaged = Averaged()
            for picture in luma(written(change(decoded(source)), copy, codec, crf, fps)):
                averaged.add(picture)
            sight = seek(averaged, known)
            row["seen"][name] = sight.verdict, sight.ident in (None, ident), sight.sync, sight.score
            path.write_text(json.dumps(row))
    said = (f"{copy}: {verdict or '-'} {score:.1f}" for copy, (verdict, _, _, score) in row["seen"].items())
    print(f"{clip_name}, {row['psnr']:.1f} dB | {' | '.join(said)}", flush=True)


def table(console: Console, folder: Path, count: int) -> None:
    """The table of copies, of all that was tried so far."""
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    made = Table(title=f"clips of {count} frames, {SIZE[0]}x{SIZE[1]}; every copy is of the stitched film (CRF 17)")
    for head in ("copy", "clips", "blind", "with ledger", "wrong", "not blind, with score"):
        made.add_column(head)
    for copy in COPIES:
        found = {row["clip"]: row["seen"][copy] for row in rows if copy in row["seen"]}
        blind = [name for name, (verdict, right, _, _) in found.items() if verdict == "blind" and right]
        known = sum(bool(verdict) and right for verdict, right, _, _ in found.values())
        missed = "; ".join(f"{name} {found[name][3]:.1f}" for name in found if name not in blind)
        wrong = sum(not right for _, right, _, _ in found.values())
        if found:
            shares = f"{len(blind) / len(found):.0%}", f"{known / len(found):.0%}"
            made.add_row(copy, str(len(found)), *shares, str(wrong), missed)
    console.print(made)
    worst = min(rows, key=lambda row: row["psnr"])
    mean = np.mean([row["psnr"] for row in rows])
    console.print(f"PSNR: {worst['psnr']:.1f} dB at the least ({worst['clip']}), {mean:.1f} dB on average")


def main() -> None:
    parser = argparse.ArgumentParser(description="What the mark in the picture survives.")
    parser.add_argument("--copies", default="", metavar="TEXT", help="only copies whose name has this in it")
    parser.add_argument("--clips", default="", metavar="TEXT", help="only clips whose name has this in it")
    parser.add_argument("--into", type=Path, default=Path("marks"), metavar="DIR", help="keeps what was seen: a run goes on")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each")
    said = parser.parse_args()
    console = Console(width=130)
    count = max(8, round(said.seconds * FPS))
    said.into.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(clips()):
        if said.clips in name:
            tried(name, [copy for copy in COPIES if said.copies in copy], count, said.into / f"{number:02}.json")
    table(console, said.into, count)


if __name__ == "__main__":
    main()
