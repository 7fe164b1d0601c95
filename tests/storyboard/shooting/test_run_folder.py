"""The run folder: whole artefacts only, one render at a time, and nothing finished is ever lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from storyboard import files
from storyboard.errors import StoryboardError
from storyboard.shooting.runfolder import RunFolder, folder_of

KEY = "k" * 64


def tensors(value: float = 1.0) -> dict[str, torch.Tensor]:
    return {"latents": torch.full((2, 3), value)}


def test_an_artefact_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        assert not run.has("layout", KEY)
        run.save("layout", KEY, {"a": torch.arange(6).reshape(2, 3).T, "b": torch.ones(1, dtype=torch.bfloat16)}, seconds=1.5)
        made = run.load("layout", KEY)
        assert torch.equal(made["a"], torch.arange(6).reshape(2, 3).T) and made["b"].dtype == torch.bfloat16
        record = run.record("layout", KEY)
        assert record and record["seconds"] == 1.5 and record["stage"] == "layout"
        run.save("decode", KEY, {"frames": torch.zeros(2, 4, 4, 3, dtype=torch.uint8)})
        assert run.frames("decode", KEY).shape == (2, 4, 4, 3)
        run.save_plain("score", KEY, {"x": [1, "é"]})
        assert run.load_plain("score", KEY) == {"x": [1, "é"]}
        assert run.load_plain("score", "other") is None


@pytest.mark.parametrize("harm", ["cut", "flip", "no file", "no record", "empty record"])
def test_a_broken_artefact_is_not_there_any_more(tmp_path: Path, harm: str) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        run.save("layout", KEY, tensors())
        (file,) = run.artefacts.glob("*.safetensors")
        (note,) = run.artefacts.glob("*.record")
        data = file.read_bytes()
        match harm:
            case "cut":
                file.write_bytes(data[:-1])
            case "flip":
                file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
            case "no file":
                file.unlink()
            case "no record":
                note.unlink()
            case "empty record":
                note.write_text("{}")
        assert not run.has("layout", KEY)
        assert not list(run.artefacts.iterdir())
        run.save("layout", KEY, tensors(2))
        assert run.load("layout", KEY)["latents"][0, 0] == 2


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        run.write("run.json", "old")

        def full(path: Path) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr(files, "_sync", full)
        with pytest.raises(OSError, match="No space"):
            run.save("layout", KEY, tensors())
        with pytest.raises(OSError, match="No space"):
            run.write("run.json", "new")
        monkeypatch.undo()
        assert (run.path / "run.json").read_text() == "old"
        assert not list(run.artefacts.iterdir())
        assert not list(run.path.glob(".*.part"))


def test_two_renders_into_one_folder_are_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from storyboard.shooting.runfolder import RunFolder\n"
        "with RunFolder.hold(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    film = tmp_path / "film.mp4"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", code, str(film)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(StoryboardError) as caught, RunFolder.hold(film):
            pass
        assert f"process {other.pid}" in caught.value.what and caught.value.mend
        other.kill()
    with RunFolder.hold(film):  # a killed render holds nothing
        pass


def test_what_a_kill_left_is_swept_and_the_rest_stays(tmp_path: Path) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        run.save("layout", KEY, tensors())
    (run.artefacts / ".layout-x.safetensors.99.part").write_bytes(b"half")
    (run.path / "events.jsonl").write_text('{"kind": "a"}\n{"kind": "cut o')
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        assert run.has("layout", KEY) and not list(run.artefacts.glob("*.part"))
        run.log({"kind": "b", "text": "über"})
    last = (run.path / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["text"] == "über"


def test_clear_and_drop_and_rolls(tmp_path: Path) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run:
        run.save("layout", KEY, tensors())
        run.roll([7, 8])
        run.roll([7])
        assert run.rolls() == {"7": 2, "8": 1}
        run.drop("layout", KEY)
        assert not run.has("layout", KEY)
        run.save("layout", KEY, tensors())
        run.clear()
        assert not run.has("layout", KEY) and run.rolls() == {}
        (run.path / "rolls.json").write_text("[1]")
        assert run.rolls() == {}


def test_where_a_run_folder_cannot_be(tmp_path: Path) -> None:
    assert folder_of(tmp_path / "a.b.mp4") == tmp_path / "a.b.run"
    (tmp_path / "film.run").write_text("")
    for film, said in ((tmp_path / "film.mp4", "in the way"), (tmp_path / "no" / "film.mp4", "there is no folder")):
        with pytest.raises(StoryboardError, match=said), RunFolder.hold(film):
            pass


def test_no_artefact_but_a_clear_message(tmp_path: Path) -> None:
    with RunFolder.hold(tmp_path / "film.mp4") as run, pytest.raises(StoryboardError) as caught:
        run.load("layout", KEY)
    assert caught.value.exit_code == 1


