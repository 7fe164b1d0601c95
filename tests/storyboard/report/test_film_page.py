"""The film on its report page: what each part says, and the whole page as a browser shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from storyboard.planning.board import Storyboard
from storyboard.report import filmpage
from storyboard.report.figures import Report, ShotReport, characters
from storyboard.report.filmpage import course_chart, matrices, player, time_chart
from storyboard.report.page import page
from storyboard.shooting.takes import Take

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def board() -> Storyboard:
    shot = {
        "size": "wide", "seconds": 2, "place": "park", "interior": False, "time": "day", "light": {"side": "left", "warmth": "warm"},
        "characters": [{"name": "mia", "side": "left"}], "action": "@mia waves.",
    }  # fmt: skip
    plain = {
        "title": "A Film",
        "size": "96x64",
        "characters": {"mia": {"refs": ["r"]}},
        "shots": [shot, {**shot, "seconds": 4}],
    }
    return Storyboard.parse({"schema": "storyboard/1", **plain})


def score(likeness: list[float | None]) -> dict[str, Any]:
    found = [value for value in likeness if value is not None]
    seen = [{"frame": n, "name": "mia", "likeness": value} for n, value in enumerate(likeness) if value is not None]
    each = {
        "mean": np.mean(found),
        "worst": min(found),
        "drift": 0.0,
        "present": 0.9,
        "no_face": 0.1,
        "passes": min(found) > 0.5,
    }
    return {"frames": len(likeness), "gate": 0.5, "strangers": 0.0, "seen": seen, "characters": {"mia": each}}


def report(film: Path | None = None) -> Report:
    from identity import Consistency

    first = Take(
        1,
        1,
        11,
        keys={"decode": "ab" * 32},
        seconds={"encode": 0.5, "decode": 1.5},
        score=score([0.9, 0.8, None, 0.7] * 6),
    )
    second = Take(2, 1, 22, keys={"decode": "cd" * 32}, seconds={"decode": 4.0}, score=score([0.4, 0.45] * 12))
    facts = {
        "started": 1e9, "seconds": 12.0, "film_seconds": 6.0, "storyboard": "0.1", "machine": {}, "versions": {}, "settings": {"takes": 2},
        "model": {"name": "tiny", "folder": "/m", "licence": "Apache-2.0"}, "encoder_licence": "MIT", "film": str(film or "gone.mp4"),
    }  # fmt: skip
    same = Consistency("mia", (1, 2), ((1.0, 0.25), (0.25, 1.0)), (True, False), 0.0)
    shots = (ShotReport(1, first, (first,)), ShotReport(2, second, (second,)))
    return Report(
        shots,
        characters(board(), {1: first, 2: second}),
        {"vae": "f" * 64},
        {"figure": "e" * 64},
        facts,
        consistency={"mia": same},
    )


def drawn(svg: str) -> ElementTree.Element:
    (found,) = re.findall(r"<svg.*?</svg>", svg)
    return ElementTree.fromstring(found)  # noqa: S314 -- our own


def points(line: ElementTree.Element) -> list[list[float]]:
    return [[float(number) for number in point.split(",")] for point in line.get("points", "").split()]


def test_the_course_is_to_scale_and_bridges_neither_gaps_nor_cuts() -> None:
    chart = drawn(course_chart(board(), report()))
    boxes = [(float(box.get("x", "")), float(box.get("width", ""))) for box in chart.iter("rect")]
    assert boxes[1][1] == pytest.approx(2 * boxes[0][1], abs=4)  # 2 s and 4 s
    lines = [points(line) for line in chart.iter("polyline")]
    assert len(lines) == 7 and len(lines[-1]) == 24  # six gaps in the first shot
    assert max(x for line in lines[:-1] for x, _ in line) < boxes[1][0] <= lines[-1][0][0]
    ys = [[y for _, y in line] for line in lines]
    gate = next(float(rule.get("y1", "")) for rule in chart.iter("line") if rule.get("stroke-dasharray"))
    assert max(ys[0]) < gate < min(ys[-1])  # above the gate, and below it
    assert course_chart(board(), Report((), {}, {}, {}, {})) == ""


def test_the_matrix_tells_likeness_and_who_is_not_the_character() -> None:
    html = matrices(report().consistency)
    numbers = [text.text for text in drawn(html).iter("text")]
    assert numbers.count("1.00") == numbers.count("0.25") == 2
    fills = [box.get("fill") for box in drawn(html).iter("rect")]
    assert fills == ["var(--good)", "var(--warn)", "var(--warn)", "var(--warn)"]
    assert "not like the references in shot 2" in html and "mean of pairs 0.00" in html
    assert matrices({}) == ""


def test_the_bars_of_time_add_up() -> None:
    chart = drawn(time_chart(report()))
    wide = [float(box.get("width", "")) for box in chart.iter("rect")]
    assert wide[1] == pytest.approx(3 * wide[0], abs=0.2) and wide[0] + wide[1] == pytest.approx(wide[2] / 2, abs=0.2)
    assert "6.0 s in the stages" in time_chart(report())
    assert time_chart(Report((), {}, {}, {}, {})) == ""


def test_the_page_holds_the_film_unless_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "a <film>.mp4"
    film.write_bytes(b"moving")
    (held,) = re.findall(r'src="data:video/mp4;base64,(.*?)"', player(report(film)))
    assert b64decode(held) == b"moving"
    monkeypatch.setattr(filmpage, "LARGEST", 3)
    assert "a &lt;film&gt;.mp4" in player(report(film)) and "<video" not in player(report(film))
    assert player(report()) == ""
    (tmp_path / "film.mov").write_bytes(b"moving")
    assert "browsers know no such files" in player(report(tmp_path / "film.mov"))
    for said in ("Apache-2.0", "MIT", "f" * 64, "e" * 64, "seed 11", "seed 22"):
        assert said in page(board(), report(), {})


def near(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have a colour, give or take what smoothing does."""
    return int((np.abs(np.asarray(picture.convert("RGB")).astype(int) - colour).max(axis=2) <= 8).sum())


