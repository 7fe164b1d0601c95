"""storyboard export: a script, a board and a rendered film as files for others; nothing half done, everything told."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest

from storyboard import Storyboard, StoryboardError
from storyboard.film.edit import film_edit
from storyboard.film.story import _spread, story_of
from storyboard.shooting.takes import Take

SCRIPT = """
# INT. LIGHTHOUSE - NIGHT

## Shot: wide, static, 3s
@mia climbs. @tom stands.

## Shot: close-up, push in, 4s
@mia looks out.
@mia: "There is someone!"
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def film(write: Callable[..., Path], run: Run) -> Path:
    """A film and its run folder, as a render leaves them, of clips made here."""
    from assemble import otio_text, stitch, write_clip

    script = write(SCRIPT)
    assert run("plan", script, "-o", script.with_name("board.json"))[0] == 0
    path = script.with_name("film.mp4")
    folder = path.with_suffix(".run")
    (folder / "takes").mkdir(parents=True)
    board = Storyboard.load(script.with_name("board.json"))
    board.save(folder / "board.json")
    frames = [[np.full((64, 96, 3), 90 + 9 * n, np.uint8) for n in range(count)] for count in (9, 6)]
    lost = {"passes": False, "worst_frame": 4, "mean": 0.3, "faults": ["another face"]}
    kept = {"passes": True, "worst_frame": 0, "mean": 0.9, "faults": []}
    takes = []
    for number, clip in enumerate(frames, start=1):
        name = f"takes/{number:02}-1-ab.mp4"
        write_clip(clip, folder / name, 12)
        score = {"characters": {"mia": lost, "tom": kept}} if number == 1 else None
        takes.append(Take(number, 1, 5, keys={"decode": "ab"}, score=score, clip=name))
    made = stitch(frames, path, fps=12, size=(96, 64))
    (folder / "film.otio").write_text(otio_text(film_edit(board, takes, made, folder), folder))
    return path


