"""The report as one HTML page that holds all it shows: styles, pictures and charts, and nothing that runs."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any

from storyboard.planning.board import Storyboard
from storyboard.planning.shot import Shot
from storyboard.report.chart import likeness_chart
from storyboard.report.figures import CharacterReport, Report, ShotReport
from storyboard.report.filmpage import course_chart, matrices, player, time_chart
from storyboard.report.lightpage import light_section
from storyboard.report.marktable import marks_table
from storyboard.report.soundpage import sound_section
from storyboard.shooting.takes import Take

WIDTH = 288  # pixels of a picture in a strip
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --soft: #62676f; --line: #d9dce1; --card: #f6f7f9;
  --good: #1a7f37; --warn: #9a6700; --c0: #0969da; --c1: #bc4c00; --c2: #8250df; --c3: #57606a; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e7e9ec; --soft: #9aa1ab; --line: #343941;
  --card: #1e2126; --good: #4ac26b; --warn: #d4a72c; --c0: #58a6ff; --c1: #f0883e; --c2: #bc8cff; --c3: #8b949e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { line-height: 1.2; margin: .5rem 0 0; } h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
h3 { margin: .8rem 0 .3rem; font-size: 1rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); font-size: .875rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; margin: 1rem 0; }
section h2 { margin-top: 0; }
.strip { display: grid; grid-template-columns: repeat(5, 1fr); gap: 4px; margin: .5rem 0; }
.strip figure { margin: 0; } .strip.light { grid-template-columns: repeat(3, 1fr); max-width: 48rem; }
.strip img { width: 100%; height: auto; display: block; border-radius: 3px; }
.chip { display: inline-block; padding: 0 .55em; border: 1px solid currentColor; border-radius: 1em;
  font-size: .8rem; font-weight: 600; }
.ok { color: var(--good); } .review { color: var(--warn); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); } td.n { text-align: right; }
th, td.n, .chip { white-space: nowrap; } td { overflow-wrap: normal; } td.mono { overflow-wrap: anywhere; min-width: 14rem; }
code, .mono { font-family: ui-monospace, monospace; font-size: .85em; }
blockquote { margin: .3rem 0; padding-left: .8rem; border-left: 3px solid var(--line); }
details { margin: .4rem 0; } summary { cursor: pointer; color: var(--soft); }
svg { width: 100%; max-width: 30rem; height: auto; display: block; margin-top: .5rem; }
video { width: 100%; max-height: 60vh; display: block; border-radius: .6rem; background: #000; margin: .8rem 0; }
.row { display: flex; flex-wrap: wrap; gap: 0 2rem; } .row > div { max-width: 100%; }
@media (max-width: 34rem) { body, section { padding: .6rem; } th, td { font-size: .8rem; padding-right: .5rem; }
  .strip { grid-template-columns: repeat(3, 1fr); }
  .strip img:nth-child(n+4) { display: none; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --card: #fff;
  --good: #1a7f37; --warn: #9a6700; --c0: #0969da; --c1: #bc4c00; --c2: #8250df; --c3: #57606a; }
  body { max-width: none; font-size: 11pt; padding: 0; } video { display: none; } .wide { overflow: visible; }
  .wide svg { max-width: 100% !important; }
  .strip, svg, tr, h3 + p { break-inside: avoid; } h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; height: auto; } }
"""

POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"

Strips = Mapping[tuple[int, int], Sequence[Any]]


