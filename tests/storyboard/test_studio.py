"""A film rendered through all stages with tiny real models: resumed, changed, taken again, broken, refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storyboard import Event, Film, Storyboard, StoryboardError, Studio

pytestmark = pytest.mark.slow

HEAD = """---
title: The Shop
size: 96x64
seed: 7
characters:
  mia: {refs: refs/mia}
  tom: {refs: refs/tom.png}
---
# INT. SHOP - DAY
"""
SCRIPT = HEAD + """
## Shot: wide, static, 0.7s
@mia waves. @tom sits.

## Shot: close-up, static, 0.5s
@mia: "Hi!"
"""


class Render:
    """Renders into one folder and remembers what was told."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.model = folder, model
        self.events: list[Event] = []

    def __call__(self, text: str | Path | Storyboard = SCRIPT, **options: Any) -> Film:
        source: str | Path | Storyboard = text
        if isinstance(text, str):
            source = self.folder / "script.md"
            source.write_text(text, encoding="utf-8")
        self.events.clear()
        on_event: Callable[[Event], None] = options.pop("on_event", self.events.append)
        return Studio(self.model).render(source, self.folder / "film.mp4", on_event=on_event, **options)

    @property
    def run(self) -> Path:
        return self.folder / "film.run"

    def made(self) -> list[tuple[str, int, int]]:
        """Which artefacts were made: stage, shot, take."""
        return [(event.stage, event.shot, event.take) for event in self.events if event.kind == "artefact"]


@pytest.fixture
def render(stage: tuple[Path, Path]) -> Render:
    return Render(*stage)


def all_of(*shots: int, take: int = 1) -> list[tuple[str, int, int]]:
    return [(stage, shot, take) for stage in ("encode", "layout", "detail", "decode") for shot in shots]


def test_a_film_and_everything_beside_it(render: Render) -> None:
    from assemble import read_frames, read_otio

    film = render()
    frames = list(read_frames(film.path))
    assert frames[0].shape == (64, 96, 3)
    lengths = [shot.seconds or 0 for shot in film.board.shots]
    assert lengths[0] == 0.7 and 0.5 <= lengths[1] < 1  # long enough to be said
    assert len(frames) == sum(round(length * 12) for length in lengths)
    assert film.seconds == pytest.approx(len(frames) / 12)
    assert render.made() == all_of(1, 2)  # stage by stage, not shot by shot
    assert set(film.report.identity) == {"mia", "tom"}
    assert film.report.review  # random experts draw nobody
    assert [len(shot.takes) for shot in film.report.shots] == [1, 1]
    run = json.loads((render.run / "run.json").read_text())
    assert run["state"] == "done" and run["model"]["hashes"] and run["encoders"] and run["versions"]["torch"]
    assert set(run["consistency"]) == {"mia", "tom"} and run["encoder_licence"]
    assert run["shots"][0]["takes"][0]["seconds"].keys() == {"encode", "layout", "detail", "decode"}
    kinds = {json.loads(line)["kind"] for line in (render.run / "events.jsonl").read_text().splitlines()}
    assert kinds >= {"plan", "pack", "stage", "artefact", "score", "film", "report"} and "step" not in kinds
    html = (render.run / "report.html").read_text()
    assert html.count("data:image/webp") == 10 and "mia" in html
    assert len(list((render.run / "takes").glob("*.mp4"))) == 2
    assert Storyboard.load(render.run / "board.json").shots[1].lines[0].text == "Hi!"
    edit = read_otio(render.run / "film.otio")
    assert edit.cuts == (0, 8, len(frames)) and all(clip.source and clip.source.is_file() for clip in edit.clips)
    assert not list(render.folder.rglob("*.part"))

    assert film.report.facts["marks"]["layers"] == ["picture", "sound"] and film.report.facts["marks"]["sha256"]
    assert film.report.facts["marks"]["id"] in html
    again = render()
    assert render.made() == []  # nothing was made twice
    assert again.path and len(list(read_frames(again.path))) == len(frames)
    assert again.report.facts["marks"]["id"] != film.report.facts["marks"]["id"]  # a film of its own, though it looks the same
    assert not [event for event in render.events if event.kind in ("pack", "stage")]

    render(SCRIPT.replace("Hi!", "Hey!"))
    assert {shot for _, shot, _ in render.made()} == {2}
    board = Storyboard.load(render.run / "board.json")
    render(render.run / "board.json")  # a board renders to the same
    assert render.made() == []
    assert Storyboard.load(render.run / "board.json").text() == board.text()


