"""The report page: whole in itself, harmless whatever the script holds, and sound when nothing was measured."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np

from storyboard.planning.board import Storyboard
from storyboard.report.chart import likeness_chart
from storyboard.report.figures import Report, ShotReport, characters
from storyboard.report.page import page
from storyboard.shooting.takes import Take

EVIL = "<script>alert('x')</script>\" onerror=\"y & z"
VOID = {"meta", "img", "br", "line", "polyline", "circle"}


class Checker(HTMLParser):
    """Tags must close in order; no scripts, no handlers, nothing fetched from anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "iframe", "link", "object")
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("src", "href") or (value or "").startswith("data:image/webp;base64,")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "iframe")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(html: str) -> str:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert not checker.open
    assert not re.search(r"https?://", html)
    return checker.text


def score(*likeness: float | None, name: str = "mia", gate: float = 0.5) -> dict[str, Any]:
    found = [value for value in likeness if value is not None]
    return {
        "frames": len(likeness),
        "gate": gate,
        "strangers": 0.0,
        "seen": [{"frame": i, "name": name, "likeness": value} for i, value in enumerate(likeness) if value is not None],
        "characters": {
            name: {
                "mean": sum(found) / len(found) if found else None,
                "worst": min(found, default=None),
                "drift": 0.1 if found else None,
                "present": len(found) / len(likeness),
                "no_face": 0.25,
                "passes": bool(found) and min(found) > gate,
            }
        },
    }


def board(title: str = "Film", **changes: Any) -> Storyboard:
    shot = {
        "size": "wide", "seconds": 2, "place": "park", "interior": False, "time": "day", "light": {"side": "left", "warmth": "warm"},
        "characters": [{"name": "mia", "side": "left"}], "action": "@mia waves.", **changes,
    }  # fmt: skip
    plain = {"title": title, "size": "96x64", "characters": {"mia": {"refs": ["refs"]}}, "shots": [shot, shot]}
    return Storyboard.parse({"schema": "storyboard/1", **plain})


def facts(**changes: Any) -> dict[str, Any]:
    return {
        "started": 1e9, "seconds": 12.0, "film_seconds": 4.0, "storyboard": "0.1", "model": {"name": "tiny", "folder": "/m", "licence": "x"},
        "settings": {"takes": 2, "until": None}, "machine": {"cores": 2}, "versions": {"torch": "2"}, **changes,
    }  # fmt: skip


def test_a_page_tells_all_there_is() -> None:
    first = Take(1, 1, 11, keys={"decode": "ab" * 32}, seconds={"decode": 1.25}, score=score(0.2, None, 0.1))
    again = Take(1, 2, 22, keys={"decode": "cd" * 32}, score=score(0.8, 0.9, 0.7))
    kept = {1: again}
    made = board(lines=[{"speaker": "mia", "text": "Hush.", "manner": "softly"}], why={"size": "a reason"})
    report = Report(
        (ShotReport(1, again, (first, again)), ShotReport(2, None, ())), characters(made, kept), {"vae": "f" * 64}, {"figure": "e" * 64}, facts()
    )
    frames = [np.full((64, 96, 3), value, np.uint8) for value in range(0, 250, 50)]
    html = page(made, report, {(1, 1): frames, (1, 2): frames})
    text = checked(html)
    for said in ("Film", "1 of 2 shots", "seed 11", "seed 22", "in the film", "Not rendered yet", "Hush.", "softly", "a reason", "f" * 64,
                 "e" * 64, "decode 1.2 s", "0.70 (shot 1)", "wide shot, static camera"):  # fmt: skip
        assert said in text, said
    assert html.count("<img") == 10 and "prefers-color-scheme: dark" in html and "viewport" in html


def test_no_text_of_a_script_becomes_markup() -> None:
    made = board(
        EVIL, heading=EVIL, action="@mia " + EVIL, why={EVIL: EVIL}, clip=EVIL,
        lines=[{"speaker": "mia", "text": EVIL, "manner": EVIL}],
    )  # fmt: skip
    take = Take(1, 1, 1, clip=EVIL, score=score(0.4, 0.6, name=EVIL))
    report = Report((ShotReport(1, take, (take,)),), {}, {EVIL: EVIL}, {EVIL: EVIL}, facts(settings={EVIL: EVIL}))
    assert EVIL in checked(page(made, report, {}))


def test_characters_over_the_kept_takes() -> None:
    found = characters(board(), {1: Take(1, 1, 0, score=score(0.8, 0.6)), 2: Take(2, 1, 0, score=score(None, 0.2))})
    mia = found["mia"]
    assert (mia.mean, mia.worst, mia.worst_shot, mia.present, mia.passes) == (0.45, 0.2, 2, 0.5, False)
    assert mia.shots == {1: 0.7, 2: 0.2}
    lost = characters(board(), {1: Take(1, 1, 0, score=score(None, None))})["mia"]
    assert (lost.mean, lost.worst, lost.worst_shot, lost.passes) == (None, None, None, False)
    assert characters(board(), {1: Take(1, 1, 0)}) == {}
    take = Take(1, 1, 0, score=score(None, None))
    checked(page(board(), Report((ShotReport(1, take, (take,)),), {"mia": lost}, {}, {}, facts()), {}))


def test_a_chart_bridges_no_gap() -> None:
    svg = likeness_chart(score(0.9, 0.8, None, 0.7, None))
    assert svg.count("<polyline") == 1 and svg.count("<circle") == 1
    assert likeness_chart(score(0.5)) == likeness_chart(score(None, None)) == ""
    assert "nan" not in likeness_chart(score(-2.0, 1.5, gate=0.3))
