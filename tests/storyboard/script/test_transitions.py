"""Transitions and the parts of clips, from the script to the board and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.errors import ScriptError, StoryboardError
from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.check import check_board
from storyboard.planning.planner import plan
from storyboard.planning.shot import Shot
from storyboard.refs import clip_span
from storyboard.script.reading import read_script
from storyboard.script.transitions import Change, Transition, stands_alone, transition

Write = Callable[..., Path]
FADE = Transition("fade")


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("CUT TO:", Change()),
        ("SMASH CUT TO:", Change()),
        ("DISSOLVE TO:", Change(enter=Transition("dissolve"))),
        ("> Cross-fade to:", Change(enter=Transition("dissolve"))),
        ("**DISSOLVE TO:** ", Change(enter=Transition("dissolve"))),
        ("Dissolve to: (1.5s)", Change(enter=Transition("dissolve", 1.5))),
        ("LAP DISSOLVE TO: .5 seconds", Change(enter=Transition("dissolve", 0.5))),
        ("FADE IN:", Change(enter=FADE)),
        ("Fade from black.", Change(enter=FADE)),
        ("FADE OUT.", Change(leave=FADE)),
        ("FADE TO BLACK (2s).", Change(leave=Transition("fade", 2))),
        ("FADE TO:", Change(FADE, FADE)),
        ("DIP TO BLACK:", Change(FADE, FADE)),
        ("DISSOLVE TO: 0s", Change()),
    ],
)
def test_lines_that_are_transitions(line: str, change: Change) -> None:
    assert stands_alone(line) == (change, True)


@pytest.mark.parametrize(
    "line", ["She fades out.", "dissolve", "They cut to the left.", "FADE", "Fade to grey.", "@mia: CUT TO:", "", "3s"]
)
def test_lines_that_are_text(line: str) -> None:
    assert stands_alone(line) is None


def test_words_of_a_shot_heading() -> None:
    assert transition("dissolve 0.5s") == Change(enter=Transition("dissolve", 0.5))
    assert transition("fade out") == Change(leave=FADE)
    assert transition("close-up") is None and transition("wide") is None


def joined(board: Storyboard) -> list[tuple[object, object]]:
    pairs = [(shot.transition_in, shot.transition_out) for shot in board.shots]
    return [tuple(each and (each.kind, each.seconds) for each in pair) for pair in pairs]  # type: ignore[misc]


GIVEN = """FADE IN: 0.5s

# INT. KITCHEN - DAY

## Shot: wide, 3s
@mia waves.

DISSOLVE TO:

## Shot: medium, 2s, fade out 0.5s
@tom waves.

# EXT. BEACH - DAY

## Shot: close-up, dissolve 9s, 1s
@mia waves.

