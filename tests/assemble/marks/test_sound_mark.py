"""The mark in the sound: hardly there, in silence not at all, and read back from AAC and from a piece."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from assemble import AssembleError
from assemble.marks import hear, mark_sound
from assemble.marks.sound import RATE, Samples

IDENT, OTHER = "0123456789abcdef", "fedcba9876543210"


def speech(seconds: float = 10.0) -> Samples:
    """Harmonics of a gliding pitch, in syllables, with some breath."""
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * t) + 20 * np.sin(2 * np.pi * 2.3 * t)) / RATE
    voice = sum(np.sin(k * phase) / k**1.1 * (1 + 0.5 * np.sin(2 * np.pi * (0.5 + 0.1 * k) * t)) for k in range(1, 50))
    syllables = np.clip(np.sin(2 * np.pi * 1.9 * t) + 0.3, 0, 1) ** 0.5
    return np.asarray(0.08 * voice * syllables + rng.normal(size=len(t)) * 0.002 * (1 + syllables), np.float32)


def aac(samples: Samples, rate: int) -> Samples:
    packed = io.BytesIO()
    with av.open(packed, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE)
        stream.layout, stream.bit_rate = "stereo", rate
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
        frame.rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    packed.seek(0)
    with av.open(packed) as container:
        return np.concatenate([frame.to_ndarray().T for frame in container.decode(audio=0)])


def test_it_is_read_from_aac_and_changes_little() -> None:
    voice = speech()
    both = np.stack([voice, voice * 0.7], axis=1).astype(np.float32)
    marked = mark_sound(both, IDENT)
    assert marked.shape == both.shape
    assert marked.dtype == np.float32
    assert 10 * np.log10(np.sum(both**2) / np.sum((marked - both) ** 2)) > 20
    heard = hear(aac(marked, 128_000))
    assert (heard.verdict, heard.ident) == ("blind", IDENT)


def test_a_piece_is_matched_to_the_ledger() -> None:
    marked = mark_sound(speech(), IDENT)
    heard = hear(marked[77_777 : 77_777 + 5 * RATE], [OTHER, IDENT])
    assert heard.ident == IDENT


def test_unmarked_sound_and_silence_have_none() -> None:
    silence = np.zeros(3 * RATE, np.float32)
    assert (mark_sound(silence, IDENT) == 0).all()
    for samples in (speech(4), silence, np.zeros(100, np.float32)):
        assert hear(samples, [IDENT, OTHER]).ident is None


def test_sound_of_another_kind_is_refused() -> None:
    with pytest.raises(AssembleError, match="float64"):
        mark_sound(np.zeros(100), IDENT)  # type: ignore[arg-type]