def test_a_script_for_every_system(write: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    script = write(SCRIPT)
    for name in ("mia/1.png", "mia/2.png"):
        (tmp_path / "refs" / name).write_bytes(b"x")
    (tmp_path / "refs" / "tom").mkdir()
    code, out, err = run("export", script, "--to", "all", "-o", tmp_path / "out", "--json", "--estimate")
    assert (code, err) == (3, "")
    made = json.loads(out)
    # tom has one picture, of which Kling makes no element: it alone is not written, and says why.
    assert [name for name, each in made.items() if each["faults"]] == ["kling3"]
    assert made["kling3"] == {"files": [], "notes": made["kling3"]["notes"], "cost": None,
                              "faults": ["tom has 1 picture, and Kling 3.0 wants 2 to 4: add some"]}  # fmt: skip
    written = {Path(file).name for each in made.values() for file in each["files"]}
    assert written == {path.name for path in (tmp_path / "out").iterdir()}
    assert {
        "script.otio",
        "script.otioz",
        "script.edl",
        "script.fcpxml",
        "wan2.6-01.json",
        "comfyui-shot02.json",
    } < written
    assert made["wan2.6"]["cost"]["amount"] == pytest.approx(0.7)
    body = json.loads((tmp_path / "out" / "wan2.6-01.json").read_text())
    assert body["input"]["reference_urls"][1] == (tmp_path / "refs" / "tom.png").as_uri()
    assert "character1 on the left climbs" in body["input"]["prompt"]

    code, out, _ = run(
        "export", script, "--to", "wan2.6", "--to", "wan2.7", "--to", "holocine", "-o", tmp_path / "out", "--estimate"
    )
    table = out.partition("requests  seconds  cost\n")[2].splitlines()
    assert code == 0 and [line.split()[:3] for line in table] == [
        ["wan2.6", "1", "7.0"],
        ["wan2.7", "1", "7.0"],
        ["holocine", "1", "7.0"],
    ]
    assert (
        "0.70 USD, at 0.10 USD a second" in table[0]
        and "no price with a source is known" in table[1]
        and "own machine" in table[2]
    )
    assert "cost" not in run("export", script, "--to", "wan2.6", "-o", tmp_path / "out")[1]


def test_a_rendered_film_keeps_its_cuts_takes_and_findings(film: Path, run: Run, tmp_path: Path) -> None:
    for source in (film, film.with_suffix(".run")):
        code, out, _ = run("export", source, "--to", "otio", "--to", "edl", "--to", "otioz", "-o", tmp_path / "out")
        assert code == 0 and "set the project to that" in out
    (tmp_path / "out" / "film.otioz").rename(tmp_path / "moved.otioz")
    edits = [
        otio.adapters.read_from_file(str(tmp_path / "out" / "film.otio")),
        otio.adapters.read_from_file(str(film.with_suffix(".run") / "film.otio")),
        otio.adapters.read_from_file(str(tmp_path / "moved.otioz")),
        otio.adapters.read_from_string((tmp_path / "out" / "film.edl").read_text(), "cmx_3600", rate=24),
    ]
    for edit in edits:
        assert [clip.duration().to_seconds() for clip in edit.find_clips()] == [9 / 12, 6 / 12]
        (marker,) = next(iter(edit.find_clips())).markers
        assert (
            marker.name.lower() == "mia: another face"
            and marker.marked_range.start_time.to_seconds() == pytest.approx(4 / 12)
        )
    clip = next(iter(edits[1].find_clips()))
    assert clip.media_reference.target_url == "takes/01-1-ab.mp4"
    assert clip.metadata["storyboard"]["seed"] == 5 and clip.metadata["storyboard"]["likeness"]["tom"] == 0.9
    outside = next(iter(edits[0].find_clips())).media_reference.target_url
    assert outside == (film.with_suffix(".run") / "takes" / "01-1-ab.mp4").resolve().as_uri()


def test_a_film_with_dissolves_and_findings_of_others(film: Path, tmp_path: Path) -> None:
    from assemble import Film, Timeline

    board = Storyboard.load(film.with_suffix(".run") / "board.json")
    takes = [Take(number, 1, 5, keys={"decode": "ab"}, clip=f"takes/{number}.mp4") for number in (1, 2, 2)]
    made = Film(film, 30, Fraction(12), (96, 64), (0, 10, 14), (0, 3, 9))
    edit: Timeline = film_edit(board, takes, made, tmp_path, [(1, 99, "flash of 0.3 EV")])
    assert [clip.frames for clip in edit.clips] == [10, 4, 16] and edit.cuts == (0, 10, 14, 30)
    assert [clip.dissolve for clip in edit.clips] == [0, 3, 4]  # as long as the shortest clip that it joins
    assert [clip.available for clip in edit.clips] == [13, 8, 16]
    assert [(marker.frame, marker.text) for marker in edit.clips[0].markers] == [(9, "flash of 0.3 EV")]


def test_an_earlier_export_leaves_nothing_behind(write: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    long = SCRIPT + "\n## Shot: wide, static, 5s\n@mia waves.\n"
    out = tmp_path / "out"
    assert run("export", write(long), "--to", "wan2.6", "-o", out)[0] == 0
    (out / "wan2.6-mine.json").write_text("{}")
    assert sorted(path.name for path in out.iterdir()) == ["wan2.6-01.json", "wan2.6-02.json", "wan2.6-mine.json"]
    assert run("export", write(SCRIPT), "--to", "wan2.6", "-o", out)[0] == 0
    assert sorted(path.name for path in out.iterdir()) == ["wan2.6-01.json", "wan2.6-mine.json"]


def test_what_a_script_likely_does_not_mean_is_told(write: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    code, out, err = run("export", write(SCRIPT + "\nMia waves.\n"), "--to", "edl", "-o", tmp_path / "out", "--json")
    assert code == 0 and "stands here without its @" in err and json.loads(out)["edl"]["faults"] == []


def test_what_cannot_be_exported_says_why(write: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    script = write(SCRIPT)
    code, _, err = run("export", script, "--to", "klin3")
    assert code == 2 and '"klin3" is no kind of file (did you mean "kling3"?)' in err
    code, out, _ = run("export", script, "--to", "kling3", "-o", tmp_path / "out")
    assert code == 2 and "kling3 does not fit: " in out and not list((tmp_path / "out").iterdir())
    code, _, err = run("export", tmp_path, "--to", "edl")
    assert code == 2 and "holds no board.json" in err
    (tmp_path / "other.mp4").write_bytes(b"")
    code, _, err = run("export", tmp_path / "other.mp4", "--to", "edl")
    assert code == 2 and "has no run folder" in err
    code, _, err = run("export", script, "--to", "edl", "-o", script)
    assert code == 2 and "this is a file" in err
    code, _, err = run("export", script, "--to", "edl", "-o", tmp_path / "a" / "b")
    assert code == 2 and "mkdir -p" in err
    code, _, err = run("export", tmp_path / "none.md", "--to", "edl")
    assert code == 2 and "none.md" in err


def test_a_broken_edit_and_a_lost_take_are_told(film: Path, run: Run, tmp_path: Path) -> None:
    (film.with_suffix(".run") / "takes" / "02-1-ab.mp4").unlink()
    code, _, err = run("export", film, "--to", "otioz", "-o", tmp_path / "out")
    assert code == 2 and "there is no such file" in err and not list((tmp_path / "out").iterdir())
    (film.with_suffix(".run") / "film.otio").write_text("{}")
    code, _, err = run("export", film, "--to", "edl", "-o", tmp_path / "out")
    assert code == 2 and "no edit that storyboard wrote" in err


def test_pictures_come_from_packs_folders_and_videos(room: Path) -> None:
    pack = room / "packs" / "ann"
    (pack / "frames").mkdir(parents=True)
    for number in range(3):
        (pack / "frames" / f"{number:03}.webp").write_bytes(b"")
    (pack / "pack.json").write_text('{"exemplars": [2, 0]}')
    shot = {
        "size": "wide", "seconds": 2, "place": "park", "interior": False, "time": "day", "light": {"side": "left", "warmth": "warm"},
        "characters": [{"name": "ann", "side": "left"}, {"name": "mia", "side": "right"}], "lines": [{"speaker": "tom", "text": "Hey!", "heard": True}],
    }  # fmt: skip
    roles = {
        "mia": {"refs": ["refs/mia"]},
        "ann": {"refs": ["packs/ann", "refs/ann.mp4"]},
        "tom": {"refs": ["gone.png"]},
        "bob": {"refs": ["x"]},
    }
    plain = {
        "schema": "storyboard/1",
        "size": "832x480",
        "characters": roles,
        "shots": [shot, {**shot, "clip": "a.mp4", "characters": []}],
    }
    told = story_of(Storyboard.parse(plain, folder=room))
    assert [shot["number"] for shot in told["shots"]] == [1]
    people = {person["name"]: person for person in told["people"]}
    assert list(people) == ["mia", "ann", "tom"]  # who is only heard too, and who is in no shot not
    assert people["ann"]["pictures"] == [
        (pack / "frames" / name).resolve().as_uri() for name in ("002.webp", "000.webp")
    ]
    assert people["ann"]["videos"] == [(room / "refs" / "ann.mp4").resolve().as_uri()]
    assert people["tom"]["pictures"] == []
    for broken in ("", "{}", '{"exemplars": [7]}', '{"exemplars": 1}'):
        (pack / "pack.json").write_text(broken)
        with pytest.raises(StoryboardError, match="the pack is not whole"):
            story_of(Storyboard.parse(plain, folder=room))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 16, 151])
def test_the_first_few_of_many_pictures_come_from_all_over(count: int) -> None:
    files = [Path(f"{number:03}.png") for number in range(count)]
    spread = _spread(files)
    assert sorted(spread) == files
    if count >= 5:
        assert spread[:3] == [files[0], files[-1], files[round((count - 1) / 2)]]
