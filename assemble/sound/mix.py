"""The mix: lines and beds laid on the film's time, the beds ducked under the lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assemble.sound.loudness import amplified, measure
from assemble.sound.waves import RATE, Wave

SPEECH = -23.0  # LUFS that every line is brought to before the mix
DUCK = -9.0  # dB that a bed gives way by while somebody speaks
BEFORE, AFTER = 0.15, 0.5  # seconds in which it goes down before a line, and comes back after it
BLEND = 0.12  # seconds over which one place's bed becomes the next one's, around the cut
EDGE = 0.03  # seconds of fade at the film's two ends
WIDTH = 0.35  # how far to its side a voice stands, 1 being all the way


@dataclass(frozen=True)
class Spoken:
    """A line on the film's time: it starts at `start` seconds, and stands at `side`, -1 left to 1 right."""

    start: float
    sound: Wave
    side: float = 0.0

    @property
    def end(self) -> float:
        return self.start + len(self.sound) / RATE


@dataclass(frozen=True)
class Bed:
    """Ambience from `start` to `end` seconds. `sound` is from the film's start on, so that a place goes on where it was."""

    start: float
    end: float
    sound: Wave


@dataclass(frozen=True)
class Stems:
    """The parts of a mix, all of the film's length; `mix` is their sum."""

    dialogue: Wave
    ambience: Wave

    @property
    def mix(self) -> Wave:
        return self.dialogue + self.ambience


def samples_of(seconds: float) -> int:
    """Samples of so many seconds."""
    return round(seconds * RATE)


def mixed(lines: Sequence[Spoken], beds: Sequence[Bed], seconds: float) -> Stems:
    """The stems of a film of so many seconds. What sounds beyond its end is faded out there."""
    samples = samples_of(seconds)
    dialogue, ambience = np.zeros((samples, 2), np.float32), np.zeros((samples, 2), np.float32)
    for line in lines:
        at = samples_of(max(0.0, line.start))
        part = panned(evened(line.sound), line.side)[: max(0, samples - at)]
        dialogue[at : at + len(part)] += part
    for bed in beds:
        first = max(0, samples_of(bed.start - BLEND / 2)) if bed.start > 0 else 0
        last = min(samples, samples_of(bed.end + BLEND / 2))
        part = bed.sound[first:last] * _fades(last - first, bed.start > 0, last < samples)
        ambience[first : first + len(part)] += part
    ends = _fades(samples, True, True, samples_of(EDGE))
    return Stems(dialogue * ends, ambience * duck(lines, samples)[:, None] * ends)


def evened(sound: Wave) -> Wave:
    """A line at the loudness that all lines have, so that no recording is louder than another."""
    loudness = measure(sound).integrated
    return sound if loudness is None else amplified(sound, SPEECH - loudness)


def panned(sound: Wave, side: float) -> Wave:
    """The sound at its side of the picture, of equal power wherever it stands."""
    angle = (1 + max(-1.0, min(1.0, side)) * WIDTH) * math.pi / 4
    gains = np.array([math.cos(angle), math.sin(angle)], np.float32) * np.float32(math.sqrt(2))
    return sound.mean(axis=1, keepdims=True) * gains


def duck(lines: Sequence[Spoken], samples: int) -> Wave:
    """The factor of the beds at each sample (samples,): 1, and DUCK decibels less around every line."""
    depth = np.zeros(samples, np.float32)
    for line in lines:
        start, end = samples_of(line.start), samples_of(line.end)
        corners = [start - samples_of(BEFORE), start, end, end + samples_of(AFTER)]
        first, last = max(0, corners[0]), min(samples, corners[3])
        if last > first:
            ramp = np.interp(np.arange(first, last), corners, [0, 1, 1, 0])
            depth[first:last] = np.maximum(depth[first:last], ramp)
    return np.asarray(10 ** (DUCK * depth / 20), np.float32)


def _fades(samples: int, rises: bool, falls: bool, length: int = samples_of(BLEND)) -> Wave:
    """A gain (samples, 1) that rises at its start and falls at its end, of equal power."""
    gain = np.ones((max(0, samples), 1), np.float32)
    ramp = np.sin(np.linspace(0, np.pi / 2, min(length, len(gain)), dtype=np.float32))[:, None]
    if rises:
        gain[: len(ramp)] *= ramp
    if falls and len(ramp):
        gain[-len(ramp) :] *= ramp[::-1]
    return gain
