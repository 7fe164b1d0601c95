"""Markdown scripts, read as their writer meant them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.limits import Limits
from storyboard.planning.planner import plan
from storyboard.script.light import LightNote
from storyboard.script.parts import LightCue, Line, Script, Sentence
from storyboard.script.reading import read_script

Write = Callable[..., Path]

GIVEN = """
# INT. LIGHTHOUSE - NIGHT
Warm lamplight from the left.

## Shot: wide, static, 3s
@mia climbs the stairs with a lantern.

## Shot: close-up, slow push in, 2s
@mia looks out of the window.
@mia: "There is someone on the rocks!"
"""


def texts(script: Script) -> list[str]:
    return [beat.text for scene in script.scenes for beat in scene.beats if isinstance(beat, Sentence)]


def lines(script: Script) -> list[tuple[str, str]]:
    beats = [beat for scene in script.scenes for beat in (*scene.beats, *(b for shot in scene.shots for b in shot.beats))]
    return [(beat.speaker, beat.text) for beat in beats if isinstance(beat, Line)]


def test_the_script_of_the_readme(write: Write, limits: Limits, room: Path) -> None:
    script = read_script(write(GIVEN), limits)
    assert (script.title, script.style, script.size, script.seed) == ("The Lighthouse", "hand-painted storybook", (832, 480), 7)
    assert script.characters["mia"].refs == (room / "refs/mia",)
    assert script.characters["tom"].looks == "an old man with a white beard"
    (scene,) = script.scenes
    assert (scene.place, scene.interior, scene.time) == ("lighthouse", True, "night")
    assert [beat.note for beat in scene.beats if isinstance(beat, LightCue)] == [LightNote("left", "warm")]
    wide, close = scene.shots
    assert (wide.size, wide.move, wide.seconds) == ("wide", "static", 3.0)
    assert (close.size, close.move, close.seconds) == ("close-up", "push in", 2.0)
    line = close.beats[1]
    assert isinstance(line, Line)
    assert (line.speaker, line.text) == ("mia", "There is someone on the rocks!")
    assert (line.spot.line, line.spot.column) == (19, 1)
    assert [str(warning.what) for warning in script.warnings] == ["tom is in no shot"]


@pytest.mark.parametrize(
    ("heading", "place", "interior", "time"),
    [
        ("INT. KITCHEN - MORNING", "kitchen", True, "morning"),
        ("ext. harbor – dusk", "harbour", False, "evening"),
        ("EXTERIOR: The old woods — Midnight", "forest", False, "night"),
        ("INT. LIGHTHOUSE STAIRS - LATE NIGHT", "lighthouse", True, "night"),
        ("INT./EXT. HARBOUR - DAY 2", "harbour", False, "day"),
        ("INT. SUBMARINE - CONTROL ROOM - NOON", "submarine, control room", True, "day"),
        ("EXT. Street, evening", "street", False, "evening"),
        ("INT. BEDROOM", "bedroom", True, None),
        ("EXT. BEACH - LATER", "beach", False, None),
        ("Kitchen - Night", "kitchen", True, "night"),
    ],
)
def test_scene_headings(write: Write, limits: Limits, heading: str, place: str, interior: bool, time: str | None) -> None:
    (scene,) = read_script(write(f"# {heading}\n@mia waves. @tom sits."), limits).scenes
    assert (scene.place, scene.interior, scene.time) == (place, interior, time)


@pytest.mark.parametrize(
    ("heading", "size", "move", "seconds"),
    [
        ("Shot: wide, static, 3s", "wide", "static", 3.0),
        ("shot 2 - Close Up, zoom in", "close-up", "push in", None),
        ("Shot: MS, pans left, 2.5 seconds", "medium", "pan left", 2.5),
        ("Shot: slow pull out, 2,5s, long shot", "wide", "pull out", 2.5),
        ("Shot: wide static", "wide", "static", None),
        ("Shot", None, None, None),
        ("Shot 3", None, None, None),
        ("**Shot: wide**", "wide", None, None),
    ],
)
def test_shot_headings(
    write: Write, limits: Limits, heading: str, size: str | None, move: str | None, seconds: float | None
) -> None:
    (scene,) = read_script(write(f"# INT. SHOP - DAY\n## {heading}\n@mia waves.\n@tom: Hi."), limits).scenes
    (shot,) = scene.shots
    assert (shot.size, shot.move, shot.seconds) == (size, move, seconds)


def test_a_lost_space_after_the_marks_is_forgiven(write: Write, limits: Limits) -> None:
    (scene,) = read_script(write("#INT. SHOP - DAY\n##Shot: wide\n@mia waves.\n#hashtag stays text."), limits).scenes
    assert len(scene.shots) == 1
    assert [beat.text for beat in scene.shots[0].beats if isinstance(beat, Sentence)] == ["@mia waves. #hashtag stays text."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('@mia: "Hello there."', [("mia", "Hello there.")]),
        ("@Mia: “Hello there.”", [("mia", "Hello there.")]),
        ("**@mia:** «Hello there.»", [("mia", "Hello there.")]),
        ('- @mia (quietly): "Hello\nthere."', [("mia", "Hello there.")]),
        ("@mia: Hello there.", [("mia", "Hello there.")]),
        ('@mia: "One."\n@tom: "Two."', [("mia", "One."), ("tom", "Two.")]),
        ('"Hello!" says @mia.', [("mia", "Hello!")]),
        ('@mia waves and says, "Hello!"', [("mia", "Hello!")]),
        ('@tom sits. "Hello," @mia whispers softly.', [("mia", "Hello")]),
        ('@mia waves. "Hello!" "No." "Yes."', [("mia", "Hello!"), ("mia", "No."), ("mia", "Yes.")]),
        ('@tom waves at @mia. "Hello!"\n\n"Hello to you."', [("tom", "Hello!"), ("mia", "Hello to you.")]),
        ('A sign says "OPEN" over the door. @mia reads "OPEN" there.', []),
    ],
)
def test_what_is_spoken(write: Write, limits: Limits, text: str, said: list[tuple[str, str]]) -> None:
    assert lines(read_script(write(text + "\n\n@tom sits."), limits)) == said


def test_manner_and_voices_off_screen(write: Write, limits: Limits) -> None:
    script = read_script(write('@mia (whispers): "Hush."\n\n@tom (V.O.): "I was young then."'), limits)
    first, second = (beat for beat in script.scenes[0].beats if isinstance(beat, Line))
    assert (first.manner, first.heard) == ("whispers", False)
    assert (second.manner, second.heard) == ("", True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("@mia stands. She waves.", ["@mia stands.", "@mia waves."]),
        ("@mia and @tom stand. He waves. Her hand shakes.", ["@mia and @tom stand.", "@tom waves.", "@mia's hand shakes."]),
        ("@mia meets @tom. They walk on.", ["@mia meets @tom.", "@mia and @tom walk on."]),
        ("@mia stands. Rain falls as she runs.", ["@mia stands.", "Rain falls as @mia runs."]),
        ("She waves. @mia stands.", ["She waves.", "@mia stands."]),
        ("@MIA's lamp burns. Mr. Smith is out at 3 p.m. today.", ["@mia's lamp burns.", "Mr. Smith is out at 3 p.m. today."]),
        ("Mail me@mia.com or \\@mia now.", ["Mail me@mia.com or mia now."]),
        ("*@mia* **waves** to _us_ with `joy`.", ["@mia waves to us with joy."]),
        ('"Only rain," says @mia, laughing. @tom nods.', ["@mia talks, laughing.", "@tom nods."]),
        ("> @mia waves.\n> @tom sits.", ["@mia waves.", "@tom sits."]),
        ("<!-- not\nthis --> @mia waves.", ["@mia waves."]),
        ("@mia wartet。Es regnet。", ["@mia wartet。", "Es regnet。"]),
    ],
)
def test_sentences(write: Write, limits: Limits, text: str, read: list[str]) -> None:
    assert texts(read_script(write(text), limits)) == read


def test_a_sentence_knows_where_it_stands(write: Write, limits: Limits) -> None:
    path = write("# INT. SHOP - DAY\n\n- **@mia** waves. @tom\n  sits.\n")
    first, second = (beat for beat in read_script(path, limits).scenes[0].beats)
    source = path.read_text().split("\n")
    assert source[first.spot.line - 1][first.spot.column - 1 :].startswith("@mia**")
    assert source[second.spot.line - 1][second.spot.column - 1 :].startswith("@tom")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Warm lamplight from the left.", LightNote("left", "warm")),
        ("The light comes from behind.", LightNote("back", None)),
        ("Cold moonlight.", LightNote(None, "cool")),
        ("Soft daylight from the window on the right.", LightNote("right", "neutral")),
        ("Backlit by the sun.", LightNote("back", None)),
        ("The light goes out.", None),
        ("A candle stands on the table in the middle of the room.", None),
        ("@mia stands in warm light from the left.", None),
    ],
)
def test_words_about_the_light(write: Write, limits: Limits, text: str, note: LightNote | None) -> None:
    (scene,) = read_script(write(text + " @mia waves. @tom sits."), limits).scenes
    assert [beat.note for beat in scene.beats if isinstance(beat, LightCue)] == ([note] if note else [])


def test_breaks_open_sequences_and_scenes_go_on(write: Write, limits: Limits) -> None:
    script = read_script(write("# INT. SHOP - DAY\n@mia waves.\n---\n@tom sits.\n\n* * *\n# EXT. PARK - DAY\n@mia runs.\n***\n"), limits)
    assert [(scene.place, scene.breaks, scene.continues) for scene in script.scenes] == [
        ("shop", False, False),
        ("shop", True, True),
        ("park", True, False),
    ]


def test_a_title_may_be_a_heading(write: Write, limits: Limits) -> None:
    head = "---\ncharacters: {mia: {refs: refs/mia}}\n---\n"
    script = read_script(write("# The Lighthouse\n\n@mia waves.", head=head), limits)
    assert script.title == "The Lighthouse"
    assert script.scenes[0].heading == ""


def test_a_script_needs_no_front_matter(write: Write, limits: Limits) -> None:
    script = read_script(write("The sea is calm.", head=""), limits)
    assert (script.title, script.size, script.seed, script.characters) == ("", None, None, {})


def test_names_without_their_sign_are_told(write: Write, limits: Limits) -> None:
    script = read_script(write("@tom sits. Mia waves. Mia turns. @mia waves."), limits)
    (warning,) = script.warnings
    assert "Mia" in warning.what and warning.mend == "write @mia"


def test_a_shot_may_bring_its_clip(write: Write, limits: Limits, room: Path) -> None:
    (room / "storm.mp4").write_bytes(b"")
    script = read_script(write("# EXT. BEACH - DAY\n## Shot: wide\nclip: storm.mp4\n@mia waves at @tom.\n"), limits)
    assert script.scenes[0].shots[0].clip == room / "storm.mp4"


def test_windows_line_ends_and_a_byte_order_mark(room: Path, write: Write, limits: Limits) -> None:
    path = write(GIVEN)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_script(path, limits).scenes[0].shots) == 2


@pytest.mark.parametrize(
    ("shot", "anchors"),
    [
        ("## Shot: wide\nanchor: true\n@mia waves.", [False, True]),
        ("## Shot: wide\n@mia waves.\n\nAnchor : yes", [False, True]),
        ("## Shot: wide, anchor, 2s\n@mia waves.", [False, True]),
        ("## Shot: wide\nanchor: false\n@mia waves.", [False, False]),
    ],
)
def test_the_anchor_of_a_scene_s_light(write: Write, limits: Limits, shot: str, anchors: list[bool]) -> None:
    script = read_script(write(f"# INT. SHOP - DAY\n## Shot: close-up\n@tom sits.\n\n{shot}"), limits)
    assert [each.anchor for scene in script.scenes for each in scene.shots] == anchors
    made = plan(script, limits)
    assert [each.anchor for each in made.shots] == anchors and all("anchor" not in each.action for each in made.shots)
