"""Layouts looked at before they are finished, and finished anew: what a film of tiny real models makes, keeps and loads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storyboard import Event, Film, Studio
from storyboard.shooting.sight import Sight

pytestmark = pytest.mark.slow

SCRIPT = """---
size: 96x64
seed: 7
characters:
  mia: {refs: refs/mia}
  tom: {refs: refs/tom.png}
---
# INT. SHOP - DAY

## Shot: wide, static, 0.7s
@tom sits.

## Shot: close-up, static, 0.5s
@mia looks up.
"""


class Render:
    """Renders with a gate for layouts, and counts what was loaded."""

    def __init__(self, folder: Path, model: Path, patch: pytest.MonkeyPatch) -> None:
        from generation import Model

        self.folder, self.model, self.patch = folder, model, patch
        self.events: list[Event] = []
        self.loads: Counter[str] = Counter()
        real = Model.network

        def counted(model: Any, component: str, dtype: Any) -> Any:
            self.loads[component] += 1
            return real(model, component, dtype)

        patch.setattr(Model, "network", counted)
        (folder / "script.md").write_text(SCRIPT)

    def gate(self, value: float | None) -> None:
        from generation.families import FAMILIES

        strengths = {"identity_scale": (1.1, 1.2), "retake_scale": 1.5, "voice_scale": 1.2}
        self.patch.setitem(FAMILIES, "tiny", replace(FAMILIES["tiny"], layout_gate=value, **strengths))

    def __call__(self, film: str = "film.mp4", **options: Any) -> Film:
        self.events.clear()
        self.loads.clear()
        return Studio(self.model).render(
            self.folder / "script.md", self.folder / film, on_event=self.events.append, **options
        )

    def made(self, stage: str) -> list[tuple[int, int]]:
        return [(event.shot, event.take) for event in self.events if event.kind == "artefact" and event.stage == stage]

    def kinds(self, kind: str) -> list[str]:
        return [str(event) for event in self.events if event.kind == kind]


@pytest.fixture
def render(stage: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Render:
    return Render(*stage, monkeypatch)


def test_layouts_that_fail_are_not_finished(render: Render) -> None:
    render.gate(9.0)  # nobody is so like themselves
    film = render(takes=2)
    assert render.made("encode") == [(1, 1), (2, 1)]
    assert render.made("layout") == [(shot, take) for take in range(1, 7) for shot in (1, 2)]
    assert [shot for shot, _ in render.made("detail")] == [1, 2]  # the one that fails least, so that there is a film
    assert render.loads["transformer"] == render.loads["transformer_2"] == 1
    assert film.path and film.path.exists()
    for shot in film.report.shots:
        assert [take.number for take in shot.takes] == [1, 2, 3, 4, 5, 6]
        assert sum(not take.rejected for take in shot.takes) == 1 and shot.kept and not shot.kept.rejected
        assert all(take.sight for take in shot.takes)
    assert len(render.kinds("reject")) == 12
    page = (film.folder / "report.html").read_text()
    assert page.count("layout not finished") == 10 and page.count("data:image/webp") >= 10 * 2 + 2 * 5

    again = render(takes=2)  # nothing is made, nothing loaded, the same is kept
    assert not render.loads and not render.made("layout")
    assert [shot.kept.seed for shot in again.report.shots if shot.kept] == [
        s.kept.seed for s in film.report.shots if s.kept
    ]

    render(takes=2, marks=None)  # a mark has an id of its own each time
    other = render("other.mp4", takes=2, marks=None)  # the same seed, the same film
    kept = [{path.name: path.read_bytes() for path in run.rglob("decode-*.safetensors")} for run in (film.folder, other.folder)]
    assert len(kept[0]) == 2 and kept[0] == kept[1]
    assert other.path and film.path and other.path.read_bytes() == film.path.read_bytes()


def test_layouts_that_pass_are_finished_and_taken_again_only_then(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    from storyboard.shooting import filming

    asked, ask = set(), filming.requested

    def noted(board: Any, number: int, take: Any, *more: Any) -> Any:
        request = ask(board, number, take, *more)
        asked.add((take.number, request.identity_scale, request.voice_scale))
        return request

    monkeypatch.setattr(filming, "requested", noted)
    render.gate(-1.0)
    film = render(takes=2)
    # a shot that is taken again leans on identity more, and hears its voices as before
    assert asked == {(1, (1.1, 1.2), 1.2), (2, (1.5, 1.5), 1.2)}
    assert not render.kinds("reject")
    assert render.made("layout") == render.made("detail") == [(1, 1), (2, 1), (1, 2), (2, 2)]
    assert [len(shot.takes) for shot in film.report.shots] == [2, 2]
    assert render.loads["transformer"] == render.loads["transformer_2"] == 1  # put aside between the rounds
    render.gate(None)
    render(takes=2, fresh=True)
    assert not any(shot.takes[0].sight for shot in render().report.shots)


def test_a_finished_take_is_not_lost_to_a_rejected_one(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    render.gate(0.2)
    fails = Sight._fails
    monkeypatch.setattr(Sight, "_fails", lambda *words: fails(*words) and words[1].take.number > 1)
    film = render(takes=2, shots=[2])
    assert render.made("layout") == [(2, take) for take in range(1, 7)] and render.made("detail") == [(2, 1)]
    kept = film.report.shots[1].kept
    assert kept and kept.number == 1 and "not finished" in render.kinds("reject")[-1]


def test_a_layout_is_finished_anew(render: Render) -> None:
    first = render()
    seeds = [(shot.kept.seed, shot.kept.detail_seed) for shot in first.report.shots if shot.kept]
    film = render(reroll="detail", shots=[2])
    assert not render.made("layout") and render.made("detail") == render.made("decode") == [(2, 1)]
    now = [(shot.kept.seed, shot.kept.detail_seed) for shot in film.report.shots if shot.kept]
    assert now[0] == seeds[0] and now[1][0] == seeds[1][0] and now[1][1] is not None and seeds[1][1] is None
    render()
    assert not render.made("detail")  # the roll holds
    film = render(reroll="layout", shots=[2])
    kept = film.report.shots[1].kept
    assert kept and kept.detail_seed is None and kept.seed != seeds[1][0]
