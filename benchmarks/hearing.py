"""What the mark in the sound survives: random films, mixed and mastered as ours are, and copies of them.

    python -m benchmarks.hearing --films 24

"blind" is the share whose id was read without help, "ledger" that found with the id among 1,000 of a ledger, "wrong" how often
another id than the one written was found. (How often something unmarked is taken for marked: `mistaken --sound`.)
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from assemble.marks import hear, mark_stems, new_id
from assemble.marks.sound import RATE, Samples
from assemble.sound.loudness import target
from assemble.sound.master import mastered
from assemble.sound.mix import Stems
from benchmarks.sound import film


def coded(codec: str, bits: int, container: str) -> Callable[[Samples], Samples]:
    """Through a codec at so many bits a second, and back."""

    def copy(samples: Samples) -> Samples:
        packed = io.BytesIO()
        with av.open(packed, "w", format=container) as file:
            stream = file.add_stream(codec, rate=RATE)
            stream.layout, stream.bit_rate = "stereo", bits
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
            frame.rate = RATE
            resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=RATE, frame_size=stream.frame_size or 1024)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                file.mux(stream.encode(part))
            file.mux(stream.encode(None))
        packed.seek(0)
        back = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        with av.open(packed) as file:
            return np.concatenate([part.to_ndarray().T for frame in file.decode(audio=0) for part in back.resample(frame)])

    return copy


COPIES: dict[str, Callable[[Samples], Samples]] = {
    "as mixed": lambda samples: samples,
    "AAC 192 kbit/s, as films have it": coded("aac", 192_000, "mp4"),
    "AAC 128 kbit/s": coded("aac", 128_000, "mp4"),
    "AAC 96 kbit/s": coded("aac", 96_000, "mp4"),
    "Opus 96 kbit/s": coded("libopus", 96_000, "webm"),
    "its first half, AAC 128 kbit/s": lambda samples: COPIES["AAC 128 kbit/s"](samples[: len(samples) // 2]),
    "its second half, AAC 128 kbit/s": lambda samples: COPIES["AAC 128 kbit/s"](samples[len(samples) // 2 :]),
    "6 dB softer, AAC 128 kbit/s": lambda samples: COPIES["AAC 128 kbit/s"](samples / 2),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--films", type=int, default=24)
    asked = parser.parse_args()
    found: dict[str, list[tuple[str, bool]]] = {name: [] for name in COPIES}
    seconds, changes = [], []
    for number in range(asked.films):
        stems = film(np.random.default_rng([21, number]))[0]
        ident = new_id()
        known = [*(new_id() for _ in range(999)), ident]
        dialogue, ambience = mark_stems([stems.dialogue, stems.ambience], ident)
        made = mastered(Stems(dialogue, ambience), target("web")).mix.astype(np.float32)
        seconds.append(len(made) / RATE)
        changes.append(10 * np.log10(np.sum(stems.mix**2) / np.sum((dialogue + ambience - stems.mix) ** 2)))
        for name, copy in COPIES.items():
            heard = hear(np.asarray(copy(made), np.float32), known)
            found[name].append((heard.verdict, heard.ident in (None, ident)))
    table = Table(title=f"{asked.films} films of {min(seconds):.1f} to {max(seconds):.1f} s")
    for head in ("copy", "blind", "with ledger", "wrong"):
        table.add_column(head)
    for name, rows in found.items():
        blind = sum(verdict == "blind" and right for verdict, right in rows)
        any_ = sum(bool(verdict) and right for verdict, right in rows)
        wrong = sum(not right for _, right in rows)
        table.add_row(name, f"{blind / len(rows):.0%}", f"{any_ / len(rows):.0%}", str(wrong))
    console = Console(width=110)
    console.print(table)
    console.print(f"the mark is {min(changes):.0f} to {max(changes):.0f} dB under the sound")


if __name__ == "__main__":
    main()
