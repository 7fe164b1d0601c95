"""Marks in the conductor's hands: a film that gets them in order, one that goes without, and the commands that read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assemble import AssembleError, read_frames, stitch
from assemble.marks import MIXED, Label, Ledger
from storyboard import Event, Marks
from storyboard.film.marking import Marking
from storyboard.report.marktable import marks_table

SIZE = 320, 192
Run = Callable[..., tuple[int, str, str]]


def frames(count: int = 12) -> list[np.ndarray]:
    ramp = np.linspace(40, 200, SIZE[0], dtype=np.float32)[None, :, None] + np.zeros((SIZE[1], 1, 3), np.float32)
    return [np.asarray(np.roll(ramp, 20 * number, axis=1), np.uint8) for number in range(count)]


def filmed(path: Path, marks: Marks | None, **facts: list[str]) -> tuple[Marking, list[Event]]:
    told: list[Event] = []
    marking = Marking(marks, told.append)
    with marking.film(path, models={"vae": "0" * 64}, **facts) as draft:  # type: ignore[arg-type]
        shown = marking.clips([frames(), frames(6)], SIZE, 12)
        stitch(shown, draft, fps=12, size=SIZE, mark=marking.picture(SIZE))
    return marking, told


def test_a_film_gets_its_marks_and_verify_reads_them(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "film.mp4"
    marking, told = filmed(path, Marks(), clips=["a" * 64], packs=["b" * 64])
    assert [each.name for each in tmp_path.iterdir()] == ["film.mp4"]
    assert marking.facts["source"] == MIXED
    assert Ledger().entries(marking.ident)[0].sha256 == marking.facts["sha256"]
    assert marking.ident in told[-1].text

    code, out, _ = run("verify", path)
    assert (code, "trusted here" in out, "marked, and intact" in out) == (0, True, True)
    code, out, _ = run("verify", path, "--json")
    said = json.loads(out)
    assert (code, said["verdict"], said["id"], said["xmp"]) == (0, "marked", marking.ident, MIXED)
    assert said["ledger"] == {"id": True, "file": True}
    made = said["signature"]["made"]
    assert made["ingredients"] == [{"kind": "clip", "sha256": "a" * 64}, {"kind": "identity pack", "sha256": "b" * 64}]

    page = marks_table(marking.facts)
    assert marking.ident in page
    assert marks_table(None) == ""

    with path.open("r+b") as stream:  # somebody changes it
        stream.seek(-700, 2)
        stream.write(b"\0\0")
    code, out, _ = run("verify", path)
    assert (code, "BROKEN" in out) == (3, True)


def test_a_film_without_marks_says_what_is_owed(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "film.mp4"
    marking, told = filmed(path, None)
    assert marking.facts["marked"] is False
    assert "Article 50" in told[-1].text
    assert "Article 50" in marks_table(marking.facts)
    code, out, _ = run("verify", path)
    assert (code, "nothing was found" in out) == (1, True)


def test_a_film_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")

    def fails() -> None:
        with Marking(Marks(), print).film(path, models={}) as draft:
            draft.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert [each.name for each in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_bytes() == b"old"


def test_a_key_that_cannot_sign_is_told_of_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(AssembleError, match="cannot be read"):
        Marking(Marks(sign_key=tmp_path / "none.pem"), print)
    with pytest.raises(ValueError, match="time stamp"):
        Marking(Marks(timestamp=(tmp_path / "stamps").as_uri()), print)


@pytest.mark.parametrize(("when", "labelled"), [("start", 5), ("throughout", 8)])
def test_a_label_stands_top_right_as_long_as_asked(when: str, labelled: int) -> None:
    label = Label(SIZE, 5 if when == "start" else None)
    plain = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    made = [frame for _ in range(2) for frame in label.frames([plain] * 4)]
    changed = [(frame != plain).any(axis=2) for frame in made]
    assert sum(each.any() for each in changed) == labelled
    assert not changed[0][SIZE[1] // 4 :].any()
    assert not changed[0][:, : SIZE[0] // 2].any()
    corner = made[0][: SIZE[1] // 8, SIZE[0] // 2 :]
    assert corner.max() > 225
    assert corner.min() < 30
    assert (plain == 128).all()


def test_a_labelled_film_is_marked_too(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    filmed(path, Marks(label="start"))
    first = next(iter(read_frames(path)))
    assert first[:24, 160:].max() > 220


def test_the_commands_say_what_was_wrong(tmp_path: Path, run: Run) -> None:
    for words, said in (
        (("verify", tmp_path / "none.mp4"), "no such file"),
        (("verify", tmp_path), "folder"),
        (("render", "script.md", "--no-marks", "--label"), "leaves no mark"),
    ):
        code, _, err = run(*words)
        assert (code, said in err) == (2, True), err


def test_keys_are_made_where_asked(tmp_path: Path, run: Run) -> None:
    code, out, _ = run("marks", "keys", "--to", tmp_path / "keys", "--json")
    assert code == 0
    assert Path(json.loads(out)["root"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
