"""The conductor's part of the light: what board and identity say, the grade in the run folder, the report, the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storyboard.film.lighting import FilmLight, light, people_in, settings
from storyboard.planning.board import Storyboard
from storyboard.report.figures import Report, ShotReport
from storyboard.report.lightpage import light_section
from storyboard.script.light import change_in, light_in
from storyboard.shooting.runfolder import RunFolder
from storyboard.shooting.takes import Take

sys.path.insert(0, str(Path(__file__).parents[2] / "assemble"))
import lit


@pytest.mark.parametrize(
    ("action", "way"),
    [
        ("@mia blows out the candle.", "darker"),
        ("The lamp slowly goes out.", "darker"),
        ("@tom switches off the light.", "darker"),
        ("It grows dark.", "darker"),
        ("@mia lights a lantern.", "brighter"),
        ("@mia turns the old lamp on.", "brighter"),
        ("The lamp goes out. @tom lights a candle.", "brighter"),
        ("@mia climbs the stairs with a lantern.", ""),
        ("@mia turns to the lamp.", ""),
        ("@mia looks at the light.", ""),
    ],
)
def test_a_change_of_light_in_an_action(action: str, way: str) -> None:
    assert change_in(action) == way


def test_a_lamp_that_goes_out_happens_and_is_no_cue_for_the_key_light() -> None:
    assert light_in("Warm lamplight from the left.") is not None
    assert light_in("The lamp goes out.") is None


def board(*places: str, **said: Any) -> Storyboard:
    shot = {
        "size": "wide", "seconds": 1, "interior": True, "time": "day", "light": {"side": "front", "warmth": "neutral"},
        "characters": [{"name": "mia", "side": "left"}, {"name": "tom", "side": "right"}], "move": "pan left", **said,
    }  # fmt: skip
    roles = {"mia": {"refs": ["mia.png"]}, "tom": {"refs": ["tom.png"]}}
    shots = [{**shot, "place": place} for place in places]
    return Storyboard.parse({"schema": "storyboard/1", "size": "160x96", "characters": roles, "shots": shots})


def test_what_the_board_says_of_the_light() -> None:
    (said,) = settings(board("Kitchen", action="The lamp goes out.", anchor=True), [1])
    assert (said.place, said.time, said.side, said.anchor, said.change, said.pans) == (
        "kitchen",
        "day",
        "front",
        True,
        "darker",
        True,
    )


def test_people_come_from_the_score() -> None:
    seen = {"frame": 3, "name": "mia", "box": [1, 2, 30, 60], "face_box": None}
    (person,) = people_in({"seen": [seen]})[3]
    assert (person.name, person.box, person.face) == ("mia", (1, 2, 30, 60), None)
    assert people_in(None) == {}


CLIPS = (lit.clip(count=12), lit.clip(count=12, zoom=1.4, pan=20, gain=0.65), lit.clip(count=12, zoom=1.2))


@pytest.fixture(scope="module")
def lights() -> dict[bool, FilmLight]:
    """Three shots of a kitchen of which the second is too dark, graded and not."""
    people = {number: clip.people for number, clip in enumerate(CLIPS, start=1)}
    said = board("kitchen", "kitchen", "kitchen")
    return {
        grade: light(settings(said, [1, 2, 3]), lambda n: iter(CLIPS[n - 1].frames), people, grade=grade)
        for grade in (True, False)
    }


def test_a_dark_shot_is_graded_and_without_the_grade_asks_for_a_fix(lights: dict[bool, FilmLight]) -> None:
    assert not lights[True].fix and lights[False].fix
    before, after = (next(lights[on].frames(2, iter(CLIPS[1].frames))) for on in (False, True))
    assert np.array_equal(before, CLIPS[1].frames[0]) and after.mean() > before.mean() * 1.1
    assert np.array_equal(next(lights[True].frames(1, iter(CLIPS[0].frames))), CLIPS[0].frames[0])
    plain = json.loads(json.dumps(lights[True].plain()))
    assert plain["grades"]["2"]["kept"] and plain["anchors"]["2"] in (1, 3)
    assert {each["kind"] for each in plain["before"] if each["verdict"] == "fix"} == {"exposure"}


def test_the_run_folder_holds_the_luts_of_this_render_only(lights: dict[bool, FilmLight], tmp_path: Path) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        lights[True].keep(run)
        names = sorted(path.name for path in (run.path / "grades").iterdir())
        assert names == ["02-undo.cube", "02.cube"]
        assert "LUT_3D_SIZE" in (run.path / "grades" / "02.cube").read_text()
        lights[False].keep(run)
        assert not list((run.path / "grades").iterdir())


class Whole(HTMLParser):
    """Tags must close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "img", "line", "polyline", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("grade", [True, False])
def test_the_section_of_the_report(lights: dict[bool, FilmLight], grade: bool) -> None:
    takes = [Take(number, 1, 0) for number in (1, 2, 3)]
    shots = tuple(ShotReport(take.shot, take, (take,)) for take in takes)
    strips = {take.shot: CLIPS[take.shot - 1].frames[:3] for take in takes}
    report = Report(shots, {}, {}, {}, {}, lights[grade])
    page = light_section(report.light, strips, lambda frame: "data:image/webp;base64,")
    reader = Whole()
    reader.feed(page)
    assert not reader.open
    assert page.count("<svg") == 2 and page.count("exposure along the film") == 2
    assert ("02.cube" in page) == grade and ("to be fixed" in page) != grade
    assert page.count("<img") == (5 if grade else 2)  # two show the fault
    assert "frames 1 to 12, against shot" in page
    assert report.review != grade
    assert light_section(None, {}, str) == ""


def test_render_checks_the_light_and_takes_no_grade_where_none_is_wanted(
    stage: tuple[Path, Path], run: Callable[..., tuple[int, str, str]]
) -> None:
    folder, model = stage
    script = folder / "script.md"
    script.write_text(
        "---\nsize: 96x64\ncharacters:\n  mia: {refs: refs/mia}\n---\n\n# INT. KITCHEN - DAY\n\n"
        "## Shot: wide, 1s\n@mia waves.\n\n## Shot: close-up, 1s\n@mia talks.\n",
        encoding="utf-8",
    )
    film = folder / "film.mp4"
    code, out, err = run("render", script, "-o", film, "--model", model, "--no-grade", "--json")
    assert code in (0, 3), err
    told = json.loads(out)
    assert told["settings"]["grade"] is False
    assert told["light"]["grades"] == {} and told["light"]["after"] is None
    assert {each["kind"] for each in told["light"]["before"]} & {"ramp", "flicker"}
    assert "<h2>Light" in (film.with_suffix(".run") / "report.html").read_text(encoding="utf-8")
