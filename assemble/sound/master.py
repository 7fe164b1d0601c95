"""The finished sound of a film: the stems brought to their target, with what the meter says of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assemble.mux import through_aac
from assemble.sound.loudness import MOST, Loudness, Target, amplified, levelled, measure
from assemble.sound.mix import SPEECH, Stems
from assemble.sound.waves import Wave


@dataclass(frozen=True)
class Master:
    """`mix` is what the film gets; the stems have the same `gain` in dB, and sum to it where the limiter had nothing to do.

    `counted` is the loudness that goes by the target: of the programme, or of the dialogue. `held` says that the ambience of a
    film without a word was left quiet rather than raised to the target.
    """

    mix: Wave
    dialogue: Wave
    ambience: Wave
    gain: float
    programme: Loudness
    speech: Loudness
    counted: float | None
    held: bool


def mastered(stems: Stems, goal: Target) -> Master:
    """Bring a mix to its target, as it is heard behind the film's own encoder."""
    spoken = bool(np.any(stems.dialogue))
    most = MOST if spoken else goal.lufs - SPEECH
    mix, gain, programme = levelled(stems.mix, goal, stems.dialogue if spoken else None, through_aac, most)
    dialogue, ambience = amplified(stems.dialogue, gain), amplified(stems.ambience, gain)
    speech = measure(dialogue)
    counted = speech.integrated if goal.dialogue and spoken else programme.integrated
    held = not spoken and counted is not None and counted < goal.lufs - 0.3
    return Master(mix, dialogue, ambience, gain, programme, speech, counted, held)