def page(board: Storyboard, report: Report, strips: Strips) -> str:
    """The whole page. `strips` are frames (H, W, 3) uint8 RGB of each take, by shot and take number."""
    facts = report.facts
    title = board.title or "Untitled"
    width, height = board.pixels
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(facts["started"]))
    shown = sum(shot.kept is not None for shot in report.shots)
    head = (
        f"<h1>{escape(title)} {chip(not report.review, 'every character recognised', 'to be looked at')}</h1>"
        f'<p class="soft">{shown} of {len(report.shots)} shots, {width}x{height}, {facts["film_seconds"]:.1f} s of film, '
        f"made in {facts['seconds']:.0f} s with {escape(facts['model']['name'])} on {when}, seed {board.seed}</p>"
    )
    if not report.identity:
        head += '<p class="soft">Nobody was to be recognised, or nothing was measured.</p>'
    shots = "".join(_shot(board.shots[shot.number - 1], shot, strips) for shot in report.shots)
    whole = f"{player(report)}{identity_table(report.identity)}{course_chart(board, report)}{matrices(report.consistency)}"
    kept = {shot.number: strips.get((shot.number, shot.kept.number), ()) for shot in report.shots if shot.kept}
    whole += light_section(report.light, kept, picture) + sound_section(facts.get("sound"))
    rest = f"{marks_table(facts.get('marks'))}{time_chart(report)}{_facts(report)}"
    return document(f"{title}: report", f"{head}{whole}{shots}{rest}")


