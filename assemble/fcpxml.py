"""The edit for Final Cut Pro, as FCPXML 1.9. Written here: OTIO's own writer loses dissolves and names files so that Final Cut
does not find them.

All times are whole frames, as fractions of a second. Files keep the rate of the film; the project has one that Final Cut knows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from assemble.timeline import FINAL_CUT_RATES, Timeline, conformed

VERSION = "1.9"  # the first with media-rep; Final Cut Pro reads it from 10.4.9 on
UNIT = 100  # as Final Cut writes it: a frame of 24 a second is 100/2400s


def fcpxml_text(timeline: Timeline) -> tuple[str, list[str]]:
    """The edit as FCPXML, and what to know of it. Shots that are not there yet are gaps of their length."""
    edit, exact = conformed(timeline, FINAL_CUT_RATES)
    name, fps = _legal(timeline.name) or "film", edit.fps

    def time(frames: int) -> str:
        return f"{frames * fps.denominator * UNIT}/{fps.numerator * UNIT}s" if frames else "0s"

    top = Element("fcpxml", version=VERSION)
    resources = SubElement(top, "resources")
    for known, rate in (("r1", fps), ("r2", timeline.fps)):
        SubElement(
            resources, "format", id=known, frameDuration=f"{rate.denominator * UNIT}/{rate.numerator * UNIT}s",
            width=str(timeline.size[0]), height=str(timeline.size[1]), colorSpace="1-1-1 (Rec. 709)",
        )  # fmt: skip
    assets = _assets(resources, edit, time)
    event = SubElement(SubElement(top, "library"), "event", name=name)
    sequence = SubElement(
        SubElement(event, "project", name=name),
        "sequence", format="r1", tcFormat="NDF", tcStart="0s", duration=time(edit.cuts[-1]),
    )  # fmt: skip
    spine = SubElement(sequence, "spine")
    late = 0  # frames by which this clip's cut lies in the middle of its dissolve
    for place, clip in enumerate(edit.clips):
        behind = edit.clips[place + 1].dissolve // 2 if place + 1 < len(edit.clips) else 0
        if clip.dissolve:
            at, length = time(edit.cuts[place]), time(clip.dissolve)
            SubElement(spine, "transition", name="Cross Dissolve", offset=at, duration=length)
        frames = {
            "name": _legal(clip.name), "offset": time(edit.cuts[place] + late), "start": time(clip.start + late),
            "duration": time(clip.frames - late + behind),
        }  # fmt: skip
        kind = {"ref": assets[clip.source], "format": "r2"} if clip.source else {}
        item = SubElement(spine, "asset-clip" if clip.source else "gap", {**kind, **frames})
        if place == 0:
            _under(item, edit, time(clip.start), time(edit.cuts[-1]), assets)
        for marker in clip.markers:
            at = time(clip.start + marker.frame)
            SubElement(item, "marker", start=at, duration=time(1), value=_legal(marker.text))
        late = behind
    indent(top)
    remarks = []
    if fps != timeline.fps:
        remarks.append(f"Final Cut has no {float(timeline.fps):g} frames a second: the project has {float(fps):g}")
    if not exact:
        remarks.append("cuts moved by up to half a frame of the project")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{tostring(top, encoding="unicode")}\n', remarks


def _assets(resources: Element, edit: Timeline, time: Callable[[int], str]) -> dict[Path, str]:
    """The files of the edit, each once, and their names in the document."""
    lengths: dict[Path, int] = {}
    after = [*(clip.dissolve for clip in edit.clips[1:]), 0]
    for clip, tail in zip(edit.clips, after, strict=True):
        if clip.source:
            lengths[clip.source] = max(lengths.get(clip.source, 0), clip.available or clip.start + clip.frames + tail)
    known = {}
    for number, (source, frames) in enumerate(lengths.items(), start=3):
        known[source] = f"r{number}"
        asset = SubElement(
            resources, "asset", id=known[source], name=_legal(source.name), start="0s", duration=time(frames),
            hasVideo="1", videoSources="1", format="r2",
        )  # fmt: skip
        SubElement(asset, "media-rep", kind="original-media", src=source.absolute().as_uri())
    for number, sound in enumerate(edit.sounds, start=len(known) + 3):
        known[sound] = f"r{number}"
        asset = SubElement(
            resources, "asset", id=known[sound], name=_legal(sound.name), start="0s", duration=time(edit.cuts[-1]),
            hasAudio="1", audioSources="1",
        )  # fmt: skip
        SubElement(asset, "media-rep", kind="original-media", src=sound.absolute().as_uri())
    return known


def _under(first: Element, edit: Timeline, at: str, length: str, assets: dict[Path, str]) -> None:
    """Connect the sounds below the first clip, each in a lane of its own."""
    for lane, sound in enumerate(edit.sounds, start=1):
        SubElement(
            first, "asset-clip", ref=assets[sound], lane=str(-lane), offset=at, name=_legal(sound.stem), start="0s",
            duration=length,
        )  # fmt: skip


def _legal(text: str) -> str:
    """Words without the control characters that XML cannot hold."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