FADE TO BLACK.
"""


def test_given_shots_enter_and_leave_as_the_script_says(write: Write, limits: Limits) -> None:
    board = plan(read_script(write(GIVEN), limits), limits)
    assert joined(board) == [
        (("fade", 0.5), None),
        (("dissolve", 1.0), ("fade", 0.5)),
        (("dissolve", 0.5), ("fade", 0.5)),  # half of a shot of one second, which is said
    ]
    assert "half of a shot" in board.shots[2].why["transition_in"]
    assert board.spans == [2.0, 1.5, 1.0]
    assert board.seconds == 3 + 2 + 1 - 1.0 - 0.5
    check_board(board, limits, "board")


@pytest.mark.parametrize("suffix", [".md", ".fountain"])
def test_prose_is_cut_where_a_transition_stands(write: Write, limits: Limits, suffix: str) -> None:
    text = "FADE IN:\n\n{}INT. KITCHEN - DAY\n\nMia waves.\n\nDISSOLVE TO:\n\nTom waves.\n\nFADE OUT.\n\n{}EXT. BEACH - DAY\n\nMia runs.\n"
    text = (
        text.format("", "")
        if suffix == ".fountain"
        else text.format("# ", "# ").replace("Mia", "@mia").replace("Tom", "@tom")
    )
    board = plan(read_script(write(text, f"script{suffix}"), limits), limits)
    assert [shot.names for shot in board.shots] == [("mia",), ("tom",), ("mia",)]
    assert joined(board) == [(("fade", 1.0), None), (("dissolve", 1.0), ("fade", 1.0)), (None, None)]


def test_a_dissolve_at_the_very_beginning_comes_from_black(write: Write, limits: Limits) -> None:
    board = plan(
        read_script(write("DISSOLVE TO:\n\n# INT. KITCHEN - DAY\n\n@mia waves.\n\n@tom waves.\n"), limits), limits
    )
    assert joined(board)[0] == (("fade", 1.0), None) and "transition_in" in board.shots[0].why


def test_what_cannot_be_joined_is_said(write: Write, limits: Limits) -> None:
    text = "# INT. KITCHEN - DAY\n\n## Shot: wide\n@mia waves.\n\nWIPE TO:\n\n## Shot: wide\n@mia waves.\n\nDISSOLVE TO:\n\n@tom waves.\n"
    script = read_script(write(text), limits)
    told = [(warning.spot.line - script.scenes[0].spot.line, warning.what) for warning in script.warnings]
    assert told[0] == (5, "this transition is not known here, so a cut is made of it")
    assert "within a shot" in told[1][1]
    with pytest.raises(ScriptError, match="two beginnings"):
        read_script(write("# INT. KITCHEN - DAY\n## Shot: wide, dissolve, fade in\n@mia waves.\n"), limits)


def board_of(*shots: dict[str, object]) -> Storyboard:
    plain = {"size": "medium", "seconds": 2.0, "place": "park", "interior": False, "time": "day",
             "light": {"side": "left", "warmth": "warm"}}  # fmt: skip
    return Storyboard.parse(
        {"schema": "storyboard/1", "size": "832x480", "shots": [{**plain, **shot} for shot in shots]}
    )


def test_transitions_survive_a_round_trip_and_older_boards_have_none(tmp_path: Path) -> None:
    board = board_of({}, {"transition_in": {"kind": "dissolve", "seconds": 0.75, "curve": "film"}, "clip_in": 1.5})
    board.save(tmp_path / "board.json")
    plain = json.loads((tmp_path / "board.json").read_text())
    assert plain["shots"][1]["transition_in"] == {"kind": "dissolve", "seconds": 0.75, "curve": "film"}
    assert not {"transition_in", "transition_out", "clip_in", "clip_out"} & set(plain["shots"][0])
    assert joined(Storyboard.load(tmp_path / "board.json")) == [(None, None), (("dissolve", 0.75), None)]


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        ({"transition_in": {"kind": "dissolve", "seconds": 1.5}}, "write at most 1, half"),
        ({"transition_out": {"kind": "fade", "seconds": 1.5}}, "transition_out: a fade of 1.5 s"),
    ],
)
def test_a_board_with_no_room_for_a_transition_is_refused(limits: Limits, shot: dict[str, object], words: str) -> None:
    with pytest.raises(StoryboardError, match=words):
        check_board(board_of({}, shot), limits, "board")


@pytest.mark.parametrize(
    "shot",
    [
        {"transition_out": {"kind": "dissolve", "seconds": 0.5}},
        {"transition_in": {"kind": "wipe", "seconds": 0.5}},
        {"clip_in": 3, "clip_out": 2},
    ],
)
def test_a_board_that_makes_no_sense_is_refused(shot: dict[str, object]) -> None:
    with pytest.raises(StoryboardError):
        board_of(shot)


@pytest.mark.parametrize(
    ("said", "path", "points"),
    [
        ("a.mp4", "a.mp4", (None, None)),
        ("a.mp4 in 2.5s out 6s", "a.mp4", (2.5, 6)),
        ("my takes/in the sea.mp4 from 0:02 to 1:02.5", "my takes/in the sea.mp4", (2, 62.5)),
        ('"a.mp4", out 3', '"a.mp4"', (None, 3)),
        ("a.mp4 in 1:00:00", "a.mp4", (3600, None)),
        ("check in.mp4", "check in.mp4", (None, None)),
    ],
)
def test_clips_are_named_with_their_points(said: str, path: str, points: tuple[float | None, float | None]) -> None:
    assert clip_span(said) == (path, points)


def test_a_clip_keeps_its_points_to_the_board(write: Write, limits: Limits, room: Path) -> None:
    (room / "storm.mp4").write_bytes(b"")
    board = plan(
        read_script(write("# EXT. BEACH - DAY\n## Shot: wide\nclip: storm.mp4 in 1.5s out 4s\n@mia waves.\n"), limits),
        limits,
    )
    shot: Shot = board.shots[0]
    assert (shot.clip, shot.clip_in, shot.clip_out, shot.longest) == ("storm.mp4", 1.5, 4.0, 2.5)
    with pytest.raises(ScriptError, match="out point is not after"):
        read_script(write("# EXT. BEACH - DAY\n## Shot: wide\nclip: storm.mp4 in 4s out 1.5s\n@mia waves.\n"), limits)