def browse(html: Path, *options: str) -> tuple[str, set[str]]:
    """Show a page in a real browser: what went to its console, and the addresses that it asked for."""
    net = html.with_name("net.json")
    words = [
        str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={html.with_name('user')}", f"--log-net-log={net}", *options, html.as_uri(),
    ]  # fmt: skip
    home = {**os.environ, "HOME": str(html.parent)}
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True, env=home)
    found = json.loads(net.read_text())
    kinds = {number: name for name, number in found["constants"]["logEventTypes"].items()}
    jobs = [event.get("params", {}) for event in found["events"] if kinds[event["type"]] == "URL_REQUEST_START_JOB"]
    # What no page asked for, the browser asked for itself: its dictionaries, the time.
    asked = {job["url"] for job in jobs if job.get("initiator", "not an origin") != "not an origin"}
    return "\n".join(line for line in ran.stderr.splitlines() if "CONSOLE" in line), asked


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_browser_shows_it_in_light_dark_and_print_and_asks_nobody(tmp_path: Path) -> None:
    from assemble import write_clip

    frames = [np.full((64, 96, 3), (200, 40, 160), np.uint8)] * 24
    write_clip(frames, tmp_path / "film.mp4", 12)
    html = tmp_path / "report.html"
    html.write_text(page(board(), report(tmp_path / "film.mp4"), {(1, 1): frames[:5], (2, 1): frames[:5]}))

    blue = {"light": ((255, 255, 255), (9, 105, 218)), "dark": ((22, 24, 28), (88, 166, 255))}
    for scheme, number, size in (("light", 1, "1200,1500"), ("dark", 0, "500,1800")):  # and on a phone
        shot = tmp_path / "shown.png"
        options = f"--screenshot={shot}", f"--window-size={size}", f"--blink-settings=preferredColorScheme={number}"
        assert browse(html, *options) == ("", set())
        picture, (paper, line) = Image.open(shot), blue[scheme]
        assert picture.getpixel((3, 3))[:3] == paper  # type: ignore[index]
        assert near(picture, line) > 150  # the lines of likeness
        assert near(picture, (200, 40, 160)) > 10_000  # the film
    assert browse(html, f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer") == ("", set())
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")

    # Would it be seen?
    html.write_text('<img src="http://127.0.0.1:9/picture.png"><script>console.log("hello")</script>')
    console, asked = browse(html, f"--screenshot={tmp_path / 'shown.png'}")
    assert "hello" in console and asked == {"http://127.0.0.1:9/picture.png"}
