"""Whatever a script holds, reading and planning it ends in a film plan or in a message, never in a traceback."""

from __future__ import annotations

import string
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import ScriptError, StoryboardError
from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.planner import plan
from storyboard.script.reading import read_script

LIMITS = Limits("toon", 12.0, 5.0, ((224, 128), (160, 160)))
HEAD = "---\ntitle: T\ncharacters:\n  mia: {refs: refs/mia.png, looks: a girl}\n  tom: {refs: refs/tom.png}\n---\n"
PIECES = [
    "# INT. KITCHEN - NIGHT", "## Shot: wide, static, 2s", "## Shot: close-up", "## Shot:", "# Title", "---", "***", "===",
    "@mia", "@tom", "@zoe", "@mia:", '@tom: "', '"', "“", "”", "'s", "waves", "walks to the beach", "sits in the kitchen", "She",
    "They", "He", "says", "and", ".", "!", "?", ",", "on the left", "in the centre", "Warm light from the right.", "At dawn,",
    "The next morning", "The camera pushes in", "Close on", "Wide shot of", "close-up", "pull out", "clip: a.mp4", "\n", "\n\n", "   ",
    "- ", "> ", "# ", "```", "<!--", "-->", "*", "_", "\\@", "\t", "MIA", "TOM (V.O.)", "(softly)", "CUT TO:", "EXT. PARK - DAY",
    "[[", "/*", ".", "~", "!", "title: x", "size: 9x9", "é", "灯", "\u2028", "\ue000", "\x07", "each other", "together",
]  # fmt: skip

scripts = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(PIECES) | st.text(string.ascii_letters + " .\n", max_size=12), max_size=60).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map("\n".join),
)


def attempt(text: str, head: str, name: str) -> Storyboard | None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "refs").mkdir()
        for who in ("mia", "tom"):
            (Path(folder) / "refs" / f"{who}.png").write_bytes(b"")
        path = Path(folder) / name
        path.write_text(head + text, encoding="utf-8")
        source = path.read_text(encoding="utf-8").split("\n")
        try:
            board = plan(read_script(path, LIMITS), LIMITS)
        except ScriptError as error:
            told = error.problems
        except StoryboardError as error:
            assert error.what and error.mend and str(error)  # noqa: PT017 - either outcome is right
            return None
        else:
            told = ()
        if told:
            for problem in told:
                assert problem.what and 1 <= problem.spot.line <= len(source) and str(problem)
                assert 1 <= problem.spot.column <= len(source[problem.spot.line - 1]) + 1
            return None
        board.save(Path(folder) / "board.json")
        assert Storyboard.load(Path(folder) / "board.json").text() == board.text()
        return board


@given(text=scripts, head=st.sampled_from([HEAD, "", "---\n"]), name=st.sampled_from(["a.md", "a.fountain"]))
@settings(max_examples=250, deadline=None)
def test_any_script_gives_a_plan_or_a_message(text: str, head: str, name: str) -> None:
    board = attempt(text, head, name)
    if board is None:
        return
    sequences = [shot.sequence for shot in board.shots]
    assert sequences == sorted(sequences) and all(1 <= sequences.count(number) <= 5 for number in sequences)
    for shot in board.shots:
        assert shot.seconds is not None and LIMITS.shortest <= shot.seconds <= LIMITS.longest
        assert set(shot.prompt.split("@")) and shot.prompt.startswith(f"{shot.size} shot, ")
        for who in shot.names:
            assert f"@{who} on the " in shot.prompt or f"@{who} in the centre" in shot.prompt


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.md"
        path.write_bytes(data)
        try:
            read_script(path, LIMITS)
        except StoryboardError as error:
            assert error.mend  # noqa: PT017 - either outcome is right


# Sentences of plain English, so that long stories are planned too.
deeds = st.sampled_from(["waves.", "walks to the beach.", "sits in the kitchen.", 'says "Hello there, you."', "looks at the sea."])
stories = st.lists(st.tuples(st.sampled_from(["@mia", "@tom", "@mia and @tom", "She", "The cat"]), deeds), min_size=1, max_size=60)


@given(story=stories, gaps=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_any_story_falls_into_sequences_of_two_to_five(story: list[tuple[str, str]], gaps: int) -> None:
    text = "".join(" ".join(part) + ("\n\n" if number % gaps == 0 else " ") for number, part in enumerate(story))
    board = attempt(text, HEAD, "a.md")
    assert board is not None
    sequences = [shot.sequence for shot in board.shots]
    assert all(sequences.count(number) <= 5 for number in sequences)
    assert len(board.shots) >= 2
