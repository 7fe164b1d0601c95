"""Caption files that players read, and captions in the picture."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assemble.sound.captions import Caption, captions, srt, vtt
from assemble.sound.painter import burnt, painted, shown

CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)[,.](\d\d\d)")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
NAMES = st.text("abcdefgéש", min_size=1, max_size=8)
LINES = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 8), NAMES, WORDS), max_size=6)


def seconds(said: str) -> float:
    hours, minutes, rest, thousandths = map(int, CLOCK.fullmatch(said).groups())  # type: ignore[union-attr]
    return hours * 3600 + minutes * 60 + rest + thousandths / 1000


def read_srt(text: str) -> list[tuple[float, float, str]]:
    """As players do: blocks between blank lines."""
    rows = []
    for number, block in enumerate(filter(None, text.split("\n\n")), start=1):
        first, times, *words = block.strip("\n").split("\n")
        start, end = times.split(" --> ")
        assert int(first) == number and words
        rows.append((seconds(start), seconds(end), "\n".join(words)))
    return rows


def read_vtt(text: str) -> list[tuple[float, float, str, str]]:
    head, *blocks = text.rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    rows = []
    for block in blocks:
        times, words = block.split("\n", 1)
        start, end = times.split(" --> ")
        assert "-->" not in words
        found = re.fullmatch(r"<v ([^>]*)>(.*)</v>", words, re.DOTALL)
        assert found and "<" not in found[2]
        rows.append((seconds(start), seconds(end), unescape(found[1]), unescape(found[2])))
    return rows


@given(LINES)
def test_both_forms_hold_all_that_is_said(lines: list[tuple[float, float, str, str]]) -> None:
    spoken = [(start, start + length, name, text) for start, length, name, text in lines]
    made = captions(spoken, 120.0)
    first, second = read_srt(srt(made)), read_vtt(vtt(made))
    assert len(first) == len(second) == len(made)
    for each, (start, end, words), (start_too, end_too, name, text) in zip(made, first, second, strict=True):
        assert (start, end) == (start_too, end_too) and 0 <= start < end <= 120.02
        assert name == each.speaker and text == each.text
        assert words.lower().startswith(each.speaker.lower()[:1]) and words.count("\n") <= 1
    assert all(one[0] <= other[0] for one, other in pairwise(second))

    def letters(text: str) -> str:
        return "".join(char for char in text if char.isalnum())

    for name in {line[2] for line in lines}:
        said = sorted(letters(text) for _, _, who, text in spoken if who == name)
        shown_too = letters("".join(each.text for each in made if each.speaker == name))
        assert len(shown_too) == sum(map(len, said))


def test_a_long_line_is_broken_and_a_short_one_stays() -> None:
    made = captions([(1.0, 1.2, "mia", "Hi!"), (4.0, 10.0, "tom", "word " * 40), (9.0, 9.0, "mia", "")], 12.0)
    assert made[0] == Caption(1.0, 2.0, "mia", "Hi!")
    assert len(made) == 4 and all(max(map(len, each.text.split("\n"))) <= 42 for each in made)
    assert all(one.end < other.start for one, other in pairwise(made))
    assert captions([(11.9, 14.0, "mia", "Late")], 12.0)[0].end == 12.0
    assert captions([(12.5, 14.0, "mia", "Too late")], 12.0) == ()
    assert srt(()) == "" and vtt(()) == "WEBVTT\n"
    (odd,) = captions([(0, 1, "mia", "a --> b <i> & 🙂 שלום")], 5)
    assert "-->" not in srt([odd]).split("\n")[2] and "🙂 שלום" in srt([odd])


def test_right_to_left_text_stands_in_its_order_on_the_screen() -> None:
    assert shown("שלום", True) == "םולש"
    assert shown("Tom: abc", False) == "Tom: abc"
    assert shown("Tom: שלום 123!", True).endswith(":Tom") and "123" in shown("Tom: שלום 123!", True)
    assert shown("Hi 🙂👩\u200d🚀!", False) == "Hi !"


@pytest.mark.parametrize("text", ["Mia: Hello", "Tom: שלום\nעולם", "Ann: مرحبا", "Zed: 你好", "Ann: " + "long " * 30])
def test_captions_are_painted_at_the_foot(text: str) -> None:
    frame = np.full((240, 416, 3), 90, np.uint8)
    out = painted(frame, text)
    changed = np.flatnonzero((out != frame).any(axis=(1, 2)))
    assert len(changed) and changed.min() > 150 and changed.max() < 238
    assert out.max() > 200 and out.min() < 60 and frame.max() == 90
    columns = np.flatnonzero((out != frame).any(axis=(0, 2)))
    assert abs((columns.min() + columns.max()) / 2 - 208) < 6  # in the middle, nothing cut off
    assert columns.min() > 0 and columns.max() < 415


def test_frames_carry_the_caption_of_their_time() -> None:
    frames = [np.full((48, 64, 3), 90, np.uint8)] * 24
    out = list(burnt(iter(frames), [Caption(0.5, 1.0, "mia", "Hi")], 12.0, (128, 96)))
    assert {frame.shape for frame in out} == {(96, 128, 3)}
    assert [index for index, frame in enumerate(out) if frame.max() > 120] == list(range(6, 12))
    assert painted(frames[0], "🙂") is frames[0]
