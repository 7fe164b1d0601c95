"""The commands on packs: what show tells, that remove leaves nothing behind and touches nothing else, calibrate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from storyboard.commands import packs
from storyboard.commands.traces import run_folders, traces_of
from storyboard.shooting.runfolder import RunFolder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(loaded_encoders: Any, painter: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of six pictures, two of which show no face, as it was saved; its references lie beside it."""
    from identity import prepare

    home = tmp_path_factory.mktemp("made")
    (home / "refs").mkdir()
    for number in range(6):
        frame = painter.draw([(painter.make_person(7), number % 3)], scale=1 - 0.09 * number, light=9 * number, face=number % 3 != 2)
        Image.fromarray(frame).save(home / "refs" / f"{number}.png")
    Image.new("RGB", (320, 192), (128, 128, 128)).save(home / "refs" / "empty.png")
    pack = prepare([home / "refs"], "mia", loaded_encoders, consent="Mia said yes on Monday.")
    replace(pack, licence="for research only").save(home / "packs" / "mia")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with that pack, in which the command line stands."""
    shutil.copytree(made, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


def film_run(film: Path, *, copies: dict[str, Path], scores: dict[str, dict[str, str]], noted: bool = True) -> Path:
    """A run folder with copies of packs, and scores of characters measured against packs of these digests."""
    with RunFolder.hold(film) as held:
        for name, pack in copies.items():
            shutil.copytree(pack, held.packs / name)
        for key, characters in scores.items():
            measured = {"characters": {name: {"looks": [0.1, 0.2]} for name in characters}}
            held.save_plain("score", key, measured, **({"packs": characters} if noted else {}))
    return film.with_suffix(".run")


def digest(pack: Path) -> str:
    return str(json.loads((pack / "pack.json").read_text())["embeddings"])


def test_show_tells_what_a_pack_holds(home: Path, run: Run) -> None:
    code, out, err = run("refs", "show", "packs/mia")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    frames = len(list((home / "packs/mia/frames").iterdir()))
    assert lines[0].startswith(f"mia: {frames} frames, grade ")
    assert max(map(len, lines)) <= 130
    table = {line.split("  ")[0]: line for line in lines}
    assert table["all"].split()[-1] == str(frames)
    for key, said in {
        "consent": "Mia said yes on Monday.", "licence": "for research only", "left out": "1 no face and no figure found",
        "pictures": "spread.png", "quality": "median 0.", "sources": str(frames),
    }.items():  # fmt: skip
        assert said in table[key], key
    advice = out[out.index("\nAdvice\n") :]
    assert f"only {frames} frames" in advice and "no consent" not in advice


def test_show_as_json(home: Path, run: Run) -> None:
    code, out, _ = run("refs", "show", "packs/mia", "--json")
    told = json.loads(out)
    assert code == 0 and told["grade"] in "ABCD" and told["advice"]
    assert (told["name"], told["licence"], told["consent"]) == ("mia", "for research only", "Mia said yes on Monday.")
    assert sum(sum(row.values()) for row in told["coverage"]["poses"].values()) == told["coverage"]["frames"]
    assert told["coverage"]["left_out"]["no face and no figure found"] == 1


def test_show_lets_no_name_steer_the_terminal(home: Path, run: Run) -> None:
    path = home / "packs/mia/pack.json"
    path.write_text(path.read_text().replace("said yes", "\\u001b[2Jsaid"))
    assert "\x1b" not in run("refs", "show", "packs/mia")[1]


def test_show_of_none(home: Path, run: Run) -> None:
    code, out, err = run("refs", "show", "packs")
    assert (code, out) == (2, "") and "there is no identity pack" in err and "refs prepare" in err
    (home / "packs/mia/embeddings.safetensors").unlink()
    code, _, err = run("refs", "show", "packs/mia")
    assert code == 2 and "broken" in err and "Traceback" not in err


def test_remove_leaves_nothing_of_the_pack_behind(home: Path, run: Run, painter: Any, loaded_encoders: Any) -> None:
    from identity import prepare

    pack = home / "packs/mia"
    mine = digest(pack)
    Image.fromarray(painter.draw([(painter.make_person(8), 1)])).save(home / "tom.png")
    prepare([home / "tom.png"], "tom", loaded_encoders).save(home / "packs/tom")
    limited = prepare([home.parent / "home/refs"], "mia", loaded_encoders, limit=2)  # another pack of the same pictures
    limited.save(home / "work" / "one.run" / "packs" / "copy")
    other = digest(home / "work/one.run/packs/copy")
    assert other != mine
    pack_json = json.loads((pack / "pack.json").read_text())
    (pack / "pack.json").write_text(json.dumps(pack_json | {"sources": [str(home / "refs")]}))
    copies = {"mia-0": pack, "tom-0": home / "packs/tom"}
    scores = {"a" * 64: {"mia": mine}, "b" * 64: {"tom": digest(home / "packs/tom")}, "c" * 64: {"girl": mine}, "d" * 64: {"mia": other}}
    first = film_run(home / "work" / "one.mp4", copies=copies, scores=scores)
    second = film_run(home / "old.mp4", copies={}, scores={"e" * 64: {"mia": ""}, "f" * 64: {"tom": ""}}, noted=False)
    (pack.parent / ".mia.4711.new").mkdir()  # a killed save
    (first / "takes" / "shot01-take1.mp4").write_bytes(b"a film")

    code, out, err = run("refs", "remove", "packs/mia", "--yes")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in (home / "packs").iterdir()) == ["tom"]
    assert sorted(path.name for path in (first / "packs").iterdir()) == ["tom-0"]
    left = sorted(path.name for folder in (first, second) for path in (folder / "artefacts").iterdir())
    assert left == [f"score-{key * 32}.{end}" for key in "bf" for end in ("json", "record")]
    assert (first / "takes" / "shot01-take1.mp4").exists() and (home / "refs/0.png").exists()
    for gone in ("packs/mia", ".mia.4711.new", "one.run/packs/mia-0", "one.run/packs/copy", f"score-{'c' * 32}", f"score-{'e' * 32}"):
        assert f"{gone}" in out
    assert run("refs", "remove", "packs/mia", "--yes")[0] == 2


def test_remove_a_pack_inside_a_run_folder(home: Path, run: Run) -> None:
    folder = film_run(home / "a.mp4", copies={"mia-0": home / "packs/mia"}, scores={"a" * 64: {"mia": digest(home / "packs/mia")}})
    shutil.rmtree(home / "packs")
    code, out, _ = run("refs", "remove", folder / "packs" / "mia-0", "--yes", "--json")
    assert code == 0 and len(json.loads(out)["removed"]) == 2
    assert not list((folder / "packs").iterdir()) and not list((folder / "artefacts").iterdir())


def test_remove_looks_where_it_is_told(home: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    folder = film_run(tmp_path / "far" / "b.mp4", copies={"m": home / "packs/mia"}, scores={})
    assert run("refs", "remove", "packs/mia", "--yes", "--runs", "nowhere")[0] == 2
    assert run("refs", "remove", "packs/mia", "--yes", "--runs", tmp_path / "far")[0] == 0
    assert not (folder / "packs" / "m").exists()


@pytest.mark.parametrize("fault", ["empty", "other", "foreign", "frames"])
def test_remove_refuses_what_is_no_pack(home: Path, run: Run, fault: str) -> None:
    folder = home / "packs/mia"
    if fault == "empty":
        folder = home / "refs"
    elif fault == "other":
        (folder / "pack.json").write_text('{"name": "an npm package"}')
    else:
        (folder / {"foreign": "novel.txt", "frames": "frames/novel.txt"}[fault]).write_text("years of work")
    copy = film_run(home / "a.mp4", copies={"mia-0": folder}, scores={}) if fault == "foreign" else None
    before = sorted(path for path in home.rglob("*") if path.is_file())
    code, out, err = run("refs", "remove", folder, "--yes")
    assert (code, out) == (2, "") and str(folder) in err
    assert sorted(path for path in home.rglob("*") if path.is_file()) == before
    assert copy is None or (copy / "packs" / "mia-0").exists()


def test_remove_a_broken_pack(home: Path, run: Run) -> None:
    (home / "packs/mia/embeddings.safetensors").write_bytes(b"torn")
    (home / "packs/mia/frames/000.webp").unlink()
    assert run("refs", "remove", "packs/mia", "--yes")[0] == 0
    assert not list((home / "packs").iterdir())


def test_remove_follows_no_link_out_of_the_pack(home: Path, run: Run) -> None:
    shutil.rmtree(home / "packs/mia/frames")
    (home / "packs/mia/frames").symlink_to(home / "refs")
    (home / "packs/mia/contact.png").unlink()
    (home / "packs/mia/contact.png").symlink_to(home / "refs/0.png")
    assert run("refs", "remove", "packs/mia", "--yes")[0] == 0
    assert not (home / "packs/mia").exists() and len(list((home / "refs").iterdir())) == 7


def test_remove_asks_first(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("refs", "remove", "packs/mia")
    assert code == 2 and "--yes" in err and (home / "packs/mia/pack.json").exists()
    film_run(home / "a.mp4", copies={"mia-0": home / "packs/mia"}, scores={"a" * 64: {"mia": digest(home / "packs/mia")}})
    monkeypatch.setattr(packs.sys.stdin, "isatty", lambda: True, raising=False)
    for answer, code in ((False, 1), (True, 0)):
        monkeypatch.setattr(packs.typer, "confirm", lambda *_, answer=answer, **__: answer)
        ended, _, err = run("refs", "remove", "packs/mia")
        assert ended == code and "a.run: 1 pack, 1 measurement" in err
        assert (home / "packs/mia/pack.json").exists() is not answer


def test_remove_waits_for_no_render(home: Path, run: Run) -> None:
    film_run(home / "a.mp4", copies={"mia-0": home / "packs/mia"}, scores={})
    with RunFolder.hold(home / "a.mp4"):
        code, _, err = run("refs", "remove", "packs/mia", "--yes")
    assert code == 2 and "another render" in err
    assert (home / "packs/mia/pack.json").exists() and (home / "a.run/packs/mia-0/pack.json").exists()


def test_run_folders_are_found_at_any_depth(tmp_path: Path) -> None:
    for folder in ("a.run", "deep/er/b.run", ".hidden/c.run", "a.run/packs/d.run"):
        for inner in ("artefacts", "packs"):
            (tmp_path / folder / inner).mkdir(parents=True)
    (tmp_path / "jogging.run").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert run_folders([tmp_path, tmp_path / "deep"]) == [tmp_path / "a.run", tmp_path / "deep/er/b.run"]
    (tmp_path / "mia").mkdir()
    (tmp_path / "mia/pack.json").write_text("[" * 100_000)
    assert traces_of(tmp_path / "mia", [tmp_path]) == []


@pytest.fixture
def people(tmp_path: Path, painter: Any) -> Path:
    """Labelled pictures of four people."""
    for seed in range(100, 104):
        (tmp_path / "people" / f"p{seed}").mkdir(parents=True)
        for number, frame in enumerate(painter._views(painter.make_person(seed))):
            Image.fromarray(frame).save(tmp_path / "people" / f"p{seed}" / f"{number:02}.png")
    return tmp_path / "people"


def test_calibrate_writes_what_the_set_is_read_with(people: Path, tiny_encoders: Path, tmp_path: Path, run: Run) -> None:
    from identity.encoderset import open_set
    from identity.likeness import read_thresholds

    shutil.copytree(tiny_encoders, tmp_path / "set")
    (tmp_path / "set" / "thresholds.json").unlink()
    with pytest.raises(ValueError, match="has no thresholds") as refused:
        read_thresholds(tmp_path / "set" / "thresholds.json", {})
    assert f"storyboard refs calibrate PEOPLE --encoders {tmp_path / 'set'}" in str(refused.value)
    code, out, err = run("refs", "calibrate", people, "--encoders", tmp_path / "set")
    assert (code, err) == (0, "") and "48 pictures of 4 people" in out and "told apart" in out
    # The same people gave the tiny set its thresholds, straight from arrays.
    assert (tmp_path / "set/thresholds.json").read_text() == (tiny_encoders / "thresholds.json").read_text()
    read_thresholds(tmp_path / "set" / "thresholds.json", open_set(tmp_path / "set").hashes)


@pytest.mark.parametrize("fault", ["absent", "flat", "one", "few", "video", "nobody", "no encoders"])
def test_calibrate_refuses_too_little(people: Path, tiny_encoders: Path, tmp_path: Path, run: Run, fault: str) -> None:
    shutil.copytree(tiny_encoders, tmp_path / "set")
    before = (tmp_path / "set" / "thresholds.json").read_bytes()
    folder, encoders, said = people, tmp_path / "set", ""
    if fault == "absent":
        folder, said = tmp_path / "no", "no such folder"
    elif fault == "flat":
        folder, said = people / "p100", "no person"
    elif fault == "one":
        for seed in range(101, 104):
            shutil.rmtree(people / f"p{seed}")
        said = "only one person"
    elif fault in ("few", "video"):
        for number, path in enumerate(sorted((people / "p101").iterdir())):
            if fault == "video":
                path.rename(path.with_suffix(".mp4"))
            elif number > 2:
                path.unlink()
        said = "3 pictures of p101" if fault == "few" else "0 pictures of p101"
    elif fault == "nobody":
        for path in sorted((people / "p101").iterdir())[2:]:
            Image.new("RGB", (320, 192), (128, 128, 128)).save(path)
        said = "found in 2 pictures of p101"
    else:
        encoders, said = people, "manifest.json"
    code, out, err = run("refs", "calibrate", folder, "--encoders", encoders)
    assert (code, out) == (2, "") and said in err and "Traceback" not in err
    assert (tmp_path / "set" / "thresholds.json").read_bytes() == before
