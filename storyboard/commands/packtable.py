"""A pack and a calibration as tables for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity import IdentityPack
    from identity.advice import Assessment

_WIDE = 100
_MOST = 8  # sources and reasons that are listed, the rest are counted


def plain(pack: IdentityPack, judged: Assessment, folder: Path) -> dict[str, Any]:
    """What `refs show` tells, as plain data."""
    return {
        "pack": str(folder),
        "name": pack.name,
        "consent": pack.consent,
        "licence": pack.licence,
        "encoders": pack.encoders,
        "exemplars": list(pack.exemplars),
        "notes": list(pack.notes),
        "source_hashes": dict(pack.source_hashes),
        **judged.plain(),
    }


def table(pack: IdentityPack, judged: Assessment, folder: Path) -> list[str]:
    """What `refs show` tells, in lines."""
    held = judged.coverage
    lines = [f"{pack.name}: {_count(held.frames, 'frame')}, grade {judged.grade}", ""]
    poses = list(next(iter(held.poses.values())))
    rows = {size: [*(counts[pose] for pose in poses), sum(counts.values())] for size, counts in held.poses.items()}
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    lines += _grid(["", *poses, "all"], [[size, *(f"{n}" if n else "-" for n in row)] for size, row in rows.items()])
    lights = ", ".join(f"{count} {name}" for name, count in held.lights.items() if count)
    faces = f"seen in {held.faces} of {_count(held.frames, 'frame')}"
    facts = {
        "light": lights,
        "faces": f"{faces}, {held.face:.0f} pixels (median)" if held.face else faces,
        "full figures": f"{held.full_figures}",
        "quality": f"median {held.quality:.2f}, lowest {held.lowest_quality:.2f} (0 to 1)",
        "exemplars": ", ".join(f"{frame:03}" for frame in pack.exemplars),
        "sources": _listed(held.sources),
        "left out": f"{len(pack.left_out)} frames; {_listed(held.left_out)}" if pack.left_out else "nothing",
        "notes": "; ".join(pack.notes) or "none",
        "consent": pack.consent or "no note",
        "licence": f"{pack.licence} (of the encoders)" if pack.licence else "not known (of the encoders)",
        "pictures": f"{folder / 'contact.png'}, {folder / 'spread.png'}",
    }
    lines.append("")
    for key, said in facts.items():
        lines += _filled(f"{key:<14}", said)
    if judged.advice:
        lines += ["", "Advice"]
        for said in judged.advice:
            lines += _filled("  - ", said)
    return lines


def thresholds(document: Mapping[str, Any], folder: Path) -> list[str]:
    """What a calibration measured, in lines."""
    measured = f"{_count(document['pictures'], 'picture')} of {document['people']} people"
    lines = [
        f"{folder / 'thresholds.json'}: measured on {measured}, {document['figures_missed']} without a figure",
        f"gate {document['gate']:.2f}: the likeness at which as many strangers pass as true ones fail",
        "",
    ]
    rows = [
        [size, *(f"{sizes[size]['same']:.2f} / {sizes[size]['other']:.2f}" for sizes in document["cues"].values()), told]
        for size in next(iter(document["cues"].values()))
        for told in [f"{document['auc'][size]:.3f}" if size in document["auc"] else "-"]
    ]
    lines += _grid(["", *document["cues"], "told apart"], rows)
    lines += ["", "Cosines of the same person / of others, and how well all cues tell people apart (area under the ROC curve)."]
    return lines


def _grid(head: list[str], rows: list[list[str]]) -> list[str]:
    wide = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    return [
        "  ".join([f"{row[0]:<{wide[0]}}", *(f"{said:>{room}}" for said, room in zip(row[1:], wide[1:], strict=True))]).rstrip()
        for row in [head, *rows]
    ]


def _filled(head: str, said: str) -> list[str]:
    # Names of files and notes are somebody else's text: it must not steer the terminal.
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in said)
    wrapped = textwrap.wrap(clean, _WIDE - len(head), break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{head if not place else ' ' * len(head)}{line}" for place, line in enumerate(wrapped)]


def _listed(counts: Mapping[str, int]) -> str:
    items: Iterable[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{count} {name}" for name, count in items]
    more = len(said) - _MOST
    return ", ".join([*said[:_MOST], *([f"and {more} more"] if more > 0 else [])])


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
