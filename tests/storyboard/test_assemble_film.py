"""storyboard assemble: clips that were made elsewhere become a film."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from assemble import lasting, probe, read_frames, stitch
from storyboard import Event, Storyboard, assemble_film
from storyboard.assembling import matched

Run = Callable[..., tuple[int, str, str]]
SHOT = {
    "size": "wide",
    "seconds": 1.0,
    "place": "park",
    "interior": False,
    "time": "day",
    "light": {"side": "left", "warmth": "warm"},
}


def clip(path: Path, level: int, frames: int = 24, fps: int = 16, size: tuple[int, int] = (96, 64)) -> Path:
    stitch([[np.full((size[1], size[0], 3), level, np.uint8)] * frames], path, fps=fps, size=size)
    return path


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """Three shots of a second, a dissolve between the first two."""
    dissolve = {"transition_in": {"kind": "dissolve", "seconds": 0.5}}
    # Each in a place of its own, so that nobody expects them to be lit alike.
    shots = [SHOT, {**SHOT, **dissolve}, {**SHOT, "transition_out": {"kind": "fade", "seconds": 0.25}}]
    shots = [{**shot, "place": place} for shot, place in zip(shots, ("park", "beach", "forest"), strict=True)]
    Storyboard.parse({"schema": "storyboard/1", "size": "96x64", "shots": shots}).save(tmp_path / "board.json")
    (tmp_path / "clips").mkdir()
    return tmp_path / "board.json"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("shot01.mp4", 1), ("Shot_2.mov", 2), ("03.mp4", 3), ("3 storm v12.mkv", 3), ("storm_shot-2_take4.webm", 2),
        ("sh010.mp4", 0), ("02-1-abcdef12.mp4", 2), ("storm.mp4", 0), ("take2.mp4", 0), ("shot4.mp4", 0), ("screenshot3.mp4", 0),
    ],
)  # fmt: skip
def test_clips_are_matched_by_the_number_in_their_name(tmp_path: Path, name: str, number: int) -> None:
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    (tmp_path / ".shot01.mp4").write_bytes(b"")
    path = tmp_path / name
    assert matched(tmp_path, 3) == (({number: [path]}, []) if number else ({}, [path]))


def test_a_film_is_assembled_joined_and_reported(board: Path, run: Run) -> None:
    folder = board.parent
    clip(folder / "clips" / "shot01.mp4", 40)
    clip(folder / "clips" / "2.mp4", 200, fps=24)
    clip(folder / "clips" / "shot03.mov", 120, size=(64, 96))
    clip(folder / "clips" / "outtake.mp4", 0)
    words = ["--delivery", "192x128@24", "-o", folder / "film.mp4", "--clips-to", folder / "shots"]
    code, out, err = run("assemble", board, "--clips", folder / "clips", *words)
    assert (code, out.strip()) == (0, str(folder / "film.mp4"))
    assert "outtake.mp4 names no shot" in err and "Traceback" not in err
    frames = list(read_frames(folder / "film.mp4"))
    assert len(frames) == 3 * 24 - 12 and frames[0].shape == (128, 192, 3)
    # Of a patch, since one pixel may be three levels off: the watermark's id is random.
    middles = [float(frame[48:80, 80:112, 0].mean()) for frame in frames]
    assert all(abs(level - 40) < 3 for level in middles[:12])
    assert middles[12:24] == sorted(middles[12:24]) and 45 < middles[12] < 70 and 170 < middles[23] < 195
    assert all(abs(level - 200) < 3 for level in middles[24:36])
    assert abs(middles[40] - 120) < 3 and frames[40][64, 5].max() < 4  # an upright clip, between bars
    assert middles[-1] < 3
    assert [sum(1 for _ in read_frames(folder / "shots" / f"shot0{n}.mp4")) for n in (1, 2, 3)] == [24, 24, 24]
    facts = json.loads((folder / "film.run" / "run.json").read_text())
    assert facts["state"] == "done" and [shot["number"] for shot in facts["shots"]] == [1, 2, 3]
    assert "shot01.mp4" in (folder / "film.run" / "report.html").read_text()
    again = Storyboard.load(folder / "film.run" / "board.json")
    assert again.shots[0].clip == "../clips/shot01.mp4"


def test_a_clip_shorter_than_its_shot_is_told_and_used(board: Path) -> None:
    folder = board.parent
    for number in (1, 2, 3):
        clip(folder / "clips" / f"{number}.mp4", 100, frames=6 if number == 2 else 24, fps=24)
    told: list[Event] = []
    made = assemble_film(board, folder / "clips", folder / "film.mp4", on_event=told.append)
    assert any("shot 2 lasts 1 s, and 2.mp4 has 0.25 s" in event.text for event in told)
    frames = sum(1 for _ in read_frames(folder / "film.mp4"))
    assert frames == 24 + 6 + 24 - 6 and abs(made.seconds - frames / 24) < 0.01


def test_a_clip_that_was_cut_off_is_told_of_though_it_says_otherwise(board: Path) -> None:
    """Matroska says at its start how long all of it lasts."""
    folder = board.parent
    for number in (1, 3):
        clip(folder / "clips" / f"{number}.mp4", 100, frames=24, fps=24)
    made, path = clip(folder / "2.mp4", 100, frames=24, fps=24), folder / "clips" / "2.mkv"
    with av.open(str(made)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    whole = path.read_bytes()
    at = len(whole)
    while lasting(path) == pytest.approx(1, abs=0.01):
        at -= 1 + len(whole) // 200
        path.write_bytes(whole[:at])
    assert probe(path).seconds == pytest.approx(1, abs=0.05)
    left = lasting(path)
    told: list[Event] = []
    assemble_film(board, folder / "clips", folder / "film.mp4", on_event=told.append)
    assert any(f"shot 2 lasts 1 s, and 2.mkv has {left:.2f} s" in event.text for event in told)


@pytest.mark.parametrize("what", ["missing", "broken", "no folder", "a script", "no size", "a name"])
def test_what_cannot_be_assembled_is_told(board: Path, run: Run, what: str) -> None:
    folder, source, words = board.parent, board, ["-o", "film.mp4"]
    for number in (1, 3):
        clip(folder / "clips" / f"shot0{number}.mp4", 100)
    if what != "missing":
        (folder / "clips" / "shot02.mp4").write_bytes(b"no video" * 100)
    if what in ("no size", "a name"):
        clip(folder / "clips" / "shot02.mp4", 100)
        words = ["--delivery", "best"] if what == "no size" else ["--codec", "prores", "-o", str(folder / "film.mp4")]
    if what == "a script":
        source = folder / "script.md"
        source.write_text("@mia waves.")
    clips = folder / "nowhere" if what == "no folder" else folder / "clips"
    code, out, err = run("assemble", source, "--clips", clips, *words)
    said = {"missing": "no clip for shot 2", "broken": "shot02.mp4: the file is broken", "no folder": "no such folder",
            "a script": "storyboard plan", "no size": '"best" is no delivery', "a name": "Name it film.mov"}  # fmt: skip
    assert (code, out) == (2, "") and said[what] in err, err
    assert not (folder / "film.mp4").exists()