def test_a_killed_render_goes_on_where_it_was(render: Render) -> None:
    def killed(event: Event) -> None:
        render.events.append(event)
        if event.kind == "artefact" and (event.stage, event.shot) == ("layout", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(on_event=killed)
    assert json.loads((render.run / "run.json").read_text())["state"] == "stopped"
    assert not (render.folder / "film.mp4").exists()
    render()
    assert render.made() == [("layout", 2, 1), *all_of(1, 2)[4:]]
    # A broken artefact is made again, and so is nothing else.
    (decoded, *_) = sorted((render.run / "artefacts").glob("decode-*.safetensors"))
    decoded.write_bytes(decoded.read_bytes()[:-5])
    render()
    assert [stage for stage, _, _ in render.made()] == ["decode"]


def test_takes_until_the_gate_is_passed(render: Render) -> None:
    film = render(takes=2)
    assert render.made() == all_of(1, 2) + all_of(1, 2, take=2)[2:]  # the words are read once
    first = film.report.shots[0]
    assert [take.number for take in first.takes] == [1, 2] and first.takes[0].seed != first.takes[1].seed
    assert first.kept in first.takes
    assert [event.shot for event in render.events if event.kind == "retake"] == [1, 2]


def test_some_shots_another_seed_a_new_roll_and_from_nothing(render: Render) -> None:
    film = render(shots=[2])
    assert {shot for _, shot, _ in render.made()} == {2}
    assert [shot.kept is not None for shot in film.report.shots] == [False, True]
    assert any("shot 1 is not rendered yet" in str(event) for event in render.events)
    film = render(shots=[1])
    assert {shot for _, shot, _ in render.made()} == {1} and all(shot.kept for shot in film.report.shots)
    seeds = [shot.kept.seed for shot in film.report.shots if shot.kept]

    film = render(reroll="layout", shots=[1])
    assert render.made() == [(stage, 1, 1) for stage in ("layout", "detail", "decode")]
    rolled = [shot.kept.seed for shot in film.report.shots if shot.kept]
    assert rolled[0] != seeds[0] and rolled[1] == seeds[1]
    film = render()  # the roll holds
    assert [shot.kept.seed for shot in film.report.shots if shot.kept] == rolled and render.made() == []

    render(seed=8, shots=[1])
    assert {stage for stage, _, _ in render.made()} == {"layout", "detail", "decode"}
    render(fresh=True, shots=[1])
    assert render.made() == [(stage, 1, 1) for stage in ("encode", "layout", "detail", "decode")]


def test_stopping_early(render: Render) -> None:
    film = render(until="plan")
    assert film.path is None and render.made() == [] and (render.run / "board.json").exists()
    film = render(until="layout")
    assert film.path is None and not (render.folder / "film.mp4").exists()
    assert [stage for stage, _, _ in render.made()] == ["encode", "encode", "layout", "layout", "preview", "preview"]
    assert (render.run / "report.html").read_text().count("data:image/webp") == 10
    render(until="detail")
    assert {stage for stage, _, _ in render.made()} == {"detail"}
    film = render(until="decode")
    assert {stage for stage, _, _ in render.made()} == {"decode"} and film.path is None and film.report.identity


def test_a_clip_of_the_users_own_is_measured_and_stitched(render: Render) -> None:
    import numpy as np

    from assemble import read_frames, write_clip

    write_clip([np.full((64, 96, 3), 200, np.uint8)] * 24, render.folder / "storm.mp4", 24)
    film = render(SCRIPT + "\n## Shot: wide\nclip: storm.mp4\n@tom waves.\n")
    assert {shot for _, shot, _ in render.made()} == {1, 2}
    frames = list(read_frames(film.path))
    made = sum(round((shot.seconds or 0) * 12) for shot in film.board.shots[:2])
    assert len(frames) == made + 12 and abs(int(frames[-1].mean()) - 200) < 3
    kept = film.report.shots[2].kept
    assert kept and kept.score and not kept.passes


def test_a_pack_may_be_the_reference(render: Render) -> None:
    from identity import Encoders, prepare

    prepare([render.folder / "refs" / "tom.png"], "tom", Encoders.load()).save(render.folder / "packs" / "tom")
    render(SCRIPT.replace("refs/tom.png", "packs/tom"), until="layout")
    assert [event.text for event in render.events if event.kind == "pack" and "tom" in event.text] == []


def test_changed_references_are_looked_at_again(render: Render, painter: Any) -> None:
    from PIL import Image

    render(until="layout")
    Image.fromarray(painter.draw([(painter.make_person(3), 1)])).save(render.folder / "refs" / "tom.png")
    render(until="layout")
    assert {(stage, shot) for stage, shot, _ in render.made()} == {("layout", 1), ("preview", 1)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"takes": 0}, "0 takes"),
        ({"shots": [3]}, "there is no shot 3"),
        ({"until": "layuot"}, 'did you mean "layout"?'),
        ({"reroll": "decode"}, "is no stage"),
    ],
)
def test_what_cannot_be_asked_for(render: Render, options: dict[str, Any], said: str) -> None:
    with pytest.raises(StoryboardError, match=said.replace("?", r"\?")) as caught:
        render(**options)
    assert caught.value.exit_code == 2 and caught.value.mend
    assert not (render.folder / "film.mp4").exists()


