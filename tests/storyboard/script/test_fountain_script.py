"""Fountain screenplays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.errors import ScriptError
from storyboard.limits import Limits
from storyboard.script.parts import Cut, Line, Sentence
from storyboard.script.reading import read_script

Write = Callable[..., Path]

PLAY = """Title: _**The Lighthouse**_
Credit: Written by
Author: Somebody
Size: 832x480
Seed: 3
Style:
    hand-painted
    storybook
Characters:
    mia: {refs: refs/mia, looks: "a girl"}
    tom: {refs: refs/tom.png}

INT. LIGHTHOUSE - NIGHT #12#

Mia climbs the *stairs*. TOM waits. /* cut
this */ [[and this]]

= A synopsis.

MIA (V.O.)
(sadly)
I was young then.
Very young.

@tom
(whispers)
Hush.

CUT TO:

.BEACH HUT - DAWN

!MIA waves.

~A song goes by

> THE END <

===

EXT. HARBOR - DAY

# Act two

Tom runs.
"""


def test_a_screenplay(write: Write, limits: Limits) -> None:
    script = read_script(write(PLAY, "play.fountain", head=""), limits)
    assert (script.title, script.style, script.size, script.seed) == (
        "The Lighthouse", "hand-painted storybook", (832, 480), 3,
    )  # fmt: skip
    first, second, third = script.scenes
    assert (first.place, first.interior, first.time) == ("lighthouse", True, "night")
    assert [beat.text for beat in first.beats if isinstance(beat, Sentence)] == ["@mia climbs the stairs.", "@tom waits."]
    said = [(beat.speaker, beat.text, beat.manner, beat.heard) for beat in first.beats if isinstance(beat, Line)]
    assert said == [("mia", "I was young then. Very young.", "sadly", True), ("tom", "Hush.", "whispers", False)]
    assert isinstance(first.beats[-1], Cut)
    assert (second.place, second.interior, second.time) == ("beach", None, "morning")
    assert [beat.text for beat in second.beats if isinstance(beat, Sentence)] == ["@mia waves.", "THE END"]
    assert (third.place, third.breaks) == ("harbour", True)


def test_places_of_mistakes_count_from_the_top(write: Write, limits: Limits) -> None:
    play = PLAY.replace("TOM waits", "@zoe waits").replace("Seed: 3", "Seed: x").replace("\nTom runs.", "\nBOB\nHey.")
    with pytest.raises(ScriptError) as caught:
        read_script(write(play, "play.fountain", head=""), limits)
    seed, zoe, bob = caught.value.problems
    lines = play.split("\n")
    assert lines[seed.spot.line - 1] == "Seed: x" and seed.spot.column == 7
    assert lines[zoe.spot.line - 1][zoe.spot.column - 1 :].startswith("@zoe")
    assert lines[bob.spot.line - 1] == "BOB" and "no character @BOB" in bob.what


def test_front_matter_and_given_shots_work_as_in_markdown(write: Write, limits: Limits) -> None:
    script = read_script(write("EXT. PARK - DAY\n\n## Shot: wide, 2s\n\nMia waves.\n\n## Shot: close-up, anchor\n\nTOM\nHello.\n", "a.fountain"), limits)
    assert [shot.size for shot in script.scenes[0].shots] == ["wide", "close-up"]
    assert [shot.anchor for shot in script.scenes[0].shots] == [False, True]


def test_words_in_capitals_are_no_cue_unless_something_is_said(write: Write, limits: Limits) -> None:
    script = read_script(write("EXT. PARK - DAY\n\nBOOM\n\nMia jumps. Tom falls.\n", "a.fountain"), limits)
    assert [beat.text for beat in script.scenes[0].beats if isinstance(beat, Sentence)] == ["BOOM", "@mia jumps.", "@tom falls."]
