"""The light of a film on its report page: its course before and after the grade, the findings, and what was graded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assemble import Finding, Grading
    from storyboard.film.lighting import FilmLight

WIDE, HIGH, LEFT, LOW = 640, 150, 40, 18  # a chart, and the room for its numbers
Strips = Mapping[int, Sequence[Any]]
Picture = Callable[[Any], str]


def light_section(light: FilmLight | None, strips: Strips, picture: Picture) -> str:
    """The whole section; '' for a render that ended before the film. `strips` are frames of each shot as it was made, by number,
    and `picture` makes a data URI of one."""
    if light is None or not light.looks:
        return ""
    faults = light.after.faults
    word = "to be fixed" if light.fix else "to be looked at" if faults else "holds"
    chip = f'<span class="chip {"review" if faults else "ok"}">{word}</span>'
    charts = _chart(light, "ev", "exposure", "EV", 0.25) + _chart(light, "mired", "white balance", "mired", 15)
    alone = "".join(f"<li>shot {number}: {escape(why)}</li>" for number, why in light.after.alone.items())
    return (
        f"<h2>Light {chip}</h2>"
        '<p class="soft">Each shot against the anchor of its place and light: the same skin, the same clothes, the same place '
        "around the figures. Inside a shot the line is how its light goes on.</p>"
        f"{charts}{_grades(light, strips, picture)}{_findings(light, picture)}"
        + (f"<details><summary>shots that stand alone</summary><ul>{alone}</ul></details>" if alone else "")
    )


def _chart(light: FilmLight, what: str, said: str, unit: str, gate: float) -> str:
    """Exposure or white balance along the film: as it was made, and where something was graded as it is now."""
    before = _lines(light.before.matches, light.looks, what)
    after = (
        _lines(light.after.matches, light.graded_looks, what)
        if any(each.grade for each in light.gradings.values())
        else {}
    )
    values = [value for lines in (before, after) for line in lines.values() for value in line]
    top = max(1.25 * gate, *(abs(value) for value in values)) * 1.08
    total = sum(len(line) for line in before.values())

    def x(frame: float) -> float:
        return round(LEFT + (WIDE - LEFT - 4) * frame / max(1, total - 1), 1)

    def y(value: float) -> float:
        return round(4 + (HIGH - LOW - 8) * (top - value) / (2 * top), 1)

    parts = []
    for mark, style in ((0.0, "var(--line)"), (gate, "var(--warn)"), (-gate, "var(--warn)")):
        dash = ' stroke-dasharray="4 3"' if mark else ""
        parts.append(f'<line x1="{LEFT}" x2="{WIDE - 4}" y1="{y(mark)}" y2="{y(mark)}" stroke="{style}"{dash}/>')
        parts.append(f'<text x="{LEFT - 4}" y="{y(mark) + 4}" text-anchor="end">{mark:+g}</text>' if mark else "")
    start = 0
    for number, line in before.items():
        if start:
            parts.append(f'<line x1="{x(start)}" x2="{x(start)}" y1="4" y2="{HIGH - LOW}" stroke="var(--line)"/>')
        parts.append(f'<text x="{x(start) + 3}" y="{HIGH - 4}">shot {number}</text>')
        changed = number in after and light.gradings.get(number) is not None
        shown = [(line, "var(--c1)" if changed else "var(--c0)", "1.5" if changed else "2")]
        shown += [(after[number], "var(--c0)", "2")] if changed else []
        for values, colour, width in shown:
            points = " ".join(f"{x(start + place)},{y(value)}" for place, value in enumerate(values))
            dot = f'<circle cx="{x(start)}" cy="{y(values[0])}" r="2" fill="{colour}"/>'
            stroke = f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
            parts.append(stroke if len(values) > 1 else dot)
        start += len(line)
    key = '<span style="color:var(--c1)">as made</span>, <span style="color:var(--c0)">graded</span>; ' if after else ""
    return (
        f'<svg style="max-width:48rem" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{said} along the film" font-size="11" '
        f'fill="var(--soft)">{"".join(parts)}</svg><p class="soft">{said} along the film in {unit}; {key}gates at ±{gate:g}</p>'
    )


def _lines(matches: Mapping[int, Any], looks: Mapping[int, Any], what: str) -> dict[int, list[float]]:
    """By shot, its course about how far it is from its anchor."""
    found = {}
    for number, look in sorted(looks.items()):
        base = getattr(matches[number], what) if number in matches and matches[number].sound else 0.0
        found[number] = [base + float(value) for value in getattr(look, what)]
    return found


def _grades(light: FilmLight, strips: Strips, picture: Picture) -> str:
    """What was graded and what was refused; of graded shots a frame of the anchor, and one as made and as graded."""
    rows = ""
    for number, each in light.gradings.items():
        pictures = _figures(_pair(number, each, strips), picture)
        kept = (
            f"; <code>grades/{number:02}.cube</code>, undone by <code>grades/{number:02}-undo.cube</code>"
            if each.grade
            else ""
        )
        chip = (
            f'<span class="chip {"ok" if each.grade else "review"}">{"graded" if each.grade else "not graded"}</span>'
        )
        rows += f"<h3>Shot {number} {chip}</h3><p>{escape(each.why)}{kept}</p>"
        rows += pictures
    return rows


def _figures(shown: Sequence[tuple[Any, str]], picture: Picture) -> str:
    """Pictures side by side, each with what it is."""
    made = "".join(
        f'<figure><img src="{picture(frame)}" alt="{said}"><figcaption class="soft">{said}</figcaption></figure>'
        for frame, said in shown
    )
    return made and f'<div class="strip light">{made}</div>'


def _pair(number: int, each: Grading, strips: Strips) -> list[tuple[Any, str]]:
    mine, model = strips.get(number, ()), strips.get(each.anchor, ())
    if not len(mine) or not len(model) or each.grade is None:
        return []
    frame = mine[len(mine) // 2]
    return [
        (model[len(model) // 2], f"shot {each.anchor}, the anchor"),
        (frame, f"shot {number} as made"),
        (each.grade.apply(frame), f"shot {number} graded"),
    ]


def _findings(light: FilmLight, picture: Picture) -> str:
    """Every finding with its gates: what is wrong first, then the rest folded away."""
    head = "<tr><th>shot</th><th>what</th><th>as made</th><th>in the film</th><th>gates</th><th></th><th></th></tr>"
    after = {_name(each): each for each in light.after.findings}
    faults, fine = "", ""
    for each in light.before.findings:
        row = _row(each, after.get(_name(each)))
        seen = [(one.picture, f"shot {one.shot}, frame {one.frame + 1}") for one in light.evidence.get(each, ())]
        row += f'<tr><td colspan="7">{_figures(seen, picture)}</td></tr>' if seen else ""
        if each.verdict != "ok" or (_name(each) in after and after[_name(each)].verdict != "ok"):
            faults += row
        else:
            fine += row
    wrong = f'<div class="wide"><table>{head}{faults}</table></div>' if faults else ""
    rest = f'<details><summary>all checks that passed</summary><div class="wide"><table>{head}{fine}</table></div></details>'
    return wrong + (rest if fine else "")


def _name(each: Finding) -> tuple[str, tuple[int, ...], str]:
    return each.kind, each.shots, each.region if each.kind in ("skin", "clothes", "key light") else str(each.frames)


def _row(each: Finding, now: Finding | None) -> str:
    verdict, text = ("ok", "gone") if now is None else (now.verdict, now.text)
    chip = f'<span class="chip {"ok" if verdict == "ok" else "review"}">{verdict}</span>'
    gates = f"{each.review:g}" + ("" if each.fix == float("inf") else f" / {each.fix:g}")
    value = "" if now is None else f"{now.value:+.2f}"
    frames = f"frames {each.frames[0] + 1} to {each.frames[1] + 1}"
    beside = f", against shot {each.shots[0]}" if len(each.shots) > 1 else ""
    return (
        f'<tr><th>{each.shots[-1]}</th><td>{each.kind}, {escape(each.region)}<br><span class="soft">{frames}{beside}</span></td>'
        f'<td class="n">{each.value:+.2f}</td>'
        f'<td class="n">{value} {each.unit}</td><td class="n">{gates}</td><td>{chip}</td><td>{escape(text)}</td></tr>'
    )
