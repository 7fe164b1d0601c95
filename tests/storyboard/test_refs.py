"""Files that scripts name."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storyboard.errors import StoryboardError
from storyboard.refs import PICTURES, VIDEOS, clip_refusal, named_paths, placed, refs_refusal, the_like


def test_the_kinds_are_those_that_identity_reads() -> None:
    from identity import frames

    assert set(PICTURES) == frames.PICTURES and set(VIDEOS) == frames.VIDEOS


def test_paths_as_people_write_them(tmp_path: Path) -> None:
    assert placed(tmp_path, "refs/mia") == tmp_path / "refs/mia"
    assert placed(tmp_path, "/abs") == Path("/abs")
    assert placed(tmp_path, "~/x") == Path.home() / "x"
    assert placed(tmp_path, "~no-such-user-here/x") == tmp_path / "~no-such-user-here/x"


def test_references_and_clips(tmp_path: Path) -> None:
    for name in ("mia/deep/1.PNG", "pack/pack.json", "tom.mp4", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()
    assert all(refs_refusal(tmp_path / name) is None for name in ("mia", "pack", "tom.mp4"))
    assert clip_refusal(tmp_path / "tom.mp4") is None
    for name in ("empty", "notes.txt", "tim.mp4", "no/where", "a\0b"):
        refused, clip = refs_refusal(tmp_path / name), clip_refusal(tmp_path / name)
        assert refused and all(refused) and clip and all(clip)
    assert "tom.mp4" in (clip_refusal(tmp_path / "tim.mp4") or ("", ""))[1]


def test_pictures_that_say_who_is_meant(tmp_path: Path) -> None:
    assert named_paths(["mia=a.png", "tom=b=c.png"], "--like", "mia=mia.png") == {"mia": Path("a.png"), "tom": Path("b=c.png")}
    assert the_like([]) is None and the_like(["a.png"]) == Path("a.png")
    for wrong in (["a.png"], ["mia="], ["=a.png"], ["mia=a.png", "mia=b.png"]):
        with pytest.raises(StoryboardError) as caught:
            named_paths(wrong, "--like", "mia=mia.png")
        assert caught.value.where == "--like" and caught.value.mend
    with pytest.raises(StoryboardError, match="one picture says who"):
        the_like(["a.png", "b.png"])


def test_packs_of_several_people_on_the_command_line(
    tmp_path: Path, loaded_encoders: Any, painter: Any, monkeypatch: pytest.MonkeyPatch, run: Callable[..., tuple[int, str, str]]
) -> None:
    from PIL import Image

    from identity import IdentityPack

    monkeypatch.setattr("identity.encoders.Encoders.load", lambda folder=None: loaded_encoders)
    refs, packs = tmp_path / "refs", tmp_path / "packs"
    refs.mkdir()
    for seed, count in ((1, 6), (2, 4)):
        for k in range(count):
            drawn = painter.draw([(painter.make_person(seed), k % 3)], scale=1 - 0.06 * k, shift=2 * k, arm=k)
            Image.fromarray(drawn).save(refs / f"{seed}-{k}.png")

    ran = partial(run, "refs", "prepare")
    code, out, _ = ran(refs, "--split", "-o", packs, "--like", f"tom={refs / '2-1.png'}", "--like", f"mia={refs / '1-1.png'}", "--json")
    assert code == 0
    assert [(row["name"], row["pack"]) for row in json.loads(out)] == [("tom", str(packs / "tom")), ("mia", str(packs / "mia"))]
    for name, seed in (("tom", "2"), ("mia", "1")):
        pack = IdentityPack.load(packs / name, loaded_encoders)
        assert pack.name == name and {Path(record.source).name[0] for record in pack.records} == {seed}
    code, out, err = ran(refs, "--name", "tom", "--like", refs / "2-0.png", "-o", tmp_path / "tom")
    assert code == 0 and "another person" in err
    assert out.startswith(f"{tmp_path / 'tom'}: ")
    assert {Path(record.source).name[0] for record in IdentityPack.load(tmp_path / "tom").records} == {"2"}
    for words in (("-o", "x"), ("--split", "--name", "mia", "-o", "x"), ("--split", "--like", "a.png", "-o", "x")):
        code, _, err = ran(refs, *words)
        assert code == 2 and "Traceback" not in err and ("--name" in err or "--like" in err)
    assert not Path("x").exists()
