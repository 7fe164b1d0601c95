"""Loudness: measured with FFmpeg's own meter (EBU R 128, ITU-R BS.1770), and brought to a target.

The gain is one for the whole film. Where peaks would pass the limit, FFmpeg's limiter catches them at four times the rate,
so that peaks between samples count, and the gain makes up for what it took.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph

from assemble.errors import AssembleError
from assemble.sound.waves import RATE, Wave, framed, packed

BLOCK = 4800  # samples that are fed at once
SILENCE = -70.0  # LUFS: the meter's gate, below which nothing counts
MOST = 60.0  # dB of gain; more would raise what is no sound
SHORTEST = int(0.4 * RATE)  # a gating block: nothing shorter has a loudness
CLOSE = 0.05  # LU of the target at which it is met
CREST = 0.1  # dB under the limit that is aimed for
_TRIES = 16


@dataclass(frozen=True)
class Target:
    """A delivery: `lufs` of the programme, or of its dialogue alone where `dialogue` says so; `peak` is the limit in dBTP."""

    name: str
    lufs: float
    peak: float
    dialogue: bool = False


TARGETS = {
    "ebu": Target("ebu", -23.0, -1.0),  # EBU R 128, European television
    "web": Target("web", -14.0, -1.0),  # what the large video sites play at
    "streaming": Target(
        "streaming", -27.0, -2.0, dialogue=True
    ),  # as Netflix asks; its meter finds dialogue, we have the stem
}


@dataclass(frozen=True)
class Loudness:
    """`integrated` in LUFS (None for silence), `range` in LU, `peak` the true peak in dBTP (None for silence), and the
    `curve`: momentary loudness in LUFS, ten times a second."""

    integrated: float | None
    range: float
    peak: float | None
    curve: tuple[float, ...] = ()


def target(name: str) -> Target:
    """The target of a name. Raises AssembleError for any other."""
    if name not in TARGETS:
        raise AssembleError(f'there is no loudness target "{name}"', mend=f"Write one of {', '.join(TARGETS)}.")
    return TARGETS[name]


def measure(sound: Wave) -> Loudness:
    """What FFmpeg's ebur128 says of the sound. Shorter than 0.4 s, it is repeated until the meter has something to gate."""
    if len(sound) and len(sound) < SHORTEST:
        sound = np.tile(sound, (-(-SHORTEST // len(sound)), 1))
    said: dict[str, str] = {}
    curve: list[float] = []

    def noted(metadata: dict[str, str]) -> None:
        said.update(metadata)
        if "lavfi.r128.M" in metadata:
            curve.append(round(max(_number(metadata["lavfi.r128.M"]), -120.0), 2))

    _through(sound, [("ebur128", "peak=true:metadata=1")], noted)
    integrated = _number(said.get("lavfi.r128.I", "-inf"))
    # The meter gives true peaks as a factor for each channel.
    peaks = [_number(value) for key, value in said.items() if "true_peaks_ch" in key]
    highest = max((20 * math.log10(peak) if peak > 0 else -math.inf for peak in peaks), default=-math.inf)
    return Loudness(
        None if integrated <= SILENCE else integrated,
        max(0.0, _number(said.get("lavfi.r128.LRA", "0"))),
        None if highest == -math.inf else round(highest, 2),
        tuple(curve),
    )


def amplified(sound: Wave, decibels: float) -> Wave:
    """The sound, louder by so many decibels."""
    return (sound * np.float32(10 ** (decibels / 20))).astype(np.float32)


def limited(sound: Wave, peak: float) -> Wave:
    """The sound with its true peak held under `peak` dBTP; of the same length and in time."""
    steps = [
        ("aresample", f"{RATE * 4}"),
        ("alimiter", f"limit={10 ** (peak / 20):.6f}:attack=5:release=60:level=0:latency=1"),
        ("aresample", f"{RATE}"),
    ]
    pieces: list[Wave] = []
    padded = np.concatenate([sound, np.zeros((RATE // 10, 2), np.float32)])  # what the filters hold back comes out
    _through(padded, steps, lambda metadata: None, pieces)
    return np.ascontiguousarray(np.concatenate(pieces)[: len(sound)])


def levelled(
    sound: Wave,
    goal: Target,
    dialogue: Wave | None = None,
    heard: Callable[[Wave], Wave] = lambda sound: sound,
    most: float = MOST,
) -> tuple[Wave, float, Loudness]:
    """The sound at its target, the gain in dB that took it there, and what the meter says of it afterwards.

    dialogue: the stem that counts for a target that goes by dialogue. heard: what becomes of the sound on its way to the
    listener (a lossy encoder raises peaks); the peak limit holds behind it. most: dB of gain at most. Silence stays what it is.
    """
    counted = dialogue if goal.dialogue and dialogue is not None else sound
    before = measure(counted).integrated
    if before is None:
        return sound, 0.0, measure(sound)
    gain = min(goal.lufs - before, most)
    ceiling = goal.peak - CREST
    made, after, yields = sound, measure(sound), 1.0
    tried: tuple[float, float] | None = None
    for _ in range(_TRIES):
        made = amplified(sound, gain)
        if (measure(made).peak or -math.inf) > ceiling:
            made = limited(made, ceiling)
        after = measure(heard(made))
        over = (after.peak or -math.inf) - goal.peak
        if over > 0:
            ceiling -= over + 0.05
        if counted is not sound or after.integrated is None:
            short = 0.0  # a target that goes by dialogue is a matter of gain alone: the limiter works on the mix
        else:
            short = goal.lufs - after.integrated
            if tried and gain - tried[0] > 0.05:  # the harder the limiter works, the less a decibel of gain yields
                yields = min(1.0, max(0.2, (after.integrated - tried[1]) / (gain - tried[0])))
            tried = gain, after.integrated
        if over <= 0 and (abs(short) <= CLOSE or gain >= most):
            break
        gain = min(gain + short / yields, most)
    return made, round(gain, 2), after


def _through(
    sound: Wave,
    steps: list[tuple[str, str]],
    noted: Callable[[dict[str, str]], None],
    pieces: list[Wave] | None = None,
) -> None:
    """Send sound through FFmpeg filters; `pieces` takes what comes out, `noted` what the filters say of it."""
    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="flt", layout="stereo", time_base=Fraction(1, RATE))
    nodes = [source, *(graph.add(name, options) for name, options in steps), graph.add("abuffersink")]
    for one, other in pairwise(nodes):
        one.link_to(other)
    graph.configure()
    plain = AudioResampler("flt", "stereo", RATE)

    def drain() -> None:
        while True:
            try:
                frame = graph.pull()
            except (BlockingIOError, EOFError):
                return
            noted(dict(frame.metadata))
            if pieces is not None and isinstance(frame, AudioFrame):
                pieces.extend(packed(each) for each in plain.resample(frame))

    for start in range(0, len(sound), BLOCK):
        graph.push(framed(sound[start : start + BLOCK], start))
        drain()
    graph.push(None)
    drain()


def _number(said: str) -> float:
    try:
        value = float(said)
    except ValueError:
        return -math.inf
    return -math.inf if math.isnan(value) else value
