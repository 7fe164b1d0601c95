"""Every family of models, as a tiny random one in its own layout: a film of two shots and two characters on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from storyboard import Storyboard, StoryboardError
from storyboard.commands.traces import traces_of
from storyboard.limits import Limits
from storyboard.planning.boarding import boarded
from storyboard.planning.prompt import compose, ordered

NAMES = [
    "Wan2.2-T2V-A14B", "Wan2.2-I2V-A14B", "Wan2.2-TI2V-5B", "Wan2.2-VACE-Fun-A14B", "Bernini-R", "Bernini-R-1.3B",
    "Wan2.1-T2V-1.3B", "Wan2.1-VACE-1.3B",
]  # fmt: skip
SCRIPT = """---
title: The Shop
size: 96x64
seed: 7
style: watercolour
characters:
  mia: {refs: refs/mia, looks: a girl with red hair}
  tom: {refs: refs/tom.png}
---
# INT. SHOP - DAY

## Shot: wide, static, 0.5s
frame: first.png
@mia waves. @tom sits.

## Shot: close-up, static, 0.5s
frame: first.png
@mia smiles.
"""


@pytest.fixture
def shop(stage: tuple[Path, Path]) -> Path:
    room, _ = stage
    Image.new("RGB", (120, 70), (90, 120, 60)).save(room / "first.png")
    (room / "script.md").write_text(SCRIPT, encoding="utf-8")
    return room


@pytest.fixture
def tiny(make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, shop: Path) -> Callable[[str], Path]:
    """The folder of a tiny model that is recognised as a family of this name."""

    def made(name: str) -> Path:
        from generation.families import FAMILIES

        family = FAMILIES[name]
        small = {"layers": 2, "width": 24, "sizes": ((48, 32),), "max_frames": 33, "steps": 5, "text_length": 256}
        if name == "Wan2.2-TI2V-5B":
            small |= {"channels": 16, "latents": 16}
        monkeypatch.setitem(FAMILIES, name, replace(family, **small))
        return make_folder(
            shop / f"a-{family.hint or 'fine'}-tune", experts=family.experts, kind=family.pipeline, shift=3.0,
            expand=family.vae == "Wan2.2", residual=family.vae == "Wan2.2",
        )  # fmt: skip

    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_film_with_each_family(
    name: str, tiny: Callable[[str], Path], shop: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assemble import read_frames
    from generation import Model
    from generation.families import FAMILIES

    folder = tiny(name)
    assert Model.open(folder).scheduler().config.flow_shift == FAMILIES[name].shift  # the folder's own says 3
    loads: list[str] = []
    stock = Model.network
    monkeypatch.setattr(Model, "network", lambda self, part, dtype: (loads.append(part), stock(self, part, dtype))[1])
    code, out, err = run("render", shop / "script.md", "-o", shop / "film.mp4", "--model", folder, "--json")
    assert code in (0, 3), err  # random experts draw nobody
    facts = json.loads(out)
    assert facts["model"]["name"] == name and set(facts["identity"]) == {"mia", "tom"}
    frames = list(read_frames(shop / "film.mp4"))
    assert len(frames) == 2 * round(0.5 * FAMILIES[name].fps) and frames[0].shape == (64, 96, 3)
    stages = [path.name.partition("-")[0] for path in (shop / "film.run" / "artefacts").glob("*.safetensors")]
    assert {each: stages.count(each) for each in set(stages)} == dict.fromkeys(FAMILIES[name].stages, 2)
    experts = ["transformer", "transformer_2"][: FAMILIES[name].experts]
    assert [part for part in loads if part != "vae"] == ["text_encoder", *experts]  # each once, for all shots

    pictures = [trace.pictures for trace in traces_of(next((shop / "film.run" / "packs").glob("mia-*")), [shop])]
    held = 4 if FAMILIES[name].pictures else 0  # of two shots, the pictures themselves and the layouts that go on with them
    assert sum(map(len, pictures)) == held


def test_a_prompt_in_each_order_and_one_that_was_rewritten(shop: Path) -> None:
    from generation.families import FAMILIES

    board, _ = boarded(shop / "script.md", Limits.of(replace(FAMILIES["toon"], sizes=((96, 64),))), None)
    shot = board.shots[1]
    wan = ordered(shot, board.style, FAMILIES["Wan2.2-T2V-A14B"].parts)
    assert (
        wan.startswith("@mia")
        and wan.endswith("close-up shot, static camera. watercolour")
        and "interior, shop, day." in wan
    )
    assert ordered(shot, board.style, FAMILIES["toon"].parts) == shot.prompt == compose(shot, board.style)
    shot.prompt = "A lamp."
    assert ordered(shot, board.style, FAMILIES["Wan2.2-T2V-A14B"].parts) == "A lamp."


def test_a_first_frame_on_the_board(shop: Path) -> None:
    from generation.families import FAMILIES

    limits = Limits.of(replace(FAMILIES["Wan2.2-I2V-A14B"], sizes=((96, 64),)))
    board, _ = boarded(shop / "script.md", limits, None)
    assert [shot.frame for shot in board.shots] == ["first.png"] * 2
    assert board.at(shop / "refs").shots[0].frame == "../first.png"
    board.shots[1].frame = None
    for source in (board, SCRIPT.replace("frame: first.png\n@mia smiles", "@mia smiles")):
        if isinstance(source, str):
            (shop / "script.md").write_text(source, encoding="utf-8")
            source = shop / "script.md"
        with pytest.raises(StoryboardError, match="only from its first frame, and shot 2 has none") as caught:
            boarded(source, limits, None)
        assert "frame: PICTURE" in caught.value.mend
    board.shots[1].frame = "nowhere.png"
    with pytest.raises(StoryboardError, match=r"shots\[1\].frame: there is no frame at .*nowhere.png"):
        boarded(board, limits, None)


def test_frames_in_a_script_that_cannot_be_had(shop: Path, run: Any) -> None:
    for line, words in (
        ("frame: frist.png", "did you mean"), ("frame: script.md", "is no picture"), ("frame:", "the frame has no path"),
        ("frame: first.png\nframe: first.png", "the shot has two frames"),
    ):  # fmt: skip
        (shop / "script.md").write_text(SCRIPT.replace("frame: first.png", line, 1), encoding="utf-8")
        code, _, err = run("plan", shop / "script.md")
        assert code == 2 and words in err


def test_a_long_prompt_is_said(stage: tuple[Path, Path], run: Any) -> None:
    room, folder = stage
    (room / "first.png").write_bytes((room / "refs" / "tom.png").read_bytes())
    text = SCRIPT.replace("@mia smiles.", "@mia smiles " + "on the left " * 90 + ".")
    (room / "script.md").write_text(text, encoding="utf-8")
    words = ("render", room / "script.md", "-o", room / "film.mp4", "--model", folder, "--until", "layout")
    for _ in range(2):  # also when it is there from before
        code, _, err = run(*words)
        assert code in (0, 3) and "shot 2: the prompt has" in err and "tokens and the model reads 256" in err, err


def test_the_families_are_listed(run: Any) -> None:
    code, out, _ = run("models", "list")
    assert code == 0 and "two experts of 14.29 B, each 28.6 GB in bf16 and 14.3 in fp8" in out
    assert "takes 6 reference pictures a shot" in out and "goes on from a first frame" in out
    code, out, _ = run("models", "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["Wan2.2-VACE-Fun-A14B"]["gigabytes"] == {"fp32": 69.4, "bf16": 34.7, "fp8": 17.3, "nf4": 9.2}
    assert rows["Wan2.2-T2V-A14B"]["shift"] == 12 and rows["Wan2.2-T2V-A14B"]["references"] == "tokens"


def test_boards_of_older_versions_have_no_frames(shop: Path) -> None:
    from generation.families import FAMILIES

    board, _ = boarded(shop / "script.md", Limits.of(replace(FAMILIES["toon"], sizes=((96, 64),))), None)
    plain = json.loads(board.text())
    for shot in plain["shots"]:
        del shot["frame"]
    assert Storyboard.parse(plain).shots[0].frame is None
