"""What is asked of the model for a take: a shot of the board in the terms of the family that will make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storyboard.planning.board import Storyboard
from storyboard.planning.prompt import ordered
from storyboard.planning.shot import Shot
from storyboard.shooting.casting import Casting
from storyboard.shooting.following import Given
from storyboard.shooting.takes import Take

if TYPE_CHECKING:
    import numpy as np

    from generation import Family, Model, ShotRequest


def requested(
    board: Storyboard, number: int, take: Take, model: Model, casting: Casting, voiced: Callable[[int, float], dict[str, Any]],
    given: Given,
) -> ShotRequest:
    """The request for a take of shot `number` (from 1) of a board; `voiced` gives each speaker's loudness 0..1 for so many
    frames at a rate, and `given` is what comes from other shots."""
    import numpy as np

    from generation import ShotRequest, VoiceTrack

    family, shot = model.family, board.shots[number - 1]
    width, height = family.size_for(*board.pixels)
    frames = frames_of(shot, family)
    levels = voiced(frames, family.fps)
    strength = (family.retake_scale,) * 2 if take.number > 1 else family.identity_scale
    counts = family.picture_counts(len(shot.names), frames, given.room)
    return ShotRequest(
        prompt=ordered(shot, board.style, family.parts),
        negative_prompt=family.negative_prompt,
        characters=shot.names,
        sides=tuple(part.side for part in shot.characters),
        looks=tuple(board.characters[name].looks for name in shot.names),
        pictures=tuple(casting.pictures(name, count) for name, count in zip(shot.names, counts, strict=True)),
        place=given.place[: family.place_count(len(shot.names), frames)],
        first_frame=_first_frame(board, number, given, width, height) if "references" in family.stages else None,
        frames=frames,
        width=width,
        height=height,
        seed=take.seed,
        detail_seed=take.detail_seed,
        steps=family.steps,
        guidance=family.guidance,
        identity_scale=strength,
        voice=VoiceTrack({name: np.asarray(track, np.float32) for name, track in levels.items()}) if levels else None,
        voice_scale=family.voice_scale,
    )


def frames_of(shot: Shot, family: Family) -> int:
    """Frames to make of a shot: one more, if the model can make it, where a shot continues, whose first one was just seen."""
    assert shot.seconds is not None
    more = 1 / family.fps if shot.continues and family.takes_frame else 0.0
    return family.frames_for(max(shot.seconds, min(shot.seconds + more, family.max_frames / family.fps)))


def _first_frame(board: Storyboard, number: int, given: Given, width: int, height: int) -> np.ndarray | None:
    from generation.references.keyframe import covering
    from identity.frames import read_picture

    said = board.shots[number - 1].frame
    picture = given.start if said is None else read_picture(board.path(said)).pixels
    return None if picture is None else covering(picture, width, height)
