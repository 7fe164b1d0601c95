"""What is wrong with a script: everything at once, each mistake with its place and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.errors import Problem, ScriptError, Spot, StoryboardError
from storyboard.limits import Limits
from storyboard.script.reading import read_script

Write = Callable[..., Path]


def faults(path: Path, limits: Limits) -> list[Problem]:
    with pytest.raises(ScriptError) as caught:
        read_script(path, limits)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def fault(path: Path, limits: Limits) -> Problem:
    (only,) = faults(path, limits)
    return only


SHOTS = "# INT. SHOP - DAY\n## Shot: {}\n@mia waves at @tom.\n"
BODY = "@mia waves at @tom.\n"


@pytest.mark.parametrize(
    ("text", "marked", "what", "mend"),
    [
        ("@mai waves at @tom and @mia.", "@mai", "there is no character @mai", "did you mean @mia?"),
        ("@zoe waves at @tom and @mia.", "@zoe", "no character @zoe", "@mia or @tom, or add zoe to the characters"),
        ('@tm: "Hello."\n' + BODY, "@tm", "no character @tm", "did you mean @tom?"),
        (SHOTS.format("wdie"), "wdie", '"wdie" is no word for a shot', 'did you mean "wide"?'),
        (SHOTS.format("wide, push on"), "push on", "no word for a shot", 'did you mean "push in"?'),
        (SHOTS.format("wide, low angle"), "low angle", "no word for a shot", "a size (wide, medium or close-up), a move (static,"),
        (SHOTS.format("wide, 3"), "3", '"3" is no length', "did you mean 3s?"),
        (SHOTS.format("wide, 3min"), "3min", "is no length", "write the length in seconds"),
        (SHOTS.format("wide, 30s"), "30s", "a shot of 30 s cannot be made", "toon makes shots of 0.5 to 5 s"),
        (SHOTS.format("wide, 0.1s"), "0.1s", "a shot of 0.1 s cannot be made", "toon makes shots of 0.5 to 5 s"),
        (SHOTS.format("wide, close-up"), "close-up", "the shot has two sizes", "keep one of them"),
        (SHOTS.format("2s, wide, 3s"), "3s", "the shot has two lengths", "keep one of them"),
        (SHOTS.replace("Shot", "Shoot").format("wide"), "Shoot", '"Shoot" is no heading', 'did you mean "Shot:"?'),
        ("# INT. SHOP - NIHGT\n" + BODY, "NIHGT", '"NIHGT" is no time of day', "did you mean NIGHT?"),
        ("# INT. - NIGHT\n" + BODY, "INT. - NIGHT", "names no place", 'write it as "INT. KITCHEN - MORNING"'),
        ("# TAVERN - NIGHT\n" + BODY, "TAVERN - NIGHT", "indoors or outdoors", 'write "INT. TAVERN - NIGHT"'),
        ('@mia: "Hello.\n\n' + BODY, '"', "opened with a quotation mark and never closed", 'end it with "'),
        ("@mia:\n\n" + BODY, "@mia:", "@mia says nothing here", 'write @mia: "..."'),
        ("# INT. SHOP - DAY\n@mia sits.\n## Shot: wide\n" + BODY, "@mia sits.", "before the first shot", "move it under"),
        ("anchor: true\n" + BODY, "true", "an anchor stands outside of a shot", 'put it under a "## Shot:" heading'),
        (SHOTS.format("wide") + "anchor: 2", "2", 'an anchor is true or false, not "2"', "write anchor: true"),
        (SHOTS.format("wide, anchor") + "anchor: no", "no", "the shot says twice whether it is the anchor", "keep one"),
        (SHOTS.format("wide, anchor") + "## Shot: wide\n@mia sits.\nanchor: yes", "yes", "the scene has two anchors", "keep one"),
        ("clip: a.mp4\n" + BODY, "a.mp4", "a clip stands outside of a shot", 'put it under a "## Shot:" heading'),
        (SHOTS.format("wide") + "clip: a.mp4", "a.mp4", "there is no clip at", "check the path"),
        (SHOTS.format("wide") + "clip: refs/ann.mp3", "refs/ann.mp3", "there is no clip at", "ann.mp4?"),
        (SHOTS.format("wide") + "clip: refs/tom.png", "refs/tom.png", "tom.png is no video", "name a video file"),
        (
            '@mia: "' + "We have to go down to the rocks before the tide comes in, all of us, now, with ropes." + '"\n' + BODY,
            "@mia: ",
            "this line takes 6.3 s to say, and a shot lasts at most 5 s",
            "cut it into shorter lines",
        ),
        (
            SHOTS.format("wide") + '@mia: "We have to go down to the rocks."\n@tom: "Before the tide comes in, all of us."\n',
            "Shot: wide",
            "the lines of this shot take",
            "make two shots of it",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(
    write: Write, limits: Limits, text: str, marked: str, what: str, mend: str
) -> None:
    path = write(text)
    found = fault(path, limits)
    assert what in found.what
    assert mend in found.mend
    line = path.read_text().split("\n")[found.spot.line - 1]
    assert line[found.spot.column - 1 :].startswith(marked)
    assert str(found).startswith(f"{path}:{found.spot.line}:{found.spot.column}: {found.what}")


@pytest.mark.parametrize(
    ("head", "marked", "what", "mend"),
    [
        ("sise: 832x480", "sise", '"sise" is not known in the front matter', "did you mean size?"),
        ("Title: x", "Title", "not known", "did you mean title?"),
        ("resolution: 832x480", "resolution", "not known", "did you mean size?"),
        ("zzz: 1", "zzz", "not known", "title, style, size, seed or characters"),
        ("title: a\ntitle: b", "title", '"title" is given twice', "keep one"),
        ("title: [a]", "[a]", "title is not a text", 'write title: "..."'),
        ("size: 832", "832", "this is no size", "as 832x480"),
        ("size: 16:9", "16:9", "this is no size", "as 832x480"),
        ("size: 833x480", "833x480", "cannot be made", "write 834x480"),
        ("size: 8x8", "8x8", "cannot be made", "64 to 7680 pixels"),
        ("size: 2000x200", "2000x200", "cannot be made", "toon makes shapes like 224x128"),
        ("seed: seven", "seven", "this is no seed", "0 to 4294967295"),
        ("seed: -1", "-1", "this is no seed", "0 to 4294967295"),
        ("seed: 99999999999", "99999999999", "this is no seed", "0 to 4294967295"),
        ("characters: mia", "mia", "not a list of names", "mia: {refs: refs/mia"),
        ("characters:\n  mia: {looks: red}", "mia", "mia has no reference pictures", "mia: {refs: refs/mia"),
        ("characters:\n  mia:", "mia", "mia has no reference pictures", "mia: {refs: refs/mia"),
        ("characters:\n  mia: {refs: refs/mai}", "refs/mai", "there are no references at", "refs/mia?"),
        ("characters:\n  mia: {refs: [refs/tom.png, nowhere/x]}", "nowhere/x", "there are no references at", "put the reference"),
        ("characters:\n  mia: {refs: empty}", "empty", "holds no pictures", "put some there"),
        ("characters:\n  mia: {refs: notes.txt}", "notes.txt", "neither a picture nor a video", "name a folder"),
        ("characters:\n  mia: {refs: refs/mia, look: red}", "look", '"look" is not known in the character', "did you mean looks?"),
        ("characters:\n  m ia: {refs: refs/mia}", "m ia", "cannot be a character's name", "use letters"),
        ("characters:\n  mia: {refs: refs/mia}\n  Mia: {refs: refs/mia}", "Mia", "are the same name", "rename"),
        (
            "characters:\n  a: {refs: refs/mia}\n  b: {refs: refs/mia}\n  c: {refs: refs/mia}\n  d: {refs: refs/mia}",
            "d",
            "a film has at most 3 characters, and d is one more",
            "take a character out",
        ),
        ("characters:\n  @mia: {refs: refs/mia}", "@mia", "YAML cannot be read", "without the @"),
        ("title: The Lighthouse: two", ": two", "YAML cannot be read", "in quotes"),
        ("title: {a", "", "YAML cannot be read", "close the bracket"),
        ("\ttitle: a", "\t", "YAML cannot be read", "not with tabs"),
        ("title: a\x07", "\x07", "a control character", "delete it"),
        ("just words", "just words", "not a list of names and values", 'like "title: The Lighthouse"'),
        ("title: " + "[" * 1100, "title", "nested too deeply", "plain"),
    ],
)
def test_a_mistake_in_the_front_matter(
    room: Path, write: Write, limits: Limits, head: str, marked: str, what: str, mend: str
) -> None:
    (room / "empty").mkdir()
    (room / "notes.txt").write_text("x")
    path = write("The sea is calm.", head=f"---\n{head}\n---\n")
    found = fault(path, limits)
    assert what in found.what
    assert mend in found.mend
    line = path.read_text().split("\n")[found.spot.line - 1]
    assert line[found.spot.column - 1 :].startswith(marked)


def test_front_matter_that_never_ends(write: Write, limits: Limits) -> None:
    found = fault(write("title: x\n@mia waves.", head="---\n"), limits)
    assert "never closed" in found.what and (found.spot.line, found.spot.column) == (1, 1)


def test_a_broken_head_does_not_make_every_name_a_mistake(write: Write, limits: Limits) -> None:
    found = fault(write('@mia waves at @tom.\n@tom: "Hello."', head="---\ntitle: {\n---\n"), limits)
    assert "YAML" in found.what


def test_six_shots_in_one_scene_are_too_many_unless_a_break_parts_them(write: Write, limits: Limits) -> None:
    shots = "## Shot: wide\n@mia waves at @tom.\n" * 5
    found = fault(write("# INT. SHOP - DAY\n" + shots + "## Shot: medium\n@mia sits.\n"), limits)
    assert found.what == "this is shot 6 of one scene, and a sequence has at most 5"
    assert '"---"' in found.mend
    assert found.spot.line == 21
    read_script(write("# INT. SHOP - DAY\n" + shots + "---\n## Shot: medium\n@mia sits.\n"), limits)


def test_all_mistakes_at_once_in_their_order(write: Write, limits: Limits) -> None:
    head = "---\nsise: 1\nseed: x\ncharacters: {mia: {refs: refs/mia}}\n---\n"
    found = faults(write("# INT. SHOP - NIHGT\n## Shot: wdie, 99s\n@may waves.\n@mia:\n", head=head), limits)
    assert [(each.spot.line, each.spot.column) for each in found] == [(2, 1), (3, 7), (6, 15), (7, 10), (7, 16), (8, 1), (9, 1)]


def test_how_a_mistake_is_shown(write: Write, limits: Limits) -> None:
    path = write("# INT. SHOP - DAY\n@tom sits by @mai.\n")
    with pytest.raises(ScriptError) as caught:
        read_script(path, limits)
    assert str(caught.value) == (
        f"{path}:11:14: there is no character @mai\n"
        "   11 | @tom sits by @mai.\n"
        "      |              ^^^^\n"
        "  did you mean @mia?"
    )
    assert caught.value.where == f"{path}:11:14"


def test_a_long_line_is_shown_around_its_mistake_and_steers_no_terminal() -> None:
    shown = "\x1b[31m" + "x" * 300 + "@mai" + "y" * 300
    said = str(Problem("s.md", Spot(3, 306, 4), "what", "", shown))
    text, caret = said.split("\n")[1:]
    assert "\x1b" not in said and len(text) < 120
    assert text[caret.index("^") :].startswith("@mai")
    assert caret.count("^") == 4


def test_wide_letters_keep_the_caret_in_place() -> None:
    said = str(Problem("s.md", Spot(1, 4, 3), "what", "", "灯台 @ab"))
    text, caret = said.split("\n")[1:]
    assert caret.index("^") == len("    1 | ") + 2 * 2 + 1
    assert text.endswith("灯台 @ab")


class TestUnreadable:
    def told(self, path: Path, limits: Limits) -> StoryboardError:
        with pytest.raises(StoryboardError) as caught:
            read_script(path, limits)
        assert caught.value.exit_code == 2 and caught.value.mend
        return caught.value

    def test_missing(self, write: Write, limits: Limits) -> None:
        path = write("x")
        error = self.told(path.with_name("scirpt.md"), limits)
        assert "there is no such script" in error.what and error.mend == f"did you mean {path}?"
        assert "no folder" in self.told(path.parent / "nowhere" / "script.md", limits).mend

    def test_a_folder(self, write: Write, limits: Limits) -> None:
        path = write("x")
        assert str(path) in self.told(path.parent, limits).mend

    @pytest.mark.parametrize("text", ["", " \n\t\n"])
    def test_empty(self, write: Write, limits: Limits, text: str) -> None:
        assert "empty" in self.told(write(text, head=""), limits).what

    def test_a_head_and_no_story(self, write: Write, limits: Limits) -> None:
        assert "tells no story" in self.told(write("\n<!-- nothing -->\n"), limits).what

    def test_not_utf_8(self, room: Path, limits: Limits) -> None:
        path = room / "old.md"
        path.write_bytes("# INT. SHOP - DAY\nDas Café öffnet.\n".encode("latin-1"))
        error = self.told(path, limits)
        assert isinstance(error, ScriptError)
        (found,) = error.problems
        assert (found.spot.line, found.spot.column) == (2, 8)
        assert "not UTF-8" in found.what and "save it as UTF-8" in found.mend

    def test_no_text_at_all(self, room: Path, limits: Limits) -> None:
        (room / "a.md").write_bytes(b"a\0b")
        assert "NUL" in self.told(room / "a.md", limits).what
        (room / "b.md").write_bytes(b"x" * 4_000_001)
        assert "no script" in self.told(room / "b.md", limits).what
        assert self.told(Path("a\0b.md"), limits)
