"""What a board must keep to beyond its schema: what a sequence, a shot and the model can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from storyboard.errors import StoryboardError
from storyboard.limits import Limits
from storyboard.planning.board import Storyboard
from storyboard.planning.sounds import sounds_of
from storyboard.refs import clip_refusal, frame_refusal, refs_refusal
from storyboard.script.soundfiles import sound_refusal


def check_board(board: Storyboard, limits: Limits, where: str) -> None:
    """StoryboardError with all that the model cannot make of a board, by JSON path."""
    wrong = []
    mend = limits.refusal(*board.pixels)
    if mend:
        wrong.append(f"size: a film of {board.size} cannot be made; {mend}")
    sequences = Counter(shot.sequence for shot in board.shots)
    wrong += [
        f"shots: sequence {number} has {count} shots, and {limits.shots} are the most; give some of them another sequence number"
        for number, count in sequences.items()
        if count > limits.shots
    ]
    for index, shot in enumerate(board.shots):
        path = f"shots[{index}]"
        if shot.clip is None and shot.seconds is not None and not limits.shortest <= shot.seconds <= limits.longest:
            span = f"{limits.shortest:g} to {limits.longest:g} s"
            wrong.append(f"{path}.seconds: {limits.model} makes shots of {span}, not {shot.seconds:g}")
        wrong += _transitions(board, index, path)
        if len(shot.names) > limits.characters:
            wrong.append(f"{path}.characters: {len(shot.names)} characters, and {limits.characters} are the most in one shot")
        refusal = clip_refusal(board.path(shot.clip)) if shot.clip is not None else None
        if refusal:
            wrong.append(f"{path}.clip: {refusal[0]}; {refusal[1]}")
        refusal = frame_refusal(board.path(shot.frame)) if shot.frame is not None else None
        if refusal:
            wrong.append(f"{path}.frame: {refusal[0]}; {refusal[1]}")
        for what, said in sounds_of(shot):
            refusal = sound_refusal(board.path(said))
            if refusal:
                wrong.append(f"{path}.{what}: {refusal[0]}; {refusal[1]}")
    for name, role in board.characters.items():
        for number, said in enumerate(role.refs):
            refusal = refs_refusal(board.path(said))
            if refusal:
                wrong.append(f"characters.{name}.refs[{number}]: {refusal[0]}; {refusal[1]}")
    if wrong:
        raise StoryboardError("\n  ".join(wrong), where=where)


def check_frames(board: Storyboard, limits: Limits, where: str) -> None:
    """StoryboardError when the model goes on from a first frame and shots have none."""
    shots = enumerate(board.shots, start=1)
    bare = [number for number, shot in shots if shot.frame is None and shot.clip is None and not shot.continues]
    if limits.needs_frame and bare:
        raise StoryboardError(
            f"{limits.model} makes a shot only from its first frame, and shot {', '.join(map(str, bare))} has none",
            where=where,
            mend='write "frame: PICTURE" under each "## Shot:" heading, or "continues" in it, or take a model that needs none',
        )


def check_continuing(board: Storyboard, where: str) -> None:
    """StoryboardError with all shots that say they continue, and cannot: such a shot begins with the very picture that the one
    before it ends with."""
    wrong = []
    for number, (before, shot) in enumerate(zip([None, *board.shots], board.shots, strict=False), start=1):
        if not shot.continues:
            continue
        said = f"shot {number} continues, "
        if before is None or before.scene != shot.scene:
            wrong.append(f"{said}and is the first of its scene; take the word out")
        elif shot.size != before.size:
            wrong.append(f"{said}and the shot before is a {before.size}, not a {shot.size}; make them alike, and move the camera")
        elif before.transition_out or shot.transition_in:
            wrong.append(f"{said}and there is no plain cut before it; take the transition out")
        if shot.clip is not None or shot.frame is not None:
            wrong.append(f"{said}and has a {'frame' if shot.clip is None else 'clip'} of its own to start with; keep one of them")
    if wrong:
        raise StoryboardError("\n  ".join(wrong), where=where, mend='a heading says it: "## Shot: wide, continues, 3s"')


def check_transitions(board: Storyboard, where: str) -> None:
    """StoryboardError with all transitions that the shots have no room for."""
    wrong = [each for index in range(len(board.shots)) for each in _transitions(board, index, f"shots[{index}]")]
    if wrong:
        raise StoryboardError("\n  ".join(wrong), where=where)


def _transitions(board: Storyboard, index: int, path: str) -> Iterator[str]:
    """Transitions that the shots have no room for."""
    shot, before = board.shots[index], board.shots[index - 1] if index else None
    for name, said in (("transition_in", shot.transition_in), ("transition_out", shot.transition_out)):
        if said is None:
            continue
        if said.kind == "dissolve" and before is None:
            yield f"{path}.{name}: there is no shot before the first to dissolve from; make it a fade"
        around = [shot, *([before] if before and said.kind == "dissolve" else [])]
        room = min((each.longest / 2 for each in around if each.longest), default=None)
        if room is not None and said.seconds > room + 0.001:
            mend = f"write at most {room:g}, half of the shorter shot"
            yield f"{path}.{name}: a {said.kind} of {said.seconds:g} s has no room; {mend}"
