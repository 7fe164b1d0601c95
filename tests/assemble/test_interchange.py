"""The edit as files for editing programs, read back by OpenTimelineIO with the same cuts."""

from __future__ import annotations

import zipfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assemble import (
    AssembleError,
    Marker,
    Timeline,
    TimelineClip,
    edl_text,
    fcpxml_text,
    otio_text,
    read_otio,
    write_otioz,
)
from assemble.timeline import EDL_RATES, FINAL_CUT_RATES, conformed

HERE = Path("/films/a film é")
RATES = [Fraction(rate) for rate in (8, 10, 12, 15, 16, 24, 25, 30, 60)] + [
    Fraction(24000, 1001),
    Fraction(30000, 1001),
]
WORDS = st.text('ab é:*\n\t<&"\x07日', max_size=12)


@st.composite
def timelines(draw: st.DrawFn, dissolves: bool = True) -> Timeline:
    """Edits of up to seven clips: files used from any frame on, shots that are not there yet, dissolves, markers."""
    count = draw(st.integers(1, 7))
    lengths = [draw(st.integers(3, 200)) for _ in range(count)]
    over = [0] + [draw(st.integers(0, 3)) if dissolves else 0 for _ in lengths[1:]]
    clips = []
    for place, (frames, dissolve) in enumerate(zip(lengths, over, strict=True)):
        behind = over[place + 1] if place + 1 < count else 0
        start = draw(st.integers(0, 30))
        spare = draw(st.none() | st.integers(0, 20))
        source = draw(st.sampled_from([HERE / "takes" / "01 x#%.mp4", HERE / "b.mp4", Path("/else where/c.mov"), None]))
        marks = draw(st.lists(st.builds(Marker, st.integers(0, frames - 1), WORDS), max_size=2))
        known = None if spare is None or source is None else start + frames + behind + spare
        clips.append(
            TimelineClip(f"shot {place + 1}", frames, source, start, known, dissolve, tuple(marks), {"shot": place + 1})
        )
    sounds = (HERE / "sound" / "dialogue.wav", Path("/else where/bed.wav")) if draw(st.booleans()) else ()
    return Timeline(draw(WORDS), draw(st.sampled_from(RATES)), (832, 480), tuple(clips), sounds)


@settings(max_examples=60, deadline=None)
@given(timelines())
def test_otio_holds_all_there_is(edit: Timeline) -> None:
    text = otio_text(edit, HERE)
    read = otio.adapters.read_from_string(text, "otio_json")
    (pictures,) = read.video_tracks()
    found = [(clip.range_in_parent().start_time.value, clip.duration().value) for clip in pictures.find_clips()]
    assert found == [(start, end - start) for start, end in pairwise(edit.cuts)]
    assert [track.name for track in read.audio_tracks()] == [sound.stem for sound in edit.sounds]
    assert {track.duration().value for track in read.audio_tracks()} <= {edit.cuts[-1]}
    assert all(clip.duration().rate == float(edit.fps) for clip in read.find_clips())
    inside = [clip.media_reference.target_url for clip in read.find_clips() if "takes" in str(clip.media_reference)]
    assert all(not url.startswith(("/", "file:")) for url in inside)  # the run folder can be moved


def test_otio_comes_back_the_same(tmp_path: Path) -> None:
    marker = Marker(3, "mia: likeness 0.21")
    first = TimelineClip(
        "shot 1", 20, tmp_path / "takes" / "01 é.mp4", 2, 30, 0, (marker,), {"shot": 1, "likeness": {"mia": 0.5}}
    )
    edit = Timeline(
        "A film", Fraction(24000, 1001), (832, 480), (first, TimelineClip("shot 2", 30, None, dissolve=6), TimelineClip("shot 3", 4)),
        (tmp_path / "sound" / "dialogue.wav", Path("/beds/rain.wav")),
    )  # fmt: skip
    (tmp_path / "film.otio").write_text(otio_text(edit, tmp_path))
    assert read_otio(tmp_path / "film.otio") == edit


