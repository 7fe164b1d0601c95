"""The planner: given shots stay as they are, prose falls into shots, and every prompt has the one form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.limits import Limits
from storyboard.planning.action import sides_in, told
from storyboard.planning.board import Storyboard
from storyboard.planning.camera import framing
from storyboard.planning.planner import plan
from storyboard.script.reading import read_script
from storyboard.script.words import hour_in, place_in

Write = Callable[..., Path]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def planned(write: Write, limits: Limits) -> Callable[[str], Storyboard]:
    return lambda text: plan(read_script(write(text), limits), limits)


GIVEN = """
# INT. LIGHTHOUSE - NIGHT
Warm lamplight from the left. Rain beats on the glass.

## Shot: wide, static, 3s
@mia climbs the stairs with a lantern. @tom, on the right, is waving.

## Shot: close-up, push in, 1s
@mia looks out of the window.
@mia: "There is someone on the rocks!"
"""


def test_given_shots_keep_what_they_are_given(planned: Callable[[str], Storyboard]) -> None:
    wide, close = planned(GIVEN).shots
    assert wide.prompt == (
        "wide shot, static camera. interior, lighthouse, night. warm light from the left. "
        "@mia on the left climbs the stairs with a lantern. @tom on the right waves. Rain beats on the glass. "
        "hand-painted storybook"
    )
    assert close.prompt == (
        "close-up shot, camera pushes in. interior, lighthouse, night. warm light from the left. "
        "@mia on the left looks out of the window. Rain beats on the glass. @mia talks. hand-painted storybook"
    )
    assert (wide.seconds, close.seconds) == (3.0, 2.4)
    assert close.why["seconds"] == "lengthened from 1 s for what is said"
    assert wide.heading == "INT. LIGHTHOUSE - NIGHT"
    assert (wide.sequence, close.scene) == (1, 1)


def test_the_same_script_gives_the_same_board(write: Write, limits: Limits) -> None:
    path = write(GIVEN)
    board = plan(read_script(path, limits), limits)
    assert all(plan(read_script(path, limits), limits).text() == board.text() for _ in range(3))
    other = plan(read_script(path, limits), limits, seed=8)
    assert all(ours.seed != theirs.seed for ours, theirs in zip(board.shots, other.shots, strict=True))


def test_a_changed_line_changes_only_its_own_shot(planned: Callable[[str], Storyboard]) -> None:
    before, after = planned(GIVEN), planned(GIVEN.replace("rocks!", "beach!"))
    assert before.shots[0] == after.shots[0]
    assert before.shots[1].seed == after.shots[1].seed and before.shots[1].lines != after.shots[1].lines


def test_prose_falls_into_shots_at_its_beats(planned: Callable[[str], Storyboard]) -> None:
    board = planned(
        """
It is a stormy evening at the harbour. @mia walks along the pier with a lantern.

Close on @mia. "There is someone out there!" she shouts.

@tom comes running. He waves. "Get back inside, girl!"

