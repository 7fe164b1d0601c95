"""What a script must keep to beyond its grammar: what a sequence, a shot and the model can hold."""

from __future__ import annotations

from storyboard.errors import Spot
from storyboard.limits import Limits
from storyboard.script.parts import GivenShot, Line, Scene, Script, Sentence
from storyboard.script.source import Source
from storyboard.script.words import MENTION


def check(script: Script, source: Source, limits: Limits) -> None:
    """Note in the source what a well-formed script still gets wrong."""
    if not script.scenes and not source.problems:
        source.fault(Spot(len(source.lines)), "the script tells no story yet", 'write what happens, for example "@mia waves."')
    for scene in script.scenes:
        _shots(scene, source, limits)
        _lines(scene, source, limits)
        if scene.shots:
            _strays(scene, source)
    spoken = {beat.speaker for beat in _beats(script) if isinstance(beat, Line)}
    seen = {name for beat in _beats(script) if isinstance(beat, Sentence) for name in MENTION.findall(beat.text)}
    for name, character in script.characters.items():
        if name not in spoken | seen:
            source.warn(character.spot, f"{name} is in no shot", f"write @{name} where {name} is seen")


def _shots(scene: Scene, source: Source, limits: Limits) -> None:
    if len(scene.shots) > limits.shots:
        source.fault(
            scene.shots[limits.shots].spot,
            f"this is shot {limits.shots + 1} of one scene, and a sequence has at most {limits.shots}",
            'put a line "---" before one of its shots, so that a new sequence begins there',
        )


def _lines(scene: Scene, source: Source, limits: Limits) -> None:
    for beat in [*scene.beats, *(beat for shot in scene.shots for beat in shot.beats)]:
        if isinstance(beat, Line) and beat.seconds > limits.longest:
            source.fault(
                beat.spot,
                f"this line takes {beat.seconds:.1f} s to say, and a shot lasts at most {limits.longest:g} s",
                "cut it into shorter lines, each in a shot of its own",
            )
            return
    for shot in scene.shots:
        if shot.clip is None and (speech := speaking(shot)) > limits.longest:
            source.fault(
                shot.spot,
                f"the lines of this shot take {speech:.1f} s to say, and a shot lasts at most {limits.longest:g} s",
                "make two shots of it",
            )


def _strays(scene: Scene, source: Source) -> None:
    """Between a scene heading and its first shot stands what holds for all of them: nobody acts or speaks there."""
    for beat in scene.beats:
        if isinstance(beat, Line) or (isinstance(beat, Sentence) and MENTION.search(beat.text)):
            source.fault(beat.spot, "this stands before the first shot of its scene", 'move it under a "## Shot:" heading')


def speaking(shot: GivenShot) -> float:
    """Seconds that the lines of a shot take."""
    return sum(beat.seconds for beat in shot.beats if isinstance(beat, Line))


def _beats(script: Script) -> list[object]:
    return [
        beat
        for scene in script.scenes
        for beat in [*scene.beats, *(beat for shot in scene.shots for beat in shot.beats)]
    ]