@settings(max_examples=60, deadline=None)
@given(timelines())
def test_an_edl_is_read_back_with_the_same_cuts(edit: Timeline) -> None:
    text, remarks = edl_text(edit)
    at_rate, exact = conformed(edit, EDL_RATES)
    assert exact and at_rate.fps in EDL_RATES  # every rate of a model goes over without a rounding
    assert bool(remarks) == (at_rate.fps != edit.fps)
    counts = "DROP FRAME" if edit.fps == Fraction(30000, 1001) else "NON-DROP FRAME"
    assert text.isascii() and text.splitlines()[1] == f"FCM: {counts}"
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=float(at_rate.fps))
    clips = list(read.find_clips())
    found = [(clip.range_in_parent().start_time.value, clip.duration().value) for clip in clips]
    factor = at_rate.fps / edit.fps
    assert found == [(start * factor, (end - start) * factor) for start, end in pairwise(edit.cuts)]
    assert [clip.source_range.start_time.value for clip in clips] == [clip.start * factor for clip in edit.clips]
    assert [clip.metadata["cmx_3600"]["reel"] for clip in clips] == [f"S{n:03}" for n in range(1, len(clips) + 1)]
    fades = [item.duration().value for item in read.tracks[0] if isinstance(item, otio.schema.Transition)]
    assert fades == [clip.dissolve * factor for clip in edit.clips if clip.dissolve]


def seconds(said: str) -> Fraction:
    return Fraction(said.removesuffix("s"))


@settings(max_examples=60, deadline=None)
@given(timelines())
def test_fcpxml_is_one_unbroken_line_of_whole_frames(edit: Timeline) -> None:
    text, _ = fcpxml_text(edit)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.9">')
    top = ElementTree.fromstring(text)  # noqa: S314 -- our own text
    formats = {each.get("id"): seconds(each.get("frameDuration", "")) for each in top.iter("format")}
    assets = {each.get("id"): each for each in top.iter("asset")}
    at_rate, _ = conformed(edit, FINAL_CUT_RATES)
    assert 1 / formats["r1"] == at_rate.fps and 1 / formats["r2"] == edit.fps
    (spine,) = top.iter("spine")
    items = [item for item in spine if item.tag != "transition"]
    assert len(items) == len(edit.clips)
    at = Fraction(0)
    for item, clip in zip(items, edit.clips, strict=True):
        assert seconds(item.get("offset", "")) == at
        start, length = seconds(item.get("start", "")), seconds(item.get("duration", ""))
        at += length
        assert (start * at_rate.fps).denominator == (length * at_rate.fps).denominator == 1 and length > 0
        if clip.source:
            asset = assets[item.get("ref")]
            assert asset.find("media-rep").get("src") == clip.source.as_uri()  # type: ignore[union-attr]
            assert start + length <= seconds(asset.get("duration", ""))
    assert at == seconds(next(top.iter("sequence")).get("duration", "")) == Fraction(at_rate.cuts[-1]) / at_rate.fps
    under = [each for each in items[0] if each.tag == "asset-clip"]
    assert [assets[each.get("ref")].get("name") for each in under] == [sound.name for sound in edit.sounds]
    for lane, each in enumerate(under, start=1):
        assert int(each.get("lane", "")) == -lane and seconds(each.get("duration", "")) == at
        assert seconds(each.get("offset", "")) == seconds(items[0].get("start", ""))  # the first frame of the film
    # A dissolve runs from the cut on, for its whole length, as in the film.
    fades = [
        (seconds(each.get("offset", "")), seconds(each.get("duration", "")))
        for each in spine
        if each.tag == "transition"
    ]
    found = zip(at_rate.clips, at_rate.cuts, strict=False)
    assert fades == [(cut / at_rate.fps, clip.dissolve / at_rate.fps) for clip, cut in found if clip.dissolve]


