"""An edit as files for editing programs: OTIO, OTIOZ and CMX3600 EDL. The one module through which OpenTimelineIO is reached.

OTIO files start at an hour, as editing programs have it; its EDL writer counts from zero.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assemble.errors import AssembleError
from assemble.timeline import EDL_RATES, Marker, Timeline, TimelineClip, conformed

if TYPE_CHECKING:
    import opentimelineio as otio

HOUR = 3600  # seconds
ROOM = "storyboard"  # the key of our own facts in OTIO's metadata


def otio_text(timeline: Timeline, folder: Path) -> str:
    """The edit as OTIO. Files inside `folder`, where it will lie, are named from there on, so that both can move together."""
    return str(_otio(timeline, folder).to_json_string(indent=1))


def write_otioz(timeline: Timeline, path: Path) -> None:
    """The edit with all its files in one zip archive, at a path where nothing is yet. AssembleError when a file is missing."""
    import opentimelineio as otio

    names: dict[str, Path] = {}
    for source in dict.fromkeys([*(clip.source for clip in timeline.clips if clip.source), *timeline.sounds]):
        if not source.is_file():
            raise AssembleError("there is no such file", where=str(source), mend="Render it again, or export to otio.")
        if names.setdefault(source.name, source) != source:
            mend = f"Rename one of them: {names[source.name]} is the other."
            raise AssembleError("two files of one name cannot lie in one OTIOZ", where=str(source), mend=mend)
    policy = otio.adapters.file_bundle_utils.MediaReferencePolicy.MissingIfNotFile
    built = _otio(timeline, None)
    # Its own way of reading addresses does not undo what Path.as_uri() escapes.
    otio.adapters.write_to_file(built, str(path), adapter_name="otioz", media_policy=policy)


def edl_text(timeline: Timeline) -> tuple[str, list[str]]:
    """The edit as a CMX3600 EDL, and what to know of it. Its reels are S001, S002 ... in the order of the clips."""
    import opentimelineio as otio

    at_rate, exact = conformed(timeline, EDL_RATES)
    built = _otio(replace(at_rate, sounds=()), None)  # its reels are of pictures
    for number, clip in enumerate(built.find_clips(), start=1):
        # Files are looked for by the name of the clip.
        clip.metadata["cmx_3600"] = {"reel": f"S{number:03}", "comments": [f"COMMENT: {_one_line(clip.name)}"]}
        source = at_rate.clips[number - 1].source
        clip.name = source.name if source else clip.name
        for marker in clip.markers:
            marker.name = _one_line(marker.name)
        clip.name = _one_line(clip.name)
    built.name = _one_line(built.name)[:70] or "film"
    text = otio.adapters.write_to_string(built, "cmx_3600", rate=float(at_rate.fps))
    head, _, rest = text.partition("\n")
    counts = "DROP FRAME" if ";" in rest.partition("*")[0] else "NON-DROP FRAME"
    remarks = (
        []
        if at_rate.fps == timeline.fps
        else [f"the EDL counts {float(at_rate.fps):g} frames a second: set the project to that"]
    )
    if not exact:
        remarks.append(f"at {float(timeline.fps):g} frames a second, cuts moved by up to half a frame of the EDL")
    return f"{head}\nFCM: {counts}\n{rest}", remarks


def read_otio(path: Path) -> Timeline:
    """The edit in an .otio file that `otio_text` wrote. Raises AssembleError for any other."""
    import opentimelineio as otio

    try:
        built = otio.adapters.read_from_file(str(path))
        facts = built.metadata[ROOM]
        fps = Fraction(facts["fps"])
        track = built.video_tracks()[0]
        clips, dissolve = [], 0
        for item in track:
            if isinstance(item, otio.schema.Transition):
                dissolve = round(item.out_offset.value)
                continue
            clips.append(_clip(item, dissolve, path.parent))
            dissolve = 0
        sounds = tuple(_file(clip.media_reference, path.parent) for each in built.audio_tracks() for clip in each)
        return Timeline(built.name, fps, tuple(facts["size"]), tuple(clips), sounds)
    except (otio.exceptions.OTIOError, OSError, KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        mend = "Render the film again: that writes it anew."
        raise AssembleError("this is no edit that storyboard wrote", where=str(path), mend=mend) from error


def _otio(timeline: Timeline, folder: Path | None) -> otio.schema.Timeline:
    import opentimelineio as otio

    rate = float(timeline.fps)

    def time(frames: int) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(frames, rate)

    def span(start: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(time(start), time(frames))

    built = otio.schema.Timeline(timeline.name, global_start_time=time(round(HOUR * timeline.fps)))
    built.metadata[ROOM] = {"fps": str(timeline.fps), "size": list(timeline.size)}
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    built.tracks.append(track)
    for clip in timeline.clips:
        if clip.dissolve:
            kind = otio.schema.TransitionTypes.SMPTE_Dissolve
            track.append(otio.schema.Transition("dissolve", kind, time(0), time(clip.dissolve)))
        media: otio.core.MediaReference = otio.schema.MissingReference()
        if clip.source:
            length = None if clip.available is None else span(0, clip.available)
            media = otio.schema.ExternalReference(_address(clip.source, folder), length)
        item = otio.schema.Clip(clip.name, media, span(clip.start, clip.frames), {ROOM: dict(clip.facts)})
        for marker in clip.markers:
            where = span(clip.start + marker.frame, 1)
            item.markers.append(otio.schema.Marker(marker.text, where, marker.colour, {}))
        track.append(item)
    for sound in timeline.sounds:
        under = otio.schema.Track(sound.stem, kind=otio.schema.TrackKind.Audio)
        whole = span(0, timeline.cuts[-1])
        under.append(otio.schema.Clip(sound.stem, otio.schema.ExternalReference(_address(sound, folder), whole), whole))
        built.tracks.append(under)
    return built


def _clip(item: otio.schema.Clip, dissolve: int, folder: Path) -> TimelineClip:
    import opentimelineio as otio

    media, used = item.media_reference, item.source_range
    source = available = None
    if isinstance(media, otio.schema.ExternalReference):
        source = _file(media, folder)
        available = round(media.available_range.duration.value) if media.available_range else None
    start = round(used.start_time.value)
    markers = tuple(Marker(round(m.marked_range.start_time.value) - start, m.name, m.color) for m in item.markers)
    facts = {key: _plain(value) for key, value in item.metadata[ROOM].items()}
    return TimelineClip(item.name, round(used.duration.value), source, start, available, dissolve, markers, facts)


def _file(media: otio.schema.ExternalReference, folder: Path) -> Path:
    import opentimelineio as otio

    return folder / otio.url_utils.filepath_from_url(media.target_url)


def _plain(value: Any) -> Any:
    """OTIO's own dictionaries and lists as Python's: they end with the object that they belong to."""
    if hasattr(value, "items"):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if hasattr(value, "append") else value


def _address(source: Path, folder: Path | None) -> str:
    import opentimelineio as otio

    source = source.absolute()
    if folder and source.is_relative_to(folder.absolute()):
        return str(otio.url_utils.url_from_filepath(source.relative_to(folder.absolute()).as_posix()))
    return source.as_uri()


def _one_line(text: str) -> str:
    """Words as an EDL can hold them: one line of ASCII."""
    return " ".join(text.encode("ascii", "replace").decode().split())
