"""The edit: cuts, dissolves and fades, first as plain numbers, then through the file."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assemble import AssembleError, Clip, Join, read_frames, stitch
from assemble.edit import Step, edited

ONE = Fraction(1)
FPS = Fraction(12)


def flow(lengths: list[int], joins: list[Join]) -> list[Step]:
    """The edit of clips whose pictures are (clip, frame)."""
    clips = ([(((k, n), ONE),) for n in range(length)] for k, length in enumerate(lengths))
    return list(edited(clips, joins, FPS))


def frames(*counts: int) -> list[Fraction]:
    return [Fraction(count) / FPS for count in counts]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 8), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6
    )
)
def test_any_edit_shows_every_frame_once_and_in_order(clips: list[tuple[int, int, int, int]]) -> None:
    lengths = [clip[0] for clip in clips]
    steps = flow(lengths, [Join(*frames(*clip[1:])) for clip in clips])
    starts = [(step.clip, place, step.overlap) for place, step in enumerate(steps) if step.clip is not None]
    assert [start[0] for start in starts] == list(range(len(clips)))
    assert len(steps) == sum(lengths) - sum(overlap for *_, overlap in starts)
    for number, _, overlap in starts:
        assert overlap <= clips[number][1] and overlap <= min(lengths[number - 1 :][:2] if number else [0])
    shown = [picture for step in steps for picture, _ in step.mix]
    assert len(shown) == len(set(shown)) == sum(lengths)
    for number, place, _ in starts:
        assert [place + n for n in range(lengths[number])] == [
            at for at, step in enumerate(steps) for picture, _ in step.mix if picture[0] == number
        ]
    assert all(0 <= sum(weight for _, weight in step.mix) <= 1 for step in steps)


def test_a_dissolve_goes_evenly_from_one_to_the_other() -> None:
    steps = flow([5, 5], [Join(), Join(dissolve=Fraction(3, 12))])
    assert len(steps) == 7
    assert [dict(step.mix) for step in steps[2:5]] == [
        {(0, 2): Fraction(3, 4), (1, 0): Fraction(1, 4)},
        {(0, 3): Fraction(1, 2), (1, 1): Fraction(1, 2)},
        {(0, 4): Fraction(1, 4), (1, 2): Fraction(3, 4)},
    ]
    assert (steps[2].clip, steps[2].overlap) == (1, 3)


def test_fades_are_black_at_their_end_and_change_no_length() -> None:
    steps = flow([8], [Join(fade_in=Fraction(4, 12), fade_out=Fraction(2, 12))])
    assert [sum(weight for _, weight in step.mix) for step in steps] == [0, 1 / 4, 1 / 2, 3 / 4, 1, 1, 1 / 2, 0]


def test_a_transition_without_sense_is_refused() -> None:
    with pytest.raises(AssembleError, match="dissolve of -1 s"):
        Join(dissolve=-1)


SIZE = (64, 48)


def coded(number: int) -> np.ndarray:
    """A frame that carries its own number: sixteen fields, dark or light."""
    bits = np.array([(number >> bit) & 1 for bit in range(16)], np.uint8).reshape(4, 4) * 200 + 28
    return bits.repeat(SIZE[1] // 4, 0).repeat(SIZE[0] // 4, 1)[..., None].repeat(3, 2)


def fields(frame: np.ndarray) -> np.ndarray:
    """The levels of the middles of the sixteen fields."""
    height, width = frame.shape[:2]
    return frame[height // 8 :: height // 4, width // 8 :: width // 4, 0].astype(float)


def test_a_hundred_random_edits_are_exact_through_decode(tmp_path: Path) -> None:
    """Every frame of every film, with those around each cut, is the very mix that was asked for."""
    dice = random.Random(6)
    pictures = {number: coded(number) for number in range(1200)}
    for number in range(100):
        lengths = [dice.randint(1, 9) for _ in range(dice.randint(1, 4))]
        joins = [Join(*frames(*(dice.choice([0, 0, 1, 2, 4]) for _ in range(3)))) for _ in lengths]
        clips = [[pictures[k * 100 + n] for n in range(length)] for k, length in enumerate(lengths)]
        film = stitch(clips, tmp_path / "film.mp4", fps=12, size=SIZE, joins=joins)
        steps = flow(lengths, joins)
        shown = list(read_frames(film.path))
        assert len(shown) == film.frames == len(steps), number
        assert film.cuts == tuple(place for place, step in enumerate(steps) if step.clip is not None)
        for place, (step, frame) in enumerate(zip(steps, shown, strict=True)):
            want = sum(float(weight) * fields(pictures[k * 100 + n]) for (k, n), weight in step.mix)
            assert np.abs(fields(frame) - want).max() < 8, (number, place, step.mix)
        with av.open(str(film.path)) as container:
            keys = {k for k, frame in enumerate(container.decode(video=0)) if frame.key_frame}
        assert set(film.cuts) <= keys


def test_parts_of_files_are_cut_to_the_frame(tmp_path: Path) -> None:
    source = stitch([[coded(n) for n in range(60)]], tmp_path / "source.mp4", fps=12, size=SIZE)
    parts = [Clip(source.path, 1.5, 2), Clip(source.path, 0.25, 0.5), Clip(source.path, 4.75)]
    film = stitch(parts, tmp_path / "film.mp4", fps=12, size=SIZE)
    numbers = [
        int(sum(1 << bit for bit, level in enumerate(fields(f).ravel()) if level > 128)) for f in read_frames(film.path)
    ]
    assert numbers == [*range(18, 24), *range(3, 6), *range(57, 60)]
    assert film.cuts == (0, 6, 9)
    some = read_frames(source.path, start=1.5, end=2)
    assert [int(fields(f)[0, 0] > 128) for f in some] == [n & 1 for n in range(18, 24)]
