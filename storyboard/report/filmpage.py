"""The film as a whole on its report page: to be played, its course by character, who looks like whom, and where the time went."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.planning.board import Storyboard
from storyboard.report.chart import runs
from storyboard.report.figures import Report

if TYPE_CHECKING:
    from identity import Consistency

LARGEST = 16_000_000  # bytes of a film that the page holds; a larger one only lies beside it
WIDE, LEFT, BAND, PLOT = 480, 34, 22, 110  # a chart, the room for its numbers, the row of shots, the lines below it
CELL, LINE = 52, 22  # of a matrix, and of a row of bars
COLOURS = 4  # --c0 to --c3 of the page's style


def player(report: Report) -> str:
    """The film itself, inside the page as long as it is not too large; '' when there is none."""
    path = Path(report.facts.get("film", ""))
    if not (report.facts["film_seconds"] and path.is_file()):
        return ""
    size = path.stat().st_size
    why = f"with {size / 1e6:.0f} MB it is too large" if size > LARGEST else ""
    if path.suffix.lower() != ".mp4":
        why = "browsers know no such files"
    if why:
        return f'<p class="soft">The film is {escape(path.name)}; it cannot be played here: {why}.</p>'
    packed = b64encode(path.read_bytes()).decode()
    return f'<video controls playsinline preload="metadata" src="data:video/mp4;base64,{packed}"></video>'


def course_chart(board: Storyboard, report: Report) -> str:
    """How like its references each character is along the film, shot by shot; '' when nothing was measured."""
    shots = [(shot.number, shot.kept) for shot in report.shots if shot.kept]
    scores = {number: take.score for number, take in shots if take.score}
    values = [seen["likeness"] for score in scores.values() for seen in score["seen"]]
    if not values:
        return ""
    known = [board.shots[number - 1].seconds for number, _ in shots]
    # Clips that came without a length share what the others leave.
    rest = (report.facts["film_seconds"] - sum(filter(None, known))) / max(1, known.count(None))
    lengths = [max(rest, 0.5) if seconds is None else seconds for seconds in known]
    starts = [0.0, *accumulate(lengths)]
    gate = next(iter(scores.values()))["gate"]
    low, high = min(0.0, *values), max(1.0, *values)
    names = list(dict.fromkeys(name for score in scores.values() for name in score["characters"]))

    def x(seconds: float) -> float:
        return round(LEFT + (WIDE - LEFT - 4) * seconds / starts[-1], 1)

    def y(value: float) -> float:
        return round(BAND + 6 + (PLOT - 8) * (high - value) / (high - low), 1)

    parts = [_rule(y(0), "--line"), _rule(y(1), "--line"), _rule(y(gate), "--warn", ' stroke-dasharray="4 3"')]
    parts.append(_mark(y(gate), "gate"))
    parts += [_mark(y(value), f"{value:g}") for value in (0.0, 1.0) if abs(y(value) - y(gate)) > 13]
    for (number, take), start, end in zip(shots, starts, starts[1:], strict=False):
        good = "--good" if take.passes else "--warn"
        parts.append(
            f'<rect x="{x(start)}" y="2" width="{max(1, x(end) - x(start) - 2):.1f}" height="{BAND - 4}" rx="3" '
            f'fill="var({good})" fill-opacity=".18" stroke="var({good})"/>'
        )
        if x(end) - x(start) > 8 * len(str(number)):
            parts.append(f'<text x="{x((start + end) / 2)}" y="{BAND - 7}" text-anchor="middle">{number}</text>')
        score = scores.get(number)
        for place, name in enumerate(names):
            if not score:
                continue
            step = (end - start) / max(1, score["frames"])
            for run in runs([(seen["frame"], seen["likeness"]) for seen in score["seen"] if seen["name"] == name]):
                points = [(x(start + (frame + 0.5) * step), y(value)) for frame, value in run]
                parts.append(_line(points, f"var(--c{place % COLOURS})"))
    legend = _legend(names)
    return (
        f"{_svg(WIDE, BAND + PLOT + 4, 'likeness along the film', parts)}"
        f'<p class="soft">likeness along the film, {starts[-1]:.1f} s in {len(shots)} shots: {legend}</p>'
    )


def matrices(consistency: Mapping[str, Consistency]) -> str:
    """For each character in several shots, how alike it looks from shot to shot; '' where nobody is."""
    several = [each for each in consistency.values() if len(each.shots) > 1]
    if not several:
        return ""
    said = "Cosines of the whole appearance. In the mean a pair counts for nothing unless both shots are like the references."
    return (
        f'<h2>From shot to shot</h2><p class="soft">{said}</p><div class="row">{"".join(map(_matrix, several))}</div>'
    )


def time_chart(report: Report) -> str:
    """How long each take spent in each stage; '' when nothing was made."""
    rows = [(take.shot, take.number, take.seconds) for shot in report.shots for take in shot.takes if take.seconds]
    if not rows:
        return ""
    stages = list(dict.fromkeys(stage for _, _, seconds in rows for stage in seconds))
    most = max(sum(seconds.values()) for _, _, seconds in rows) or 1.0
    left, right = 96, 52
    parts = []
    for line, (shot, number, seconds) in enumerate(rows):
        top = line * LINE
        ends = [0.0, *accumulate(seconds.values())]
        parts.append(f'<text x="0" y="{top + 14}">shot {shot}, take {number}</text>')
        for stage, (start, end) in zip(seconds, pairwise(ends), strict=True):
            at, wide = left + (WIDE - left - right) * start / most, (WIDE - left - right) * (end - start) / most
            colour = f"var(--c{stages.index(stage) % COLOURS})"
            parts.append(f'<rect x="{at:.1f}" y="{top + 3}" width="{wide:.1f}" height="{LINE - 8}" fill="{colour}"/>')
        parts.append(
            f'<text x="{left + (WIDE - left - right) * ends[-1] / most + 5:.1f}" y="{top + 14}">{ends[-1]:.1f} s</text>'
        )
    legend = _legend(stages)
    total = sum(sum(seconds.values()) for _, _, seconds in rows)
    return (
        f"<h2>Time</h2>{_svg(WIDE, len(rows) * LINE, 'seconds of each take by stage', parts)}"
        f'<p class="soft">{total:.1f} s in the stages: {legend}</p>'
    )


def _matrix(each: Consistency) -> str:
    parts: list[str] = []
    for row, (number, faithful, values) in enumerate(zip(each.shots, each.faithful, each.matrix, strict=True)):
        top = LINE * (row + 1)
        parts.append(f'<text x="{CELL * (row + 1) + CELL / 2:.0f}" y="15" text-anchor="middle">shot {number}</text>')
        parts.append(f'<text x="{CELL - 6}" y="{top + 15}" text-anchor="end">shot {number}</text>')
        for column, value in enumerate(values):
            left, both = CELL * (column + 1), faithful and each.faithful[column]
            shade = max(0.0, min(1.0, value)) ** 2 * 0.6
            parts.append(
                f'<rect x="{left + 1}" y="{top + 1}" width="{CELL - 2}" height="{LINE - 2}" rx="2" '
                f'fill="var(--{"good" if both else "warn"})" fill-opacity="{shade:.2f}"/>'
                f'<text x="{left + CELL // 2}" y="{top + 15}" text-anchor="middle" fill="var(--ink)">{value:.2f}</text>'
            )
    size = CELL * (len(each.shots) + 1)
    mean = f", mean of pairs {each.value:.2f}" if each.value is not None else ""
    unlike = [str(number) for number, faithful in zip(each.shots, each.faithful, strict=True) if not faithful]
    faults = f'<p class="review">not like the references in shot {", ".join(unlike)}</p>' if unlike else ""
    picture = _svg(
        size, LINE * (len(each.shots) + 1), f"{each.name} from shot to shot", parts, f"width:{size}px;max-width:none"
    )
    return f'<div class="wide"><h3>{escape(each.name)}{mean}</h3>{picture}{faults}</div>'


def _svg(width: float, height: float, label: str, parts: list[str], style: str = "") -> str:
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}" style="{style}"'
    return f'{head} font-size="12" fill="var(--soft)">{"".join(parts)}</svg>'


def _legend(names: list[str]) -> str:
    return ", ".join(f'<span style="color:var(--c{n % COLOURS})">{escape(name)}</span>' for n, name in enumerate(names))


def _line(points: list[tuple[float, float]], colour: str) -> str:
    if len(points) == 1:
        return f'<circle cx="{points[0][0]}" cy="{points[0][1]}" r="2" fill="{colour}"/>'
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _rule(y: float, colour: str, more: str = "") -> str:
    return f'<line x1="{LEFT}" x2="{WIDE - 4}" y1="{y}" y2="{y}" stroke="var({colour})"{more}/>'


def _mark(y: float, text: Any) -> str:
    return f'<text x="{LEFT - 4}" y="{y + 4}" text-anchor="end">{text}</text>'
