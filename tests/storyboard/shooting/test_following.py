"""Shots that go on from others: from the last picture of the one before, or with pictures of the place as it came out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storyboard import StoryboardError
from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.boarding import boarded
from storyboard.planning.shot import Shot
from storyboard.shooting.following import Following, Waits, waits_of
from storyboard.shooting.takes import best_frame

HEAD = """---
size: 96x64
seed: 7
characters:
  mia: {refs: refs/mia}
  tom: {refs: refs/tom.png}
---
# INT. SHOP - DAY
"""
CONTINUED = HEAD + """
## Shot: wide, static, 0.5s
frame: first.png
@mia waves. @tom sits.

## Shot: continues, push in, 0.5s
@mia smiles.
"""
REMEMBERED = HEAD + """
## Shot: wide, static, 0.5s
@mia waves. @tom sits.

## Shot: wide, 0.5s
A bell hangs from the ceiling.

## Shot: close-up, 0.5s
@mia smiles.
"""


def board(*shots: dict[str, Any]) -> Storyboard:
    plain = {"size": "wide", "seconds": 1, "place": "shop", "interior": True, "time": "day", "light": {"side": "left", "warmth": "warm"}}
    made = []
    for shot in shots:
        names = shot.pop("names", "")
        made.append(Shot.model_validate({**plain, **shot, "characters": [{"name": name, "side": "left"} for name in names]}))
    return Storyboard.model_construct(size="96x64", shots=made, characters={})


def family(name: str) -> Any:
    from generation.families import FAMILIES

    return FAMILIES[name]


@pytest.mark.parametrize(
    ("shots", "seen"),
    [
        (["mt", "m", "t", "mt"], {1: (2, 3), 4: (2, 3)}),  # close-ups before the wide shot of both
        (["", "m", "t", "mt"], {2: (1,), 3: (1,), 4: (1,)}),  # the empty place before all
        (["m", "m", "m"], {2: (1,), 3: (1,)}),
        (["m", "t"], {}),
    ],
)
def test_who_is_on_a_picture_of_the_place_is_in_the_shot(shots: list[str], seen: dict[int, tuple[int, ...]]) -> None:
    film = board(*({"names": names} for names in shots))
    assert waits_of(film, family("Bernini-R"), remember=True) == {n: Waits(seen=each) for n, each in seen.items()}
    assert waits_of(film, family("Bernini-R"), remember=False) == {}
    assert waits_of(film, family("toon"), remember=True) == {}
    vace = waits_of(film, family("Wan2.2-VACE-Fun-A14B"), remember=True)  # takes four pictures, and one of them of the place
    assert vace == {n: Waits(seen=each[:1]) for n, each in seen.items()}


def test_only_shots_of_one_place_and_light_are_alike() -> None:
    night = {"time": "night"}
    film = board({"names": "m"}, {"names": "m", **night}, {"names": "m", "place": "SHOP"}, {"names": "m", "clip": "a.mp4"})
    assert waits_of(film, family("Bernini-R"), remember=True) == {3: Waits(seen=(1,))}
    film = board({"size": "close-up"}, {"size": "medium"}, {"anchor": True, "size": "medium"})
    assert waits_of(film, family("Bernini-R"), remember=True) == {1: Waits(seen=(3,)), 2: Waits(seen=(3,))}
    film = board({"size": "close-up"}, {"size": "wide"})
    assert waits_of(film, family("Bernini-R"), remember=True) == {1: Waits(seen=(2,))}


def test_rounds_of_shots_that_wait() -> None:
    film = board({"names": "mt"}, {"names": "mt", "continues": True}, {"continues": True}, {"names": "m"})
    following = Following(film, family("Wan2.2-VACE-Fun-A14B"), remember=True)
    assert following.waits == {1: Waits(seen=(4,)), 2: Waits(1), 3: Waits(2)}
    assert following.levels([1, 2, 3, 4]) == [[4], [1], [2], [3]] and following.levels([3]) == [[3]]
    alone = Following(film, family("Bernini-R"))
    assert alone.levels([1, 2, 3, 4]) == [[1, 2, 3, 4]] and "shots 2, 3 can continue" in alone.notes[0]
    assert "are not remembered" in Following(film, family("toon"), remember=True).notes[0]
    assert Following(film, None).levels([1, 2]) == [[1, 2]]


def test_the_best_frame_keeps_everyone() -> None:
    seen = [("mia", 0, 0.9), ("tom", 0, 0.2), ("mia", 1, 0.6), ("tom", 1, 0.5), ("mia", 2, 1.0)]
    rows = [{"name": name, "frame": frame, "likeness": likeness} for name, frame, likeness in seen]
    assert best_frame({"characters": {"mia": {}, "tom": {}}, "seen": rows}, 4) == 1
    assert best_frame(None, 9) == 4 and best_frame({"characters": {"mia": {}}, "seen": []}, 9) == 0


SHAPE = ("96x64", "114x64")  # which the embedded model can make


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CONTINUED.replace("continues, push in", "medium, continues"), "the shot before is a wide, not a medium"),
        (CONTINUED.replace("wide, static", "wide, continues"), "shot 1 continues, and is the first of its scene"),
        (CONTINUED.replace("## Shot: continues", "# EXT. PARK - DAY\n## Shot: continues"), "shot 2 continues, and is the first"),
        (CONTINUED.replace("continues,", "continues, dissolve 0.2s,"), "there is no plain cut before it"),
        (CONTINUED.replace("@mia smiles", "frame: first.png\n@mia smiles"), "has a frame of its own"),
    ],
)
def test_what_cannot_continue(text: str, said: str, stage: tuple[Path, Path], run: Any) -> None:
    room, _ = stage
    Image.new("RGB", (120, 70), (90, 120, 60)).save(room / "first.png")
    (room / "script.md").write_text(text.replace(*SHAPE), encoding="utf-8")
    code, _, err = run("plan", room / "script.md")
    assert code == 2 and said in err and '"## Shot: wide, continues, 3s"' in err


def test_a_board_keeps_the_word(stage: tuple[Path, Path], run: Any) -> None:
    room, _ = stage
    Image.new("RGB", (120, 70), (90, 120, 60)).save(room / "first.png")
    (room / "script.md").write_text(CONTINUED.replace(*SHAPE), encoding="utf-8")
    code, out, _ = run("plan", room / "script.md")
    assert code == 0 and "  2  wide, push in, 0.5 s, continues" in out
    made, _ = boarded(room / "script.md", replace(Limits.embedded(), sizes=((114, 64),)), None)
    assert [shot.continues for shot in made.shots] == [False, True]
    assert [shot.continues for shot in Storyboard.parse(json.loads(made.text())).shots] == [False, True]
    plain = json.loads(made.text())
    assert "continues" not in plain["shots"][0]  # boards of before stay as they are
    plain["shots"][1]["size"] = "close-up"
    with pytest.raises(StoryboardError, match="make them alike"):
        boarded(Storyboard.parse(plain, folder=room), replace(Limits.embedded(), sizes=((114, 64),)), None)


class Films:
    """Renders a script on the command line with a tiny model of a family, and keeps what was asked of it and loaded."""

    def __init__(self, room: Path, folder: Path, run: Any, patch: pytest.MonkeyPatch) -> None:
        from generation import Model
        from generation.references.stage import ReferencesStage

        self.room, self.folder, self.run = room, folder, run
        self.loads: Counter[str] = Counter()
        self.asked: list[Any] = []
        network, stage = Model.network, ReferencesStage.run

        def loaded(model: Any, part: str, dtype: Any) -> Any:
            self.loads[part] += 1
            return network(model, part, dtype)

        def asked(self_: Any, request: Any, *rest: Any) -> Any:
            self.asked.append(request)
            return stage(self_, request, *rest)

        patch.setattr(Model, "network", loaded)
        patch.setattr(ReferencesStage, "run", asked)

    def __call__(self, text: str, *words: object, code: tuple[int, ...] = (0, 3)) -> tuple[dict[str, Any], str]:
        (self.room / "script.md").write_text(text, encoding="utf-8")
        self.loads.clear()
        self.asked.clear()
        where = ("-o", self.room / "film.mp4", "--model", self.folder, "--json")
        ended, out, err = self.run("render", self.room / "script.md", *where, *words)
        assert ended in code, err
        return (json.loads(out) if ended in (0, 3) else {}), err

    def shown(self, shot: int) -> Any:
        """The frames of a shot as it was decoded."""
        from safetensors.numpy import load_file

        for note in (self.room / "film.run" / "artefacts").glob("decode-*.record"):
            if json.loads(note.read_text())["shot"] == shot:
                return load_file(note.with_suffix(".safetensors"))["frames"]
        return None


@pytest.fixture
def films(
    stage: tuple[Path, Path], make_folder: Callable[..., Path], run: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Films]:
    def made(name: str) -> Films:
        from generation.families import FAMILIES

        room, _ = stage
        Image.new("RGB", (120, 70), (90, 120, 60)).save(room / "first.png")
        full = FAMILIES[name]
        tiny = replace(full, layers=2, width=24, sizes=((48, 32),), max_frames=33, steps=3, text_length=256)
        wide = full.vae == "Wan2.2"
        monkeypatch.setitem(FAMILIES, name, replace(tiny, channels=16, latents=16) if wide else tiny)
        folder = make_folder(
            room / f"a-{full.hint or 'fine'}-tune", experts=full.experts, kind=full.pipeline, expand=wide, residual=wide
        )
        return Films(room, folder, run, monkeypatch)

    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Wan2.2-I2V-A14B", "Wan2.2-TI2V-5B"])
def test_a_shot_continues_from_the_last_picture(name: str, films: Callable[[str], Films]) -> None:
    render, count = films(name), round(family(name).fps / 2)
    told, err = render(CONTINUED, "--takes", "2")
    assert "shot 2 starts from the last picture of shot 1" in err
    kept = told["shots"][0]["kept"]
    first, last = (request.first_frame for request in (render.asked[0], render.asked[-1]))
    assert np.array_equal(first[0, 0], [90, 120, 60])
    assert np.array_equal(last, _kept_frames(render, kept)[count - 1])  # one more was made, and is cut off
    assert [take["of"] for shot in told["shots"] for take in shot["takes"]] == [[], [], [1], [1]]
    experts = ("transformer", "transformer_2")[: family(name).experts]
    assert {part: times for part, times in render.loads.items() if part != "vae"} == dict.fromkeys(("text_encoder", *experts), 1)
    assert told["film_seconds"] * family(name).fps == pytest.approx(2 * count)
    assert (render.room / "film.run" / "report.html").read_text().count("with pictures of shot 1; ") == 2
    again, _ = render(CONTINUED, "--takes", "2")
    assert not render.asked and not render.loads  # nothing was made twice
    assert [shot["takes"] for shot in again["shots"]] == [shot["takes"] for shot in told["shots"]]


def _kept_frames(render: Films, number: int) -> Any:
    from safetensors.numpy import load_file

    for note in (render.room / "film.run" / "artefacts").glob("decode-*.record"):
        said = json.loads(note.read_text())
        if (said["shot"], said["take"]) == (1, number):
            return load_file(note.with_suffix(".safetensors"))["frames"]
    raise AssertionError(number)


@pytest.mark.slow
def test_a_shot_cannot_continue_what_is_not_there(films: Callable[[str], Films]) -> None:
    render = films("Wan2.2-I2V-A14B")
    _, err = render(CONTINUED, "--shots", "2", code=(2,))
    assert "shot 2 continues shot 1, which is not made yet" in err and "make both: --shots 1,2" in err
    _, err = render(CONTINUED, "--until", "layout")
    assert "shot 2 goes on from shot 1, and so it is made only in a whole render" in err and len(render.asked) == 1
    render(CONTINUED, "--until", "decode")
    assert len(render.asked) == 1  # the layout of the first was there
    told, err = render(CONTINUED, "--shots", "1", "--reroll", "layout")
    assert "shot 2 is not rendered yet" in err  # what it went on from is gone
    told, _ = render(CONTINUED, "--shots", "2", "--until", "decode")
    assert [shot["takes"][0]["of"] for shot in told["shots"]] == [[], [1]] and len(render.asked) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Wan2.2-VACE-Fun-A14B", "Bernini-R"])
def test_the_place_is_remembered(name: str, films: Callable[[str], Films]) -> None:
    render = films(name)
    last = ("--until", "decode")  # the takes are looked at here, and not the film
    plain, _ = render(REMEMBERED, *last)
    assert not any(request.place for request in render.asked)
    told, err = render(REMEMBERED, "--remember", *last)
    assert "shot 1 sees its place as in shot 2" in err and "shot 3 sees its place as in shot 2" in err
    assert len(render.asked) == 2  # the empty shop was there from before
    for request in render.asked:
        (place,) = request.place
        assert np.array_equal(place, render.shown(2)[4]) and all(request.pictures)
    assert [take["of"] for shot in told["shots"] for take in shot["takes"]] == [[2], [], [2]]
    before, after = ([shot["takes"][0]["keys"]["detail"] for shot in each["shots"]] for each in (plain, told))
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, False]
    again, _ = render(REMEMBERED, "--remember", "--fresh", *last)
    assert len(render.asked) == 3 and render.loads == Counter(text_encoder=1, transformer=1, transformer_2=1, vae=render.loads["vae"])
    assert [shot["takes"][0]["keys"] for shot in again["shots"]] == [shot["takes"][0]["keys"] for shot in told["shots"]]
    assert again["settings"]["remember"]


@pytest.mark.slow
def test_a_shot_that_is_not_accepted_is_not_remembered(films: Callable[[str], Films]) -> None:
    render = films("Bernini-R")
    text = REMEMBERED.replace("A bell hangs from the ceiling.", "@mia sits.")
    told, err = render(text, "--remember", "--until", "decode")  # random experts draw nobody
    assert "shot 1 sees nothing of shot 2, which is not accepted" in err
    assert not any(request.place for request in render.asked) and told["review"]