def test_faults_of_the_request_leave_nothing_behind(render: Render) -> None:
    studio = Studio(render.model)
    (render.folder / "script.md").write_text(SCRIPT)
    for film, said in (("film.avi", "MP4"), ("no/film.mp4", "no folder")):
        with pytest.raises(StoryboardError, match=said):
            studio.render(render.folder / "script.md", render.folder / film)
    board = studio.board(render.folder / "script.md")
    board.shots[0].seconds = 3
    with pytest.raises(StoryboardError, match=r"shots\[0\].seconds: tiny makes shots of 0.5 to 1.41 s, not 3"):
        studio.render(board, render.folder / "film.mp4")
    assert not list(render.folder.glob("*.run"))


def test_a_picture_without_anybody_and_a_broken_model(render: Render) -> None:
    from PIL import Image

    from generation import GenerationError
    from identity import IdentityError

    Image.new("RGB", (320, 192), (128, 128, 128)).save(render.folder / "refs" / "tom.png")
    with pytest.raises(IdentityError) as nobody:
        render()
    assert nobody.value.mend and json.loads((render.run / "run.json").read_text())["state"] == "failed"
    (render.folder / "refs" / "tom.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(IdentityError):
        render()
    weights = next((render.model / "transformer").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(GenerationError) as cut:
        Studio(render.model)
    assert "cut short" in cut.value.what
    shutil.rmtree(render.model)
    with pytest.raises(GenerationError):
        Studio(render.model)


def test_a_wrong_tensor_is_told_of_before_anything_is_made(render: Render) -> None:
    from safetensors.torch import load_file, save_file
    from torch import ones

    from generation import GenerationError
    from storyboard.commands.doctor import Finding, examine

    def weighed() -> Finding:
        return next(finding for finding in examine(str(render.model)) if finding.name == "weights")

    assert weighed().good
    weights = next((render.model / "vae").glob("*.safetensors"))  # which is loaded last
    save_file({**load_file(weights), "decoder.conv_in.bias": ones(7)}, weights, {"format": "pt"})
    with pytest.raises(GenerationError, match=r"decoder\.conv_in\.bias is 7, not") as caught:
        render()
    assert caught.value.where == str(weights) and caught.value.mend
    assert not list(render.run.rglob("*.safetensors"))
    assert not weighed().good and str(weights) in weighed().what and weighed().mend


def test_a_full_disk_keeps_what_is_finished(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from storyboard.shooting.runfolder import RunFolder

    saved = RunFolder.save

    def full(self: RunFolder, stage: str, *words: Any, **noted: Any) -> None:
        if stage == "detail":
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(self, stage, *words, **noted)

    monkeypatch.setattr(RunFolder, "save", full)
    with pytest.raises(OSError, match="No space"):
        render()
    monkeypatch.undo()
    assert not list(render.folder.rglob("*.part"))
    assert len(list((render.run / "artefacts").glob("layout-*.safetensors"))) == 2


def test_the_command_line_renders(
    render: Render, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    from storyboard.commands.cli import main

    (render.folder / "script.md").write_text(SCRIPT)
    film = render.folder / "film.mp4"
    monkeypatch.setattr(sys, "argv", ["storyboard", "render", str(render.folder / "script.md"), "-o", str(film), "--model", str(render.model), "--json"])  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 3  # done, but nobody is recognised
    told = json.loads(out)
    assert told["film"] == str(film) and film.exists() and told["review"]
    assert "layout: shot 1, take 1" in err
    monkeypatch.setattr(sys, "argv", ["storyboard", "refs", "score", str(film), str(next((render.run / "packs").glob("tom-*")))])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3 and "tom: not found" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["storyboard", "refs", "prepare", str(render.folder / "refs" / "mia"), "--name", "mia", "-o", str(render.folder / "mia")])  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code and (render.folder / "mia" / "pack.json").exists()


def test_shots_are_joined_and_delivered_as_asked(render: Render) -> None:
    from assemble import read_frames

    joined = SCRIPT.replace("## Shot: close-up", "DISSOLVE TO: 0.25s\n\n## Shot: close-up, fade out 0.25s")
    film = render(joined, delivery="192x128@24", clips_to=render.folder / "shots")
    frames = list(read_frames(film.path))
    counts = [2 * round((shot.seconds or 0) * 12) for shot in film.board.shots]  # what toon makes, twice
    assert len(frames) == sum(counts) - 6 and frames[0].shape == (128, 192, 3)  # less the dissolve
    assert frames[-1].max() < 4 < frames[5].max()
    assert [sum(1 for _ in read_frames(render.folder / "shots" / f"shot0{n}.mp4")) for n in (1, 2)] == counts
    with pytest.raises(ValueError, match="ProRes"):
        render(joined, codec="prores")
