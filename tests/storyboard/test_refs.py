"""Files that scripts name."""

from __future__ import annotations

from pathlib import Path

from storyboard.refs import PICTURES, VIDEOS, clip_refusal, placed, refs_refusal


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
