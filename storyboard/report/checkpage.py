"""The report of a checked film, as one page in the style of a render's."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from storyboard.report.lightpage import light_section
from storyboard.report.page import chip, document, identity_table, measures, picture

if TYPE_CHECKING:
    from identity import Consistency, IdentityPack
    from storyboard.report.filmcheck import FilmCheck, ShotCheck


def page_of(checked: FilmCheck, packs: Mapping[str, IdentityPack], pictures: Mapping[int, str]) -> str:
    """The whole page. `pictures` are data URIs of frames of the film, by number."""
    wanted = {name: picture(pack.best_pictures(1)[0]) for name, pack in packs.items() if len(pack)}
    head = (
        f"<h1>{escape(checked.film.name)} {chip(checked.passes, 'every character recognised', 'to be looked at')}</h1>"
        f'<p class="soft">{len(checked.shots)} shots by its cuts, {checked.seconds:.1f} s, {checked.frames} frames</p>'
    )
    matrices = "".join(_matrix(each) for each in checked.consistency.values() if len(each.shots) > 1)
    if matrices:
        said = "Cosines of the whole appearance. In the mean a pair counts for nothing unless both shots are like the references."
        matrices = f'<h2>From shot to shot</h2><p class="soft">{said}</p>{matrices}'
    shots = "".join(_shot(shot, pictures, wanted) for shot in checked.shots)
    lit = light_section(checked.light, {}, picture)  # nothing was graded, so there is nothing to set beside it
    hashes = checked.encoders.items()
    rows = "".join(f'<tr><th>{escape(name)}</th><td class="mono">{escape(digest)}</td></tr>' for name, digest in hashes)
    facts = f'<details><summary>encoders</summary><div class="wide"><table>{rows}</table></div></details>'
    return document(f"{checked.film.name}: check", f"{head}{identity_table(checked.identity)}{matrices}{lit}{shots}{facts}")


def _matrix(each: Consistency) -> str:
    head = "".join(f"<th>shot {number}</th>" for number in each.shots)
    rows = ""
    for number, row, faithful in zip(each.shots, each.matrix, each.faithful, strict=True):
        cells = "".join(f'<td class="n">{value:.2f}</td>' for value in row)
        verdict = chip(faithful, "like the references", "not like the references")
        rows += f"<tr><th>shot {number}</th>{cells}<td>{verdict}</td></tr>"
    mean = f"mean of pairs {each.value:.2f}" if each.value is not None else ""
    return f'<h3>{escape(each.name)}</h3><div class="wide"><table><tr><th></th>{head}<th>{mean}</th></tr>{rows}</table></div>'


def _shot(shot: ShotCheck, pictures: Mapping[int, str], wanted: Mapping[str, str]) -> str:
    strip = "".join(f'<img src="{pictures[frame]}" alt="frame {frame + 1}">' for frame in shot.strip if frame in pictures)
    plain = shot.shown()
    worst = ""
    for name, each in plain["characters"].items():
        frame = each["worst_frame"]
        if frame is None or shot.first + frame not in pictures:
            continue
        images = [(wanted[name], "reference")] if name in wanted else []
        images += [(pictures[shot.first + frame], f"frame {shot.first + frame + 1}")]
        shown = "".join(f'<img src="{source}" alt="{escape(name)}, {said}">' for source, said in images)
        worst += (
            f'<p class="soft">{escape(name)}: a reference, and frame {frame + 1} of the shot, where it is least like itself '
            f'({each["worst"]:.2f})</p><div class="strip">{shown}</div>'
        )
    measured = measures(plain) if plain["characters"] else '<p class="soft">Nobody known was found here.</p>'
    strangers = f'; somebody else in {plain["strangers"]:.0%} of the frames' if plain["strangers"] else ""
    return (
        f"<section><h2>Shot {shot.number} {chip(shot.passes, 'kept', 'review')}</h2>"
        f'<p class="soft">from {shot.start:.2f} s, {shot.seconds:.2f} s long, '
        f"frames {shot.first + 1} to {shot.end}{strangers}</p>"
        f'<div class="strip">{strip}</div>{measured}'
        + (f"<details><summary>worst frames</summary>{worst}</details>" if worst else "")
        + "</section>"
    )
