"""How often something without a mark is taken for marked.

    python -m benchmarks.mistaken --searches 20000 --into /tmp/mistaken         # pictures
    python -m benchmarks.mistaken --sound --searches 20000 --into /tmp/mistaken # sound

Each search is one unmarked clip with another random key: the whole search over scales, shifts and both ways round, a blind
reading of every place that it offers, and a ledger of 1,000 random ids. Half of the clips are pictures as they are, half were
through H.264 at CRF 28, whose blocks lie as the chips of a mark do. What was found is kept line by line, so a run that was
stopped goes on; `--part 1/2` and `--part 2/2` share the work.

The table sets what was measured beside what the thresholds are derived from: readings that point anywhere, all ways alike.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import betaincinv

from assemble.marks.pattern import pattern
from assemble.marks.payload import BITS, codeword, decode, new_id, threshold
from assemble.marks.reading import BLIND, PLACES, Averaged, places, spectra
from assemble.marks.sampling import luma
from assemble.marks.sound import BEST, folded, heard
from benchmarks.clips import FPS, clips
from benchmarks.marks import written
from benchmarks.sound import film

KNOWN, FRAMES = 1000, 24
FILMS = 20
Reader = Callable[[str], list[tuple[float, np.ndarray]]]
"""What a key finds in a clip: how loud the sync is and the readings, place by place."""


def pictures() -> Iterator[tuple[str, Reader]]:
    """The clips without a mark, plain and compressed."""
    for name, clip in clips().items():
        for copy in ("plain", "CRF 28"):
            averaged = Averaged()
            with TemporaryDirectory() as folder:
                path = Path(folder) / "copy.mp4"
                for frame in clip(FRAMES) if copy == "plain" else luma(written(clip(FRAMES), path, "libx264", 28, FPS)):
                    averaged.add(frame)
            assert averaged.sum is not None
            plain, every = spectra(averaged.sum, np.ones(1)), spectra(averaged.sum)

            def read(key: str, plain: object = plain, every: object = every) -> list[tuple[float, np.ndarray]]:
                made = pattern(key)
                found = [*places(plain, made), *places(every, made)]  # type: ignore[arg-type]
                return [(place.sync, made.read(place.tile)[0]) for place in found]

            yield f"{name}, {copy}", read


def sounds() -> Iterator[tuple[str, Reader]]:
    """Speech and ambience of random films, without a mark."""
    rng = np.random.default_rng(11)
    for number in range(FILMS):
        stems = film(rng)[0]
        folds = folded((stems.dialogue + stems.ambience).astype(np.float32))
        yield f"film {number}", lambda key, folds=folds: heard(folds, key)  # type: ignore[misc]


def searched(clips: Iterator[tuple[str, Reader]], every: int, path: Path, part: int, parts: int) -> None:
    """`every` searches of each clip, as far as the file has not got them yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {(row[0], row[1]) for row in rows(path)} if path.exists() else set()
    words = np.array([codeword(new_id()) for _ in range(KNOWN)], np.float64)
    with path.open("a", newline="") as stream:
        table = csv.writer(stream)
        for name, read in clips:
            for number in range(part, every, parts):
                if (name, str(number)) in done:
                    continue
                found = read(f"{name}/{number}")
                blind = max(decode(soft)[1] for _, soft in found)
                known = max(float((words @ soft).max() / (np.linalg.norm(soft) + 1e-12)) for _, soft in found)
                table.writerow([name, number, f"{max(sync for sync, _ in found):.4f}", f"{blind:.4f}", f"{known:.4f}"])
                stream.flush()


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return [row for row in csv.reader(stream) if len(row) == 5]


def reached(share: float, ids: float, looks: int) -> float:
    """The score that the best of so many places has with the best of `ids` ids, in `share` of searches, where readings point
    anywhere."""
    one = -np.expm1(np.log(share) / (ids * looks))  # of a single id at a single place
    return float(np.sqrt(BITS * (1 - betaincinv((BITS - 1) / 2, 0.5, 2 * one))))


def tail(values: np.ndarray, beyond: float) -> str:
    """The rate beyond a score, by an exponential tail over the upper 2 % (mean excess)."""
    start = np.quantile(values, 0.98)
    excess = values[values > start] - start
    if len(excess) < 20:
        return "too few searches to draw the tail out"
    return f"{0.02 * np.exp(-(beyond - start) / excess.mean()):.1e}"


def shown(console: Console, paths: list[Path], looks: int) -> None:
    found = [row for path in paths for row in rows(path)]
    sync, blind, known = (np.array([float(row[at]) for row in found]) for at in (2, 3, 4))
    count = len(found)
    table = Table(title=f"{count} searches of {len({row[0] for row in found})} unmarked clips, a ledger of {KNOWN} ids")
    for head in ("score", "threshold", "median", "99 %", "greatest", "taken for marked", "rate beyond, tail drawn out"):
        table.add_column(head)
    for name, limit, values in (("blind", BLIND, blind), ("ledger", threshold(KNOWN, looks), known), ("sync", None, sync)):
        figures = [f"{value:.2f}" for value in (np.median(values), np.quantile(values, 0.99), values.max())]
        beyond = ["", ""] if limit is None else [str(int((values >= limit).sum())), tail(values, limit)]
        table.add_row(name, f"{limit:.2f}" if limit else "-", *figures, *beyond)
    expected = [reached(share, KNOWN, looks) for share in (0.5, 0.99, 0.5 ** (1 / count))]
    table.add_row("ledger, expected", "", *(f"{value:.2f}" for value in expected), "", "1.0e-06")
    console.print(table)
    console.print(f"none at all among {count} says: below {3 / count:.1e} a search, with 95 % confidence (rule of three)")


def main() -> None:
    parser = argparse.ArgumentParser(description="How often something without a mark is taken for marked.")
    parser.add_argument("--searches", type=int, default=1000, help="so many in all")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="where what was found is kept")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="do the K-th of N parts")
    parser.add_argument("--sound", action="store_true", help="of sound, instead of pictures")
    parser.add_argument("--show", action="store_true", help="only show what was found so far")
    said = parser.parse_args()
    part, parts = (int(number) for number in said.part.split("/"))
    kind = "sound" if said.sound else "pictures"
    if not said.show:
        every = -(-said.searches // (FILMS if said.sound else 2 * len(clips())))
        path = said.into / f"{kind}-{part}-of-{parts}.csv"
        searched(sounds() if said.sound else pictures(), every, path, part - 1, parts)
    found = sorted(said.into.glob(f"{kind}-*.csv"))
    shown(Console(width=130), found, BEST if said.sound else PLACES)


if __name__ == "__main__":
    main()