def document(title: str, body: str) -> str:
    """A page with the house's style, which runs nothing and fetches nothing."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def identity_table(identity: Mapping[str, CharacterReport]) -> str:
    """Every character over the film."""
    if not identity:
        return ""
    numbers = sorted({number for each in identity.values() for number in each.shots})
    head = "".join(f"<th>shot {number}</th>" for number in numbers)
    rows = "".join(_character(each, numbers) for each in identity.values())
    return (
        "<h2>Characters</h2>"
        '<p class="soft">Likeness to the references: 1 is as alike as the references themselves, 0 as alike as a stranger.</p>'
        f'<div class="wide"><table><tr><th></th>{head}<th>worst frame</th><th>found in</th><th></th></tr>{rows}</table></div>'
    )


def _character(each: CharacterReport, numbers: list[int]) -> str:
    cells = "".join(f'<td class="n">{_figure(each.shots.get(number)) if number in each.shots else ""}</td>' for number in numbers)
    worst = f"{_figure(each.worst)} (shot {each.worst_shot})" if each.worst_shot else "never found"
    return (
        f'<tr><th>{escape(each.name)}</th>{cells}<td class="n">{worst}</td><td class="n">{each.present:.0%}</td>'
        f"<td>{chip(each.passes, 'kept', 'review')}</td></tr>"
    )


def _shot(shot: Shot, report: ShotReport, strips: Strips) -> str:
    length = "its own length" if shot.seconds is None else f"{shot.seconds:g} s"
    inside = "interior" if shot.interior else "exterior"
    lines = "".join(
        f"<blockquote>{escape(line.speaker)}{f' ({escape(line.manner)})' if line.manner else ''}"
        f"{' (heard only)' if line.heard else ''}: {escape(line.text)}</blockquote>"
        for line in shot.lines
    )
    why = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in shot.why.items())
    takes = "".join(
        _take(take, take is report.kept and len(report.takes) > 1, strips.get((take.shot, take.number), ()))
        for take in report.takes
    )
    length += "".join(f", {side} by a {each.kind} of {each.seconds:g} s" for side, each in shot.transitions.items())
    return (
        f"<section><h2>Shot {report.number}</h2>"
        f'<p class="soft">{shot.size}, {shot.move}, {length}; {inside}, {escape(shot.place)}, '
        f"{escape(shot.time)}; {shot.light.warmth} light from the {shot.light.side}; sequence {shot.sequence}"
        f"{f', {escape(shot.heading)}' if shot.heading else ''}</p>"
        f"<p>{escape(shot.action)}</p>{lines}"
        f"{takes or '<p class=review>Not rendered yet.</p>'}"
        + (f"<details><summary>prompt</summary><p class=mono>{escape(shot.prompt)}</p></details>" if shot.clip is None else "")
        + (f"<details><summary>why it was planned so</summary><ul>{why}</ul></details>" if why else "")
        + "</section>"
    )


def _take(take: Take, kept: bool, frames: Sequence[Any]) -> str:
    pictures = "".join(f'<img src="{picture(frame)}" alt="shot {take.shot}, take {take.number}">' for frame in frames)
    anew = f", finished anew from {take.detail_seed}" if take.detail_seed is not None else ""
    anew += f", with pictures of shot {', '.join(map(str, take.of))}" if take.of else ""
    made = f"seed {take.seed}{anew}" if take.keys else f"clip {escape(take.clip)}"
    spent = ", ".join(f"{escape(stage)} {seconds:.1f} s" for stage, seconds in take.seconds.items())
    verdict = chip(take.passes, "accepted", "review") if take.score else chip(False, "", "layout not finished") * take.rejected
    rows = measures(take.score) if take.score else measures(take.sight) if take.sight and take.rejected else ""
    keys = "".join(f"<li>{escape(stage)} <code>{escape(key[:16])}</code></li>" for stage, key in take.keys.items())
    return (
        f'<h3>Take {take.number} {verdict}{" in the film" if kept else ""}</h3><div class="strip">{pictures}</div>'
        f'<p class="soft">{made}{f"; {spent}" if spent else ""}</p>{rows}'
        + (f"<details><summary>artefacts</summary><ul>{keys}</ul></details>" if keys else "")
    )


def measures(score: Mapping[str, Any]) -> str:
    """A score in figures, what is wrong in words, and the chart."""
    rows = faults = ""
    for name, each in score["characters"].items():
        figures = [_figure(each["mean"]), _figure(each["worst"]), _figure(each["drift"], "+.2f")]
        figures += [f"{each['present']:.0%}", f"{each['no_face']:.0%}"]
        cells = "".join(f'<td class="n">{figure}</td>' for figure in figures)
        rows += f"<tr><th>{escape(name)}</th>{cells}</tr>"
        if each.get("faults"):  # under the table, which then fits a phone
            faults += f'<p class="review">{escape(name)}: {escape("; ".join(each["faults"]))}</p>'
    head = "<tr><th></th><th>likeness</th><th>worst frame</th><th>drift</th><th>found in</th><th>face hidden</th></tr>"
    return f'<div class="wide"><table>{head}{rows}</table></div>{faults}{likeness_chart(dict(score))}'


def _facts(report: Report) -> str:
    facts = report.facts
    model = facts["model"]
    rows = [("model", f"{model['name']} ({model['licence']}), {model['folder']}")]
    rows += [(f"model: {name}", digest) for name, digest in report.model.items()]
    if facts.get("encoder_licence"):
        rows.append(("encoders", facts["encoder_licence"]))
    rows += [(f"encoder: {name}", digest) for name, digest in report.encoders.items()]
    rows += [(name, str(value)) for name, value in {**facts["settings"], **facts["machine"]}.items()]
    rows += [("storyboard", facts["storyboard"]), *facts["versions"].items()]
    body = "".join(f'<tr><th>{escape(name)}</th><td class="mono">{escape(value)}</td></tr>' for name, value in rows)
    return f'<details><summary>models, settings and versions</summary><div class="wide"><table>{body}</table></div></details>'


def picture(frame: Any) -> str:
    """A frame as a data URI, small enough for a page of many."""
    from PIL import Image

    picture = Image.fromarray(frame)
    picture.thumbnail((WIDTH, WIDTH * 4))
    packed = BytesIO()
    picture.save(packed, "WEBP", quality=80)
    return "data:image/webp;base64," + b64encode(packed.getvalue()).decode()


def chip(good: bool, yes: str, no: str) -> str:
    """A verdict in a word or two."""
    return f'<span class="chip {"ok" if good else "review"}">{yes if good else no}</span>'


def _figure(value: float | None, form: str = ".2f") -> str:
    return "none" if value is None else format(value, form)
