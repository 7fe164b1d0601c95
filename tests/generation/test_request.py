"""Requests: who is in them, how their prompts reach the model, who speaks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import generation
from generation import GenerationError, ShotRequest, VoiceTrack
from generation.families import FAMILIES
from generation.wording import spoken_prompt, worded


def test_names_become_the_words_of_their_slots() -> None:
    say = spoken_prompt("@mia hands @tom's lamp to @mia-lou. @Mia", ("tom", "mia", "mia-lou", "Mia"), [f"character{n}" for n in range(1, 5)])
    assert say == "character2 hands character1's lamp to character3. character4"
    assert spoken_prompt("write to a@b.com, meet @ noon", (), ()) == "write to a@b.com, meet @ noon"
    with pytest.raises(GenerationError, match="@zoe is in the prompt but not in the shot") as caught:
        spoken_prompt("@mia and @zoe", ("mia",), ["character1"])
    assert "@mia" in caught.value.mend


@given(
    names=st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True), min_size=1, max_size=3, unique=True),
    data=st.data(),
)
def test_every_name_finds_its_own_slot(names: list[str], data: st.DataObject) -> None:
    order = data.draw(st.lists(st.sampled_from(range(len(names))), max_size=6))
    prompt = " ".join(f"@{names[slot]}, x" for slot in order)
    assert spoken_prompt(prompt, names, [f"<{slot + 1}>" for slot in range(len(names))]) == " ".join(f"<{slot + 1}>, x" for slot in order)


def test_each_family_names_characters_its_own_way(request_for: Callable[..., ShotRequest]) -> None:
    request = request_for(
        prompt="@mia's lamp. @mia on the left waves at @tom. @mia sits.", looks=("a girl with red hair", ""),
        pictures=((np.zeros((8, 8, 3), np.uint8),) * 2, (np.zeros((8, 8, 3), np.uint8),)),
    )  # fmt: skip
    said = {name: worded(request, FAMILIES[name], False) for name in ("toon", "Wan2.2-T2V-A14B", "Bernini-R")}
    assert said["toon"] == "character1's lamp. character1 on the left waves at character2. character1 sits."
    assert said["Wan2.2-T2V-A14B"] == "Mia's lamp. Mia, a girl with red hair, on the left waves at Tom. Mia sits."
    assert said["Bernini-R"] == (
        "You are a helpful assistant specialized in subject-to-video generation."
        "Mia's lamp. Mia, a girl with red hair, from the first and second reference images, on the left waves at "
        "Tom, from the third reference image. Mia sits."
    )
    adapted = worded(request, FAMILIES["Wan2.2-VACE-Fun-A14B"], True)
    assert adapted.endswith("character1, a girl with red hair, on the left waves at character2. character1 sits.")
    alone = request_for(prompt="@mia waves. @tom.")
    assert worded(alone, FAMILIES["Bernini-R"], False) == "Mia waves. Tom."  # no pictures, no sentence about them


def test_too_many_characters_and_other_impossible_requests(request_for: Callable[..., ShotRequest]) -> None:
    for changes, words in (
        ({"characters": ("a", "b", "c", "d")}, "4 characters in one shot: a, b, c, d"),
        ({"characters": ("a", "a")}, "twice"),
        ({"steps": 0}, "0 steps"),
        ({"sides": ("left",)}, "the sides left for 2 characters"),
        ({"sides": ("left", "middle")}, "the sides left, middle for 2 characters"),
    ):
        with pytest.raises(GenerationError, match=words) as caught:
            request_for(**changes)
        assert caught.value.mend


def test_a_voice_track_by_slot() -> None:
    track = VoiceTrack({"tom": np.array([0.5, 2.0, -1.0, 1.0, 1.0, 1.0]), "zoe": np.ones(3)})
    levels = track.by_slot(("mia", "tom"), 5)
    assert levels.dtype == np.float32 and levels.tolist() == [[0] * 5, [0.5, 1, 0, 1, 1]]
    assert track.by_slot(("tom",), 8)[0, 6:].tolist() == [0, 0]


def test_the_public_names_are_there() -> None:
    for name in generation.__all__:
        assert name.isupper() or getattr(generation, name).__module__.startswith("generation.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = generation.nothing


def test_asking_loads_no_heavy_library() -> None:
    words = "import sys; from generation import *; from generation import Model, open_stage; print(sorted(sys.modules))"
    words = words.replace("from generation import *; ", "")
    out = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True).stdout
    assert not {"'torch'", "'numpy'", "'diffusers'", "'safetensors'"} & set(out.strip("[]\n").split(", "))


def test_one_sentence_tells_of_pictures_of_the_place() -> None:
    picture, family = np.zeros((4, 4, 3), np.uint8), FAMILIES["Bernini-R"]
    base = ShotRequest("@mia waves. watercolour", ("mia",), 9, 48, 32, 1, 2, (4.0, 3.2), pictures=((picture,),))
    said = [worded(replace(base, place=(picture,) * count), family, False) for count in (0, 1, 2)]
    assert said[0].endswith("waves. watercolour") and said[1] == said[2]
    assert said[1].endswith("watercolour. The place and the light are those of the other reference images.")
    empty = ShotRequest("A lamp.", (), 9, 48, 32, 1, 2, (4.0, 3.2), place=(picture,))
    assert worded(empty, family, False) == f"{family.prefix}A lamp. The place and the light are those of the reference images."
    assert worded(empty, FAMILIES["Wan2.2-VACE-Fun-A14B"], False) == "A lamp."
