"""The command line as a person types it: results, messages, exit codes, and how soon it answers."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.commands import cli, console
from storyboard.commands.progress import _Bars, showing
from storyboard.errors import Problem, RenderError, ScriptError, Spot, StoryboardError
from storyboard.events import Event

Write = Callable[..., Path]
ROOT = Path(__file__).parents[3]
GIVEN = "# INT. SHOP - NIGHT\n## Shot: wide, static, 3s\n@mia waves at @tom.\n## Shot: close-up\n@mia: \"Hello.\"\n"


Run = Callable[..., tuple[int, str, str]]


def test_help_and_version(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for command in ("render", "plan", "doctor", "refs", "models", "train"):
        assert command in out
    assert run("--version")[1].startswith("storyboard ")
    for words in (["render", "-h"], ["refs", "prepare", "--help"], ["models", "check", "--help"]):
        assert run(*words)[0] == 0
    assert run()[0] == 2


def test_plan_shows_the_shots(run: Run, write: Write) -> None:
    code, out, err = run("plan", write(GIVEN))
    assert (code, err) == (0, "")
    assert "The Lighthouse: 2 shots, 5.0 s, 832x480, seed 7" in out
    assert "  1  wide, static, 3 s" in out and '@mia: "Hello."' in out


def test_plan_as_json_and_as_a_file(run: Run, write: Write, room: Path) -> None:
    code, out, _ = run("plan", write(GIVEN), "--json", "--seed", "9")
    assert code == 0 and json.loads(out)["seed"] == 9
    code, out, _ = run("plan", room / "script.md", "-o", room / "board.json")
    assert (code, json.loads((room / "board.json").read_text())["schema"]) == (0, "storyboard/1")
    assert run("plan", room / "board.json")[1] == run("plan", room / "script.md")[1]
    code, _, err = run("plan", room / "script.md", "-o", room / "no" / "board.json")
    assert code == 2 and "mkdir -p" in err
    (room / "board.json").write_text((room / "board.json").read_text().replace('"heading"', '"haeding"'))
    assert "did you mean heading?" in run("plan", room / "board.json")[2]


def test_warnings_go_to_stderr(run: Run, write: Write) -> None:
    code, _, err = run("plan", write(GIVEN + "Tom sits."))
    assert code == 0 and "stands here without its @" in err


def test_mistakes_are_one_message_and_exit_2(run: Run, write: Write) -> None:
    path = write(GIVEN.replace("@tom", "@tim").replace("wide", "wdie"))
    code, out, err = run("plan", path)
    assert (code, out) == (2, "")
    assert err.count(str(path)) == 2 and "Traceback" not in err
    code, out, _ = run("plan", path, "--json")
    problems = json.loads(out)["error"]["problems"]
    assert [(each["line"], each["column"]) for each in problems] == [(11, 10), (12, 15)]


@pytest.mark.parametrize("words", [["render", "x.md", "--shots", "a"], ["render", "x.md", "--takes", "0"], ["fly"], ["plan"], ["plan", "x.md", "--seed", "-1"]])
def test_wrong_words_exit_2(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "") and "Error" in err


def test_a_script_that_is_not_there(run: Run, room: Path) -> None:
    code, _, err = run("plan", room / "no.md")
    assert code == 2 and err.startswith("storyboard: ") and "there is no such script" in err


def test_debug_shows_the_traceback(run: Run, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["storyboard", "plan", str(room / "no.md"), "--debug"])
    with pytest.raises(StoryboardError):
        cli.main()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (StoryboardError("wrong", where="x", mend="mend it"), 2, "storyboard: x: wrong\n  mend it"),
        (RenderError("failed", mend="again"), 1, "storyboard: failed\n  again"),
        (OSError(errno.ENOSPC, "No space left", "a.bin"), 1, "the disk is full: a.bin"),
        (PermissionError(errno.EACCES, "Permission denied", "a.bin"), 1, "a.bin: Permission denied"),
        (MemoryError(), 1, "there is not enough memory"),
        (ZeroDivisionError("oops"), 1, "ZeroDivisionError: oops\n  this is a fault of storyboard"),
    ],
)
def test_every_error_is_a_short_message(capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str) -> None:
    assert console.failure(error, as_json=True) == code
    out, err = capsys.readouterr()
    assert said in err and err.count("\n") <= 3
    assert json.loads(out)["error"]["what"]


def test_an_error_of_a_script_says_all_problems_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    console.failure(ScriptError([Problem("a.md", Spot(2, 3), "what", "mend", "xx")]), as_json=True)
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["problems"] == [{"path": "a.md", "line": 2, "column": 3, "what": "what", "mend": "mend"}]


def test_shots_are_numbers_and_spans() -> None:
    assert cli._numbers("1,3-5") == [1, 3, 4, 5]
    assert cli._numbers(None) is None


def test_models(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("models", "list")
    assert code == 0 and "toon: up to" in out and "Wan2.2-T2V-A14B" in out
    assert {"toon"} <= {row["name"] for row in json.loads(run("models", "list", "--json")[1])}
    code, _, err = run("models", "check", tmp_path)
    assert code == 2 and "no model_index.json" in err


def test_the_doctor_says_what_is_amiss(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("doctor", "--model", tmp_path / "nowhere", "--json")
    found = {each["name"]: each for each in json.loads(out)}
    assert code == 1 and not found["model"]["good"] and found["model"]["mend"]
    assert found["python"]["good"] and found["disk"]
    assert "AMISS" in run("doctor", "--model", tmp_path / "nowhere")[1]


def test_progress_is_plain_lines_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    with showing(sys.stderr) as tell:
        tell(Event("stage", "layout: 2 takes", stage="layout", total=2))
        tell(Event("step", "layout: 1 of 4", 1, 1, "layout", 1, 4))
        tell(Event("artefact", "layout: shot 1", 1, 1, "layout", 1, 2, 0.5))
    assert capsys.readouterr().err == "layout: 2 takes\nlayout: shot 1\n"


def test_progress_is_bars_in_a_terminal() -> None:
    from io import StringIO

    from rich.console import Console
    from rich.progress import Progress

    stream = StringIO()
    with Progress(console=Console(file=stream, force_terminal=True, width=80)) as progress:
        bars = _Bars(progress)
        bars(Event("stage", "layout: 2 takes", stage="layout", total=2))
        bars(Event("step", "layout: 1 of 4", 1, 2, "layout", 1, 4))
        assert progress.tasks[0].completed == 0.25
        bars(Event("artefact", "layout: shot 1", 1, 1, "layout", 1, 2, 0.5))
        bars(Event("note", "[red]a note[/red]"))
    assert "[red]a note[/red]" in stream.getvalue()
