"""A chart of likeness along a take, as SVG that takes its colours from the page."""

from __future__ import annotations

from html import escape
from typing import Any

WIDE, HIGH, LEFT, LOW = 480, 120, 34, 18  # the picture, and the room for its numbers


def likeness_chart(score: dict[str, Any]) -> str:
    """Likeness of every character over the frames of a take, with the gate; '' when there is no line to draw."""
    frames = score["frames"]
    values = [seen["likeness"] for seen in score["seen"]] + [score["gate"], 1.0]
    low, high = min(0.0, *values), max(values)
    if frames < 2 or not score["seen"]:
        return ""

    def x(frame: float) -> float:
        return round(LEFT + (WIDE - LEFT - 4) * frame / (frames - 1), 1)

    def y(value: float) -> float:
        return round(4 + (HIGH - LOW - 4) * (high - value) / (high - low), 1)

    gate = y(score["gate"])
    parts = [
        f'<line x1="{LEFT}" x2="{WIDE - 4}" y1="{gate}" y2="{gate}" stroke="var(--warn)" stroke-dasharray="4 3"/>',
        f'<text x="{LEFT - 4}" y="{gate + 4}" text-anchor="end">gate</text>',
        f'<text x="{LEFT}" y="{HIGH - 4}">frame 1</text>',
        f'<text x="{WIDE - 4}" y="{HIGH - 4}" text-anchor="end">{frames}</text>',
    ]
    for mark in (0.0, 1.0):
        if abs(y(mark) - gate) > 12:
            parts.append(f'<text x="{LEFT - 4}" y="{y(mark) + 4}" text-anchor="end">{mark:g}</text>')
        parts.append(f'<line x1="{LEFT}" x2="{WIDE - 4}" y1="{y(mark)}" y2="{y(mark)}" stroke="var(--line)"/>')
    names = []
    for number, name in enumerate(score["characters"]):
        colour = f"var(--c{number % 3})"
        for run in runs([(seen["frame"], seen["likeness"]) for seen in score["seen"] if seen["name"] == name]):
            points = " ".join(f"{x(frame)},{y(value)}" for frame, value in run)
            dot = f'<circle cx="{x(run[0][0])}" cy="{y(run[0][1])}" r="2" fill="{colour}"/>'
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>' if len(run) > 1 else dot)
        names.append(f'<span style="color:{colour}">{escape(name)}</span>')
    return (
        f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="likeness by frame" font-size="11" fill="var(--soft)">'
        f'{"".join(parts)}</svg><p class="soft">likeness by frame: {", ".join(names)}</p>'
    )


def runs(points: list[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """Points in runs of consecutive frames, so that no line bridges frames in which nobody was found."""
    runs: list[list[tuple[int, float]]] = []
    for point in sorted(points):
        if runs and point[0] == runs[-1][-1][0] + 1:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs
