"""An identity adapter trained on the command line for a tiny random model, stopped, resumed, and used by a render."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def studio(stage: tuple[Path, Path], painter: Any, loaded_encoders: Any, make_folder: Any) -> Path:
    """A folder with a model without adapters, packs of mia and tom, and clips of them, all but one with a text."""
    from assemble import write_clip
    from identity import prepare

    room, _ = stage
    make_folder(room / "plain")
    for name, source in (("mia", room / "refs" / "mia"), ("tom", room / "refs" / "tom.png")):
        prepare([source], name, loaded_encoders).save(room / "packs" / name)
    (room / "clips").mkdir()
    mia, tom = painter.make_person(1), painter.make_person(2)
    for number, people in enumerate(([(mia, 0)], [(tom, 2)], [(mia, 0), (tom, 2)], [(mia, 2)])):
        write_clip((painter.draw(people, shift=step) for step in range(5)), room / "clips" / f"{number}.mp4", 12)
    for number, text in ((0, "@mia waves."), (2, "@mia waves. @tom walks."), (3, "@mia walks on the right.\n")):
        (room / "clips" / f"{number}.txt").write_text(text, encoding="utf-8")
    return room


def words(room: Path, *more: object, model: str = "plain", steps: int = 40) -> tuple[object, ...]:
    told = ("--model", room / model, "--packs", room / "packs", "--clips", room / "clips", "--work", room / "work")
    return ("train", "identity", *told, "--frames", 5, "--size", "48x32", "--steps", steps, "--rate", 0.01, *more)


def test_an_adapter_is_trained_and_used(studio: Path, run: Any) -> None:
    code, out, err = run(*words(studio, "--validate", 20, "--judge", 1, "--rows", 2, "--json"))
    assert code == 0, err
    assert "0.mp4: 1 stretch with mia\n" in err and "1.mp4: 1 stretch with tom\n" in err
    assert "2.mp4: 1 stretch with mia, tom\n" in err and "3.mp4: 1 stretch with mia\n" in err
    told = json.loads(out)
    for expert in ("transformer", "transformer_2"):
        curve = told["validation"][expert]
        assert [each["step"] for each in curve] == [0, 20, 40]
        assert curve[0]["identity"] == curve[0]["without"]  # a fresh adapter changes nothing
        assert curve[-1]["identity"] < 0.99 * curve[0]["identity"]
        assert len({each["without"] for each in curve}) == 1  # the expert itself stays as it was
    assert told["judged"][0]["clip"] == "3, stretch 1"

    from safetensors.numpy import load_file

    high, low = (load_file(studio / "plain" / each / "identity_adapter.safetensors") for each in ("transformer", "transformer_2"))
    assert any(not np.array_equal(high[name], low[name]) for name in high)
    script = "---\nsize: 96x64\ncharacters:\n  mia: {refs: packs/mia}\n---\n# INT. SHOP - DAY\n\n## Shot: wide, 0.5s\n@mia waves.\n"
    (studio / "script.md").write_text(script, encoding="utf-8")
    words_of = ("render", studio / "script.md", "-o", studio / "film.mp4", "--model", studio / "plain", "--json")
    code, out, err = run(*words_of)
    assert code in (0, 3), err
    assert "transformer_2/identity_adapter" in json.loads(out)["model"]["hashes"]


def test_a_training_that_was_stopped_ends_as_one_that_was_not(studio: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from generation.load import Model
    from generation.training.loop import Loop

    code, _, err = run(*words(studio, "--work", studio / "whole-work", "--validate", 5, "--out", studio / "whole", steps=12))
    assert code == 0, err
    assert Model.open(studio / "whole").adapter_of("transformer") and not Model.open(studio / "plain").adapter_of("transformer")
    assert (studio / "whole" / "vae" / "config.json").is_symlink()
    update, calls = Loop.update, 0

    def stopping(self: Loop, loss: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        update(self, loss)

    monkeypatch.setattr(Loop, "update", stopping)
    monkeypatch.setattr(Loop.__init__, "__kwdefaults__", {**(Loop.__init__.__kwdefaults__ or {}), "save_minutes": 0.0})
    monkeypatch.setattr("generation.training.identity.Settings.save_minutes", 0.0, raising=False)
    code, _, err = run(*words(studio, "--validate", 5, steps=12))
    assert code == 130 and "goes on from here" in err
    code, _, err = run(*words(studio, "--validate", 5, steps=12))
    assert code == 0, err
    for expert in ("transformer", "transformer_2"):
        one, other = (
            (studio / each / expert / "identity_adapter.safetensors").read_bytes() for each in ("whole", "plain")
        )
        assert one == other
        curves = [(studio / each / expert / "validation.json").read_text() for each in ("whole-work", "work")]
        assert curves[0] == curves[1]
    code, _, err = run(*words(studio, "--seed", 5, steps=12))
    assert code == 2 and "holds another training" in err


def test_what_cannot_be_trained_on_is_said(studio: Path, run: Any) -> None:
    (studio / "none").mkdir()
    (studio / "clips" / "1.txt").write_text("@tim walks.", encoding="utf-8")
    told = words(studio)

    def said(*more: object, expected: str) -> None:
        code, out, err = run(*told, *more)
        assert code == 2 and expected in err and not out, err
        assert len(err.strip().splitlines()) <= 3 + err.count("stretch"), err

    said(expected="@tim has no pack (did you mean")
    (studio / "clips" / "1.txt").unlink()
    said("--size", "50x50", expected="cannot make 50x50")
    said("--size", "large", expected='"large" is no size')
    code, _, err = run(*[studio / "none" if each == studio / "clips" else each for each in told])
    assert code == 2 and "there are no clips in" in err
    (studio / "none" / "a.mp4").write_bytes(b"no video")
    code, _, err = run(*[studio / "none" if each == studio / "clips" else each for each in told])
    assert code == 2 and "a.mp4" in err
    code, _, err = run(*[studio / "clips" / "0.mp4" if each == studio / "clips" else each for each in told])
    assert (code == 1 and "1 stretches of footage are too few" in err) or "too few" in err

    pack = studio / "packs" / "mia" / "pack.json"
    whole = pack.read_text()
    plain = json.loads(whole)
    plain["encoders"] = dict.fromkeys(plain["encoders"], "0" * 64)
    pack.write_text(json.dumps(plain))
    said(expected="made by other encoders")
    pack.write_text(whole)


def test_an_adapter_of_another_width_is_refused(studio: Path, run: Any) -> None:
    from generation.adapter import AdapterConfig, IdentityAdapter

    config = {"figure_dim": 32, "id_dim": 8, "inner_dim": 24, "num_blocks": 2}
    for changed, expected in (({"inner_dim": 48}, "this adapter is for 2 blocks of width 48"), ({"figure_dim": 5}, "another width")):
        for expert in ("transformer", "transformer_2"):
            IdentityAdapter(AdapterConfig(**{**config, **changed})).save(studio / "plain" / expert)
        shutil.rmtree(studio / "work", ignore_errors=True)
        code, _, err = run(*words(studio, steps=1))
        assert code == 2 and expected in err, err


def test_where_an_adapter_cannot_go_is_said_first(studio: Path, run: Any) -> None:
    code, _, err = run(*words(studio, "--out", studio / "clips"))
    assert code == 2 and "something else in this place" in err and "stretch" not in err
    code, _, err = run("train", "identity", "--packs", studio / "packs", "--clips", studio / "clips")
    assert code == 2 and "the shipped model keeps its own adapter" in err


def test_weights_that_do_not_fit_are_told_of_before_any_footage_is_read(studio: Path, run: Any) -> None:
    from safetensors.torch import load_file, save_file
    from torch import ones

    weights = next((studio / "plain" / "vae").glob("*.safetensors"))
    save_file({**load_file(weights), "decoder.conv_in.bias": ones(7)}, weights, {"format": "pt"})
    code, out, err = run(*words(studio))
    assert code == 2 and not out and "decoder.conv_in.bias is 7" in err and "stretch" not in err
    assert not (studio / "work").exists()
