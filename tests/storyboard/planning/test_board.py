"""The storyboard as a document: typed, versioned, edited by hand, and whole after every round trip."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import ScriptError, StoryboardError
from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.check import check_board
from storyboard.planning.planner import plan
from storyboard.script.reading import read_script

GOLDEN = Path(__file__).parent / "golden" / "board-1.json"
SCRIPT = GOLDEN.with_name("script.md")


@pytest.fixture
def plain() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_the_golden_board(room: Path, limits: Limits) -> None:
    """The form of the file is a promise: a change of it needs a new schema version and an upgrade."""
    (room / "script.md").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    board = plan(read_script(room / "script.md", limits), limits)
    assert board.text() == GOLDEN.read_text(encoding="utf-8")
    assert Storyboard.load(GOLDEN).text() == GOLDEN.read_text(encoding="utf-8")


def test_unknown_fields_survive(plain: dict[str, Any], tmp_path: Path) -> None:
    plain["note"] = {"by": ["me"]}
    plain["shots"][0]["lens"] = 35
    plain["shots"][0]["light"]["kelvin"] = 3200
    plain["characters"]["mia"]["voice"] = "alto"
    path = tmp_path / "board.json"
    Storyboard.parse(plain, folder=tmp_path).save(path)
    again = json.loads(path.read_text(encoding="utf-8"))
    assert again["note"] == {"by": ["me"]}
    assert again["shots"][0]["lens"] == 35 and again["shots"][0]["light"]["kelvin"] == 3200
    assert again["characters"]["mia"]["voice"] == "alto"


def test_fields_misspelt_are_doubted(plain: dict[str, Any]) -> None:
    plain["shots"][1]["secnds"] = 2
    plain["shots"][0]["light"]["warmht"] = "cool"
    assert set(Storyboard.parse(plain).doubts()) == {
        "shots[1].secnds is not known, did you mean seconds?",
        "shots[0].light.warmht is not known, did you mean warmth?",
    }


def test_a_prompt_follows_its_fields_until_somebody_rewrites_it(plain: dict[str, Any]) -> None:
    plain["shots"][0]["place"] = "park"
    plain["shots"][1] |= {"prompt": "My own words.", "place": "park"}
    first, second = Storyboard.parse(plain).shots[:2]
    assert ", park, " in first.prompt
    assert second.prompt == "My own words."
    again = Storyboard.parse(json.loads(Storyboard.parse(plain).text())).shots[:2]
    assert [shot.prompt for shot in again] == [first.prompt, second.prompt]
    del plain["shots"][1]["prompt"]
    assert Storyboard.parse(plain).shots[1].prompt.startswith("close-up shot")


def test_paths_are_written_from_where_the_board_is(plain: dict[str, Any], tmp_path: Path) -> None:
    plain["shots"][0]["clip"] = "clips/storm.mp4"
    plain["characters"]["tom"]["refs"] = ["/abs/tom"]
    board = Storyboard.parse(plain, folder=tmp_path / "film")
    (tmp_path / "film.run").mkdir()
    board.save(tmp_path / "film.run" / "board.json")
    again = Storyboard.load(tmp_path / "film.run" / "board.json")
    assert again.characters["mia"].refs == ["../film/refs/mia"]
    assert again.characters["tom"].refs == ["/abs/tom"]
    assert again.shots[0].clip == "../film/clips/storm.mp4"
    assert again.path("../film/refs/mia").resolve() == (tmp_path / "film/refs/mia").resolve()
    assert board.characters["mia"].refs == ["refs/mia"]


def test_another_seed_changes_every_seed_and_nothing_else(plain: dict[str, Any]) -> None:
    board = Storyboard.parse(plain)
    other = board.reseeded(99)
    assert all(a.seed != b.seed and a.prompt == b.prompt for a, b in zip(board.shots, other.shots, strict=True))
    assert other.reseeded(board.seed).text() == board.text()


def changed(plain: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The board with one value replaced, or taken out when it is `...`."""
    part: Any = plain
    *steps, last = path.split(".")
    for step in steps:
        part = part[int(step) if step.isdigit() else step]
    key = int(last) if last.isdigit() else last
    if value is ...:
        del part[key]
    else:
        part[key] = value
    return plain


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("shots.1.size", "clos-up", "shots[1].size: \"clos-up\" will not do; write wide, medium or close-up (did you mean close-up?)"),
        ("shots.0.light.side", "above", "shots[0].light.side: \"above\" will not do"),
        ("shots.0.light", ..., "shots[0].light: this is missing"),
        ("shots.0.seconds", "long", "shots[0].seconds: "),
        ("shots.0.seconds", -1, "shots[0].seconds: input should be greater than 0"),
        ("shots.0.seconds", None, "shots[0]: seconds is null"),
        ("shots.0.characters.0.name", "zoe", "shots[0]: there is no character zoe"),
        ("shots.0.characters.0.name", "mis", "did you mean mia?"),
        ("shots.0.action", "@ann waves.", "shots[0]: there is no character ann"),
        ("shots.2.action", "@mia waves at @tom.", "shots[2]: @tom is in the action and not in the shot's characters"),
        ("shots.1.lines.0.speaker", "nobody", "shots[1]: there is no character nobody"),
        ("shots.0.characters", [{"name": "mia", "side": "left"}] * 2, "shots[0]: a character is in the shot twice"),
        ("shots.0.place", "", "shots[0].place: "),
        ("shots", [], "shots: "),
        ("size", "big", "size: "),
        ("characters.mia.refs", [], "characters.mia.refs: "),
        ("seed", -3, "seed: "),
    ],
)
def test_a_mistake_is_told_by_its_json_path(plain: dict[str, Any], path: str, value: Any, said: str) -> None:
    with pytest.raises(StoryboardError) as caught:
        Storyboard.parse(changed(plain, path, value), where="board.json")
    assert said in caught.value.what
    assert caught.value.where == "board.json" and caught.value.mend and caught.value.exit_code == 2