The next morning, @mia and @tom sit in the kitchen. The camera pulls out as they talk.
"""
    )
    assert [(s.size, s.move, s.place, s.interior, s.time, s.names) for s in board.shots] == [
        ("wide", "pan right", "harbour", False, "evening", ("mia",)),
        ("close-up", "push in", "harbour", False, "evening", ("mia",)),
        ("close-up", "push in", "harbour", False, "evening", ("tom",)),
        ("wide", "pull out", "kitchen", True, "morning", ("mia", "tom")),
    ]
    assert [[(line.speaker, line.text) for line in shot.lines] for shot in board.shots] == [
        [], [("mia", "There is someone out there!")], [("tom", "Get back inside, girl!")], [],
    ]  # fmt: skip
    assert [shot.scene for shot in board.shots] == [1, 1, 1, 2]
    assert "The next morning, @mia on the left sits in the kitchen. @tom on the right sits" in board.shots[3].prompt


def test_a_dialogue_cuts_from_one_to_the_other(planned: Callable[[str], Storyboard]) -> None:
    board = planned('# INT. SHOP - DAY\n@mia and @tom stand.\n@mia: "Hello."\n@tom: "Hello yourself."\n@mia: "Rude."\n')
    assert [shot.names for shot in board.shots] == [("mia", "tom"), ("tom",), ("mia",)]
    assert [line.text for shot in board.shots for line in shot.lines] == ["Hello.", "Hello yourself.", "Rude."]
    sides = {(part.name, part.side) for shot in board.shots for part in shot.characters}
    assert sides == {("mia", "left"), ("tom", "right")}


def test_sides_are_kept_within_a_scene_even_over_a_break(planned: Callable[[str], Storyboard]) -> None:
    scene = "# INT. SHOP - DAY\n## Shot: wide\n@tom on the left and @mia wave.\n## Shot: medium\n@mia sits.\n"
    board = planned(scene + "---\n## Shot: medium\n@mia turns.\n## Shot: wide\n@mia sits by @tom.\n# EXT. PARK - DAY\n## Shot\n@mia runs.")
    told_sides = [{part.name: part.side for part in shot.characters} for shot in board.shots]
    assert told_sides == [
        {"tom": "left", "mia": "right"}, {"mia": "right"}, {"mia": "right"}, {"mia": "right", "tom": "left"}, {"mia": "centre"},
    ]  # fmt: skip
    assert [shot.sequence for shot in board.shots] == [1, 1, 2, 2, 2]


def test_one_sentence_still_makes_two_shots(planned: Callable[[str], Storyboard]) -> None:
    board = planned('@mia waves at @tom and says "Hello!"')
    assert [(shot.size, len(shot.lines)) for shot in board.shots] == [("wide", 0), ("close-up", 1)]
    board = planned("@mia waves at @tom.")
    assert [(shot.size, shot.action) for shot in board.shots] == [("wide", "@mia waves at @tom."), ("medium", "@mia waves at @tom.")]
    assert planned("The sea is calm. @mia waits. @tom sits.").shots[0].size == "wide"


def test_a_heading_alone_is_a_shot_of_the_place(planned: Callable[[str], Storyboard]) -> None:
    board = planned("# EXT. BEACH - DAWN\n\n# INT. SHOP - DAY\n@mia waves. @tom sits.")
    first = board.shots[0]
    assert first.names == () and first.prompt == (
        "wide shot, static camera. exterior, beach, morning. warm light from the left. hand-painted storybook"
    )


def test_long_prose_becomes_several_sequences(planned: Callable[[str], Storyboard]) -> None:
    board = planned("\n\n".join(f"@mia waves. @tom sits. The cat sleeps. Bell number {i} rings." for i in range(12)))
    counts = [sum(shot.sequence == number for shot in board.shots) for number in {s.sequence for s in board.shots}]
    assert len(counts) >= 3 and all(2 <= count <= 5 for count in counts)


def test_many_scenes_are_cut_between_scenes(planned: Callable[[str], Storyboard]) -> None:
    scene = "# INT. KITCHEN - DAY\n## Shot\n@mia waves.\n## Shot\n@tom sits.\n"
    board = planned(scene * 4)
    assert [shot.sequence for shot in board.shots] == [1, 1, 1, 1, 2, 2, 2, 2]


def test_light_follows_the_hour_unless_it_is_told(planned: Callable[[str], Storyboard]) -> None:
    board = planned(
        "# EXT. PARK - NIGHT\n## Shot\n@mia waves.\n## Shot\nWarm light from the right.\n@tom sits.\n# EXT. PARK - DAY\n## Shot\n@mia runs."
    )
    assert [(shot.light.side, shot.light.warmth) for shot in board.shots] == [("left", "cool"), ("right", "warm"), ("front", "neutral")]


def test_what_the_script_leaves_open_has_a_reason(planned: Callable[[str], Storyboard]) -> None:
    shot = planned("@mia waves. @tom sits.").shots[0]
    assert shot.place == "park"
    assert shot.why["place"] == "the script names no place"
    assert set(shot.why) >= {"time", "size", "move", "seconds"}


def test_lengths_stay_within_the_limits(write: Write) -> None:
    tight = Limits("small", 12.0, 1.4, ((48, 32),))
    head = "---\nsize: 96x64\ncharacters: {mia: {refs: refs/mia}, tom: {refs: refs/tom.png}}\n---\n"
    path = write('# INT. SHOP - DAY\n@mia waves. @tom sits.\n\n@tom: "Hello."\n', head=head)
    board = plan(read_script(path, tight), tight)
    assert all(tight.shortest <= (shot.seconds or 0) <= tight.longest for shot in board.shots)


def test_the_examples_of_the_repository(limits: Limits, tmp_path: Path) -> None:
    folder = ROOT / "examples" / "lighthouse"
    for name in ("script.md", "prose.md"):
        (tmp_path / name).write_text((folder / name).read_text())
    for who in ("mia", "tom"):
        (tmp_path / "refs" / who).mkdir(parents=True)
        (tmp_path / "refs" / who / "1.png").write_bytes(b"")
    given = plan(read_script(tmp_path / "script.md"))
    assert len(given.shots) == 3 and sum(bool(shot.lines) for shot in given.shots) == 1
    assert all(2 <= (shot.seconds or 0) <= 2.5 for shot in given.shots)
    prose = plan(read_script(tmp_path / "prose.md"))
    assert 2 <= len(prose.shots) <= 5
    assert not read_script(tmp_path / "prose.md").warnings


@pytest.mark.parametrize(
    ("sentence", "size", "move", "rest"),
    [
        ("Close on @mia.", "close-up", None, "@mia."),
        ("Close on @mia's face as she turns.", "close-up", None, "@mia as she turns."),
        ("Wide shot of the harbour.", "wide", None, "The harbour."),
        ("In close-up, @mia waves.", "close-up", None, "@mia waves."),
        ("@mia waves in a wide shot.", "wide", None, "@mia waves."),
        ("The camera slowly pushes in.", None, "push in", ""),
        ("The camera pulls back as @mia waves.", None, "pull out", "@mia waves."),
        ("@mia waves while the camera pans to the left.", None, "pan left", "@mia waves."),
        ("Slow zoom in on @mia.", None, "push in", "@mia."),
        ("@mia pushes in the door.", None, None, "@mia pushes in the door."),
        ("@mia is close on his heels.", None, None, "@mia is close on his heels."),
    ],
)
def test_camera_words(sentence: str, size: str | None, move: str | None, rest: str) -> None:
    seen = framing(sentence)
    assert (seen.size, seen.move, seen.rest) == (size, move, rest)


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("@mia is climbing the stairs", "@mia climbs the stairs."),
        ("@mia slowly picked up a shell.", "@mia slowly picks up a shell."),
        ("@mia and @tom walk along.", "@mia walks along. @tom walks along."),
        ("@mia, @tom and @ann run together!", "@mia runs! @tom runs! @ann runs!"),
        ("Then @mia and @tom look at the sea.", "Then @mia looks at the sea. @tom looks at the sea."),
        ("@mia and @tom sit down and share bread and salt.", "@mia sits down and shares bread and salt. @tom sits down and shares bread and salt."),
        ("@mia and @tom hug each other.", "@mia and @tom hug each other."),
        ("@mia knows that @tom ran.", "@mia knows that @tom runs."),
        ("@mia reads", "@mia reads."),
        ("@mia's lantern burns!", "@mia's lantern burns!"),
    ],
)
def test_deeds(sentence: str, read: str) -> None:
    assert told(sentence) == read


@pytest.mark.parametrize(
    ("sentence", "sides", "read"),
    [
        ("@mia on the left climbs.", {"mia": "left"}, "@mia climbs."),
        ("@mia, in the centre, waves.", {"mia": "centre"}, "@mia waves."),
        ("@mia stands on the right side of the frame.", {"mia": "right"}, "@mia stands."),
        ("@mia is on the left, waving.", {"mia": "left"}, "@mia waving."),
        ("@mia is on the left.", {"mia": "left"}, "@mia stands."),
        ("@mia points to the left.", {}, "@mia points to the left."),
        ("@mia to the right of @tom waves.", {}, "@mia to the right of @tom waves."),
        ("@mia on the left and @tom on the right wave.", {"mia": "left", "tom": "right"}, "@mia and @tom wave."),
    ],
)
def test_sides_in_the_text(sentence: str, sides: dict[str, str], read: str) -> None:
    assert sides_in(sentence) == (sides, read)


@pytest.mark.parametrize(
    ("sentence", "hour"),
    [
        ("At dawn, @mia waits.", "morning"),
        ("It is a cold and stormy night.", "night"),
        ("It is a stormy night.", "night"),
        ("The next morning they leave.", "morning"),
        ("Night falls.", "night"),
        ("One day he will come.", None),
        ("@mia works all day.", None),
        ("Good night, says the cat.", None),
        ("Late in the evening it rains.", "evening"),
    ],
)
def test_the_hour_in_prose(sentence: str, hour: str | None) -> None:
    assert hour_in(sentence) == hour


def test_places_are_whole_words() -> None:
    assert place_in("a shopping street")[0] == "street"  # type: ignore[index]
    assert place_in("the workshop") is None
    assert place_in("Living-Room")[:2] == ("living room", True)  # type: ignore[index]


def test_places_that_are_only_looked_at_change_nothing(planned: Callable[[str], Storyboard]) -> None:
    board = planned("@mia stands on the beach. She points at the lighthouse. @tom looks at the harbour and waves.")
    assert {shot.place for shot in board.shots} == {"beach"}


def test_going_somewhere_changes_the_place_of_what_follows(planned: Callable[[str], Storyboard]) -> None:
    board = planned("@mia stands on the beach. She walks to the lighthouse.\n\nThere is @tom. He waves.\n\nThey enter the kitchen.")
    assert (board.shots[0].place, board.shots[-1].place) == ("beach", "kitchen")
    assert "lighthouse" in {shot.place for shot in board.shots}
