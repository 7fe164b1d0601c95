"""Loudness and the mix, by FFmpeg's own meter."""

from __future__ import annotations

import numpy as np
import pytest

from assemble.errors import AssembleError
from assemble.mux import through_aac
from assemble.sound.ambience import LEVELS, looped, recorded_bed, tone
from assemble.sound.loudness import TARGETS, levelled, limited, measure, target
from assemble.sound.master import mastered
from assemble.sound.mix import DUCK, Bed, Spoken, duck, mixed, panned
from assemble.sound.waves import RATE, Wave, write_wav


def voice(seconds: float, seed: int = 0) -> Wave:
    """Something like speech: noise in syllables."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    beat = np.clip(np.sin(2 * np.pi * 4 * time), 0, None) ** 2
    deep = np.convolve(rng.standard_normal(len(time)), np.hanning(24), "same") / 3
    return (0.2 * beat * deep)[:, None].repeat(2, 1).astype(np.float32)


def test_the_meter_knows_the_reference_tone() -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS has -23 LUFS."""
    time = np.arange(20 * RATE) / RATE
    sine = (10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * time))[:, None].repeat(2, 1).astype(np.float32)
    found = measure(sine)
    assert found.integrated == pytest.approx(-23.0, abs=0.1) and found.peak == pytest.approx(-23.0, abs=0.1)
    assert len(found.curve) == 200 and found.curve[-1] == pytest.approx(-23.0, abs=0.1)
    assert measure(np.zeros((RATE, 2), np.float32)).integrated is None
    assert measure(sine[: RATE // 10]).integrated == pytest.approx(-23.0, abs=0.3)
    assert measure(sine[:0]).peak is None


def test_peaks_between_samples_are_held_and_nothing_moves() -> None:
    # A quarter of the rate, sampled away from its crests: 3 dB above what the samples say.
    sine = np.sin(np.pi / 2 * np.arange(2 * RATE) + np.pi / 4)[:, None].repeat(2, 1).astype(np.float32)
    sine *= np.clip(np.arange(2 * RATE) / 2000, 0, 1)[:, None]  # a sudden start has a higher peak still
    assert np.abs(sine).max() < 0.71 and measure(sine).peak == pytest.approx(0.0, abs=0.2)
    held = limited(sine, -6.0)
    assert held.shape == sine.shape and measure(held).peak == pytest.approx(-6.0, abs=0.2)
    quiet = voice(1.0)
    assert np.abs(limited(quiet, -1.0) - quiet)[200:-200].max() < 0.01


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("peaky", [False, True])
def test_films_meet_their_target_behind_the_encoder(name: str, peaky: bool) -> None:
    line = voice(1.2)
    if peaky:
        line[:: RATE // 3] = 1.0
    lines = [Spoken(0.3, line, -1), Spoken(1.9, voice(0.8, 3), 1)]
    stems = mixed(lines, [Bed(0, 3, tone("hall", True, False, 3 * RATE))], 3.0)
    made = mastered(stems, target(name))
    heard = measure(through_aac(made.mix))
    assert made.counted == pytest.approx(target(name).lufs, abs=0.3)
    assert heard.peak is not None and heard.peak <= target(name).peak
    assert heard.integrated == pytest.approx(made.programme.integrated, abs=0.01)
    if not target(name).dialogue:
        assert heard.integrated == pytest.approx(target(name).lufs, abs=0.3)


def test_silence_and_a_film_without_a_word() -> None:
    silent = np.zeros((RATE, 2), np.float32)
    made, gain, after = levelled(silent, target("web"))
    assert gain == 0 and not made.any() and after.integrated is None
    room = mastered(mixed([], [Bed(0, 4, tone("hall", True, True, 4 * RATE))], 4.0), target("web"))
    assert room.held and room.counted is not None and room.counted < -35  # a room tone is not blown up to speech
    with pytest.raises(AssembleError, match="cinema"):
        target("cinema")


def test_lines_lie_where_they_belong_and_beds_give_way() -> None:
    line = voice(1.0)
    stems = mixed(
        [Spoken(1.0, line)],
        [Bed(0, 2.5, tone("beach", False, False, 4 * RATE)), Bed(2.5, 4, tone("hall", True, False, 4 * RATE))],
        4.0,
    )
    assert stems.mix.shape == (4 * RATE, 2) and stems.mix.dtype == np.float32
    heard = np.flatnonzero(np.abs(stems.dialogue).max(axis=1) > 0)
    assert RATE <= heard[0] < 1.05 * RATE and heard[-1] < 2 * RATE
    gain = duck([Spoken(1.0, line)], 4 * RATE)
    assert gain[0] == 1 and gain[3 * RATE] == 1
    assert 20 * np.log10(gain[int(1.5 * RATE)]) == pytest.approx(DUCK, abs=0.01)
    assert np.abs(np.diff(gain)).max() < 1e-3
    left, right = np.abs(panned(line, -1)).sum(axis=0)
    assert left > 1.5 * right
    assert np.array_equal(stems.mix, stems.dialogue + stems.ambience)
    cut = mixed([Spoken(0.5, line)], [], 1.0)  # nothing is longer than the film
    assert len(cut.mix) == RATE and abs(cut.mix[-1]).max() < 1e-3


def test_places_sound_unlike_each_other_and_like_themselves(tmp_path) -> None:  # type: ignore[no-untyped-def]
    spectra = []
    for place, inside in (("hall", True), ("beach", False), ("forest", False), ("street", False)):
        sound = tone(place, inside, False, 5 * RATE)
        assert np.array_equal(sound, tone(place, inside, False, 20 * RATE)[: 5 * RATE])
        power = np.abs(np.fft.rfft(sound[:, 0], 2 * RATE)) ** 2
        bands = np.array(
            [power[low * 2 : high * 2].sum() for low, high in ((20, 200), (200, 1000), (1000, 4000), (4000, 12000))]
        )
        spectra.append(np.log10(bands / bands.sum()))
    apart = [np.abs(one - other).max() for index, one in enumerate(spectra) for other in spectra[:index]]
    assert min(apart) > 0.3 and len(LEVELS) == 5
    write_wav(voice(1.0), tmp_path / "bed.wav")
    bed = recorded_bed(tmp_path / "bed.wav", 5 * RATE + 7)
    assert len(bed) == 5 * RATE + 7 and np.abs(np.diff(bed[:, 0])).max() < 0.1
    assert len(looped(bed[:0], 100)) == 100 and len(looped(bed[:2], 100)) == 100
