"""The report's section on sound: the levels against their target, who speaks when, the beds, and mouths against voices."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, FOOT = 640, 200, 42, 22
TOP, BOTTOM = 0.0, -60.0  # LUFS that the chart shows
STEP = 0.1  # seconds from one measurement of the meter to the next
IN_SYNC = 0.125  # seconds: what viewers forgive a voice that comes late (ITU-R BT.1359), taken for both ways


def sound_section(sound: Mapping[str, Any] | None) -> str:
    """The section as HTML; nothing for a film without sound. `sound` is what Sounding reports."""
    if not sound:
        return ""
    goal = sound["target"]
    held = " (nobody speaks, so the ambience is left quiet)" if sound["held"] else ""
    rows = [
        (
            "target",
            f"{goal['name']}: {goal['lufs']:g} LUFS of the {goal['of']}, true peak at most {goal['peak']:g} dBTP",
        ),
        ("measured", f"{_figure(sound['counted'])} LUFS, true peak {_figure(sound['peak'])} dBTP{held}"),
        (
            "programme",
            f"{_figure(sound['programme'])} LUFS, range {sound['range']:.1f} LU; dialogue {_figure(sound['dialogue'])} LUFS",
        ),
        *((f"voice of {name}", said) for name, said in sound["voices"].items()),
        *((f"ambience: {each['place']}", f"{each['sound']}, {_shots(each['shots'])}") for each in sound["places"]),
    ]
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(said)}</td></tr>" for name, said in rows)
    unsaid = "".join(f'<p class="review">{escape(each)}</p>' for each in sound["unsaid"])
    return (
        f'<section><h2>Sound</h2><div class="wide"><table>{body}</table></div>{unsaid}{_chart(sound)}{_mouths(sound)}'
        '<p class="soft">Measured with FFmpeg\'s meter on the sound as the film holds it. Beside this page: '
        "<code>sound/</code> with the stems, <code>film.srt</code>, <code>film.vtt</code>.</p></section>"
    )


def _chart(sound: Mapping[str, Any]) -> str:
    """Momentary loudness over the film, with its cuts, its lines and its target."""
    seconds, goal = max(sound["seconds"], STEP), sound["target"]["lufs"]

    def x(at: float) -> float:
        return round(LEFT + (WIDTH - LEFT) * min(max(at / seconds, 0), 1), 1)

    def y(level: float) -> float:
        return round((HEIGHT - FOOT) * (TOP - min(max(level, BOTTOM), TOP)) / (TOP - BOTTOM), 1)

    lines = "".join(
        f'<rect x="{x(each["start"])}" y="0" width="{max(1.0, x(each["end"]) - x(each["start"])):.1f}" height="{HEIGHT - FOOT}" '
        f'fill="var(--c1)" opacity=".15"><title>{escape(each["speaker"])}: {escape(each["text"])}</title></rect>'
        for each in sound["lines"]
        if each["heard"]
    )
    cuts = "".join(
        f'<line x1="{x(cut)}" x2="{x(cut)}" y1="0" y2="{HEIGHT - FOOT}" stroke="var(--line)"/>' for cut in sound["cuts"]
    )
    scale = "".join(
        f'<text x="{LEFT - 6}" y="{y(level) + 4}" text-anchor="end" font-size="11" fill="currentColor">{level:g}</text>'
        for level in (-10, -20, -30, -40, -50)
    )
    marks = "".join(
        f'<text x="{x(at)}" y="{HEIGHT - 6}" font-size="11" fill="currentColor">{at:g} s</text>'
        for at in (0.0, round(seconds / 2, 1))
    )
    # A measurement stands for the 0.4 s before it.
    points = " ".join(f"{x((index + 1) * STEP - 0.2)},{y(level)}" for index, level in enumerate(sound["curve"]))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="momentary loudness over the film" style="max-width:40rem">'
        f"{lines}{cuts}{scale}{marks}"
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y(goal)}" y2="{y(goal)}" stroke="var(--good)" stroke-dasharray="5 4"/>'
        f'<polyline points="{points}" fill="none" stroke="var(--c0)" stroke-width="1.5"/></svg>'
        '<p class="soft">Momentary loudness in LUFS; dashed the target, shaded where somebody speaks, upright lines are cuts.</p>'
    )


def _mouths(sound: Mapping[str, Any]) -> str:
    if not sound["mouths"]:
        return ""
    rows = ""
    for each in sound["mouths"]:
        late = each["seconds"]
        said, kind = "does not follow clearly", "review"
        if late is not None:
            low, high = each["span"]
            said = f"{late:+.2f} s ({low:+.2f} to {high:+.2f})"
            kind = "ok" if low <= IN_SYNC and high >= -IN_SYNC else "review"
        rows += (
            f'<tr><th>{escape(each["name"])}, shot {each["shot"]}</th><td class="{kind}">{said}</td>'
            f'<td class="n">{each["correlation"]:.2f}</td><td class="n">{each["frames"]}</td></tr>'
        )
    return (
        '<h3>Mouths and voices</h3><div class="wide"><table><tr><th></th><th>mouth behind voice</th><th>correlation</th>'
        f"<th>frames seen</th></tr>{rows}</table></div>"
        '<p class="soft">In brackets the lags that so few frames cannot tell apart.</p>'
    )


def _shots(numbers: list[int]) -> str:
    return f"shot{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}"