@pytest.mark.parametrize("fps", [12, 24, 25, 30])
def test_otio_reads_our_fcpxml(fps: int) -> None:
    files = [
        TimelineClip(f"shot {n}", 10 * n, Path(f"/takes/{n}.mp4"), n, 90, markers=(Marker(2, "look"),))
        for n in (1, 2, 3)
    ]
    edit = Timeline("film", Fraction(fps), (832, 480), tuple(files))
    read: Any = otio.adapters.read_from_string(fcpxml_text(edit)[0], "fcpx_xml")
    (timeline,) = (each for each in read if isinstance(each, otio.schema.Timeline))
    clips = list(timeline.find_clips())
    assert [(clip.name, clip.source_range.start_time.value, clip.duration().value) for clip in clips] == [
        (clip.name, clip.start, clip.frames) for clip in files
    ]


@given(timelines(dissolves=False), st.sampled_from([Fraction(7), Fraction(18), Fraction(29)]))
@settings(max_examples=30, deadline=None)
def test_a_rate_that_fits_nowhere_moves_no_cut_by_more_than_half_a_frame(edit: Timeline, fps: Fraction) -> None:
    odd = Timeline(edit.name, fps, edit.size, edit.clips)
    moved, exact = conformed(odd, EDL_RATES)
    assert moved.fps == 24 and not exact
    for before, after in zip(odd.cuts, moved.cuts, strict=True):
        assert abs(before / odd.fps - after / moved.fps) <= 1 / (2 * moved.fps)


def test_an_otioz_holds_its_files(tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    for name in ("01 é.mp4", "02.mp4"):
        (tmp_path / "takes" / name).write_bytes(name.encode())
    clips = [
        TimelineClip("shot 1", 20, tmp_path / "takes" / "01 é.mp4"),
        TimelineClip("shot 2", 9, tmp_path / "takes" / "02.mp4"),
        TimelineClip("shot 3", 5),
    ]
    edit = Timeline("film", Fraction(12), (832, 480), tuple(clips))
    write_otioz(edit, tmp_path / "film.otioz")
    with zipfile.ZipFile(tmp_path / "film.otioz") as archive:
        assert archive.testzip() is None
        assert archive.read("media/01 é.mp4") == "01 é.mp4".encode()
    read = list(otio.adapters.read_from_file(str(tmp_path / "film.otioz")).find_clips())
    assert [clip.duration().value for clip in read] == [20, 9, 5]
    assert isinstance(read[2].media_reference, otio.schema.MissingReference)

    with pytest.raises(AssembleError, match="no such file"):
        write_otioz(
            Timeline("film", Fraction(12), (832, 480), (TimelineClip("a", 5, tmp_path / "no.mp4"),)),
            tmp_path / "b.otioz",
        )
    (tmp_path / "02.mp4").write_bytes(b"")
    two = (TimelineClip("a", 5, tmp_path / "02.mp4"), TimelineClip("b", 5, tmp_path / "takes" / "02.mp4"))
    with pytest.raises(AssembleError, match="two files of one name"):
        write_otioz(Timeline("film", Fraction(12), (832, 480), two), tmp_path / "b.otioz")


@pytest.mark.parametrize(
    ("clips", "said"),
    [
        ((), "at least one clip"),
        ((TimelineClip("shot 1", 0),), "no stretch"),
        ((TimelineClip("shot 1", 5, dissolve=2),), "dissolve is longer"),
        ((TimelineClip("shot 1", 5), TimelineClip("shot 2", 3, dissolve=4)), "dissolve is longer"),
        ((TimelineClip("shot 1", 5, Path("a.mp4"), 2, 6),), "7 frames are asked for, the file has 6"),
        (
            (TimelineClip("shot 1", 5, Path("a.mp4"), 0, 6), TimelineClip("shot 2", 5, dissolve=2)),
            "7 frames are asked for, the file has 6",
        ),
    ],
)
def test_an_edit_that_cannot_be_played_is_refused(clips: tuple[TimelineClip, ...], said: str) -> None:
    with pytest.raises(AssembleError, match=said):
        Timeline("film", Fraction(12), (832, 480), clips)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"OTIO_SCHEMA": "Timeline.1", "name": "x"}', "\x00"])
def test_another_file_is_no_edit_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "film.otio").write_text(text)
    with pytest.raises(AssembleError, match="no edit that storyboard wrote"):
        read_otio(tmp_path / "film.otio")