def test_all_mistakes_at_once(plain: dict[str, Any]) -> None:
    changed(plain, "shots.0.size", 1)
    changed(plain, "shots.1.move", "fly")
    with pytest.raises(StoryboardError) as caught:
        Storyboard.parse(plain)
    assert "shots[0].size" in caught.value.what and "shots[1].move" in caught.value.what


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": "storyboard/1",}', "this is no JSON"),
        ("{'schema': 1}", "double quotes"),
        ("[1, 2", "a comma or a bracket is missing"),
        ("[1, 2]", "no storyboard"),
        ('{"schema": "otio/1"}', "no storyboard"),
        ('{"schema": "storyboard/one"}', "no storyboard"),
        ('{"schema": "storyboard/2"}', "made by a newer storyboard"),
        ('{"schema": "storyboard/0"}', "there never was a storyboard/0"),
        ("[" * 100_000, "no JSON"),
        ("", "empty"),
    ],
)
def test_files_that_are_no_board(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(StoryboardError) as caught:
        Storyboard.load(tmp_path / "b.json")
    assert said in str(caught.value)


def test_broken_json_is_shown(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{\n  "schema": "storyboard/1"\n  "title": 1\n}')
    with pytest.raises(ScriptError) as caught:
        Storyboard.load(tmp_path / "b.json")
    (problem,) = caught.value.problems
    assert (problem.spot.line, problem.spot.column) == (3, 3)


def test_an_older_board_is_upgraded(plain: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def from_nought(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "schema": "storyboard/1", "title": old["name"]}

    monkeypatch.setitem(__import__("storyboard.planning.upgrade", fromlist=["UPGRADES"]).UPGRADES, 0, from_nought)
    board = Storyboard.parse({**plain, "schema": "storyboard/0", "name": "Old"})
    assert board.title == "Old" and json.loads(board.text())["schema"] == "storyboard/1"


def test_what_the_model_cannot_make_is_told_by_path(plain: dict[str, Any], limits: Limits, room: Path) -> None:
    plain["size"] = [832, 100]
    plain["shots"] *= 2
    plain["shots"][0] = {**plain["shots"][0], "seconds": 9}
    plain["shots"][2] = {**plain["shots"][2], "clip": "nowhere.mp4"}
    plain["characters"]["tom"]["refs"] = ["refs/tim.png"]
    with pytest.raises(StoryboardError) as caught:
        check_board(Storyboard.parse(plain, folder=room), limits, "board.json")
    for said in (
        "size: a film of 832x100", "shots[0].seconds: toon makes shots of 0.5 to 5 s, not 9", "shots[2].clip: there is no clip",
        "characters.tom.refs[0]: there are no references", "shots: sequence 1 has 6 shots",
    ):  # fmt: skip
        assert said in caught.value.what


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
paths = st.sampled_from(
    ["title", "style", "size", "seed", "characters", "characters.mia", "characters.mia.refs", "shots", "shots.0", "shots.0.size",
     "shots.1.move", "shots.1.seconds", "shots.0.light", "shots.0.characters", "shots.1.lines", "shots.1.lines.0", "shots.0.action",
     "shots.0.clip", "shots.0.prompt", "shots.0.why", "shots.0.place", "extra", "schema"]
)  # fmt: skip


@given(path=paths, value=json_values)
@settings(max_examples=200, deadline=None)
def test_any_edit_is_taken_or_told_and_what_is_taken_survives(path: str, value: Any) -> None:
    plain = json.loads(GOLDEN.read_text(encoding="utf-8"))
    try:
        board = Storyboard.parse(changed(plain, path, value))
    except StoryboardError as error:
        assert error.what and error.mend  # noqa: PT017 - either outcome is right
        return
    assert Storyboard.parse(json.loads(board.text())).text() == board.text()


def test_the_board_can_be_made_in_python(tmp_path: Path) -> None:
    make: Callable[..., Storyboard] = Storyboard.model_validate
    shot = {"size": "wide", "seconds": 2, "place": "park", "interior": False, "time": "day", "light": {"side": "left", "warmth": "warm"}}
    board = make({"size": "96x64", "shots": [shot]})
    assert board.pixels == (96, 64) and board.composed().shots[0].prompt.startswith("wide shot, static camera. exterior, park, day.")
