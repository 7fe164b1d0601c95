"""The planner: a script becomes a storyboard. Deterministic and offline; every choice of its own keeps its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from storyboard.limits import Limits
from storyboard.planning.action import names_only, sides_in, told
from storyboard.planning.board import Storyboard
from storyboard.planning.camera import framing
from storyboard.planning.sequences import counted, packed
from storyboard.planning.settings import Setting, settings
from storyboard.planning.shot import Role, Shot
from storyboard.planning.sounds import recorded
from storyboard.planning.split import split
from storyboard.planning.staging import Draft, blocked, frame
from storyboard.planning.transitions import settled
from storyboard.script.parts import GivenShot, LightCue, Line, Script, Sentence
from storyboard.script.words import MENTION
from storyboard.seeds import derived


def plan(script: Script, limits: Limits | None = None, *, seed: int | None = None) -> Storyboard:
    """The storyboard of a script that `read_script` has read with the same limits.

    Shots that the script gives stay as they are; prose is split into 2-5 shots at its beats, and a longer story becomes
    several sequences of so many. `seed` replaces the script's; each shot's own seed is derived from it.
    """
    limits = limits or Limits.embedded()
    scenes = settings(script)
    counts = counted(scenes, limits)
    drafted = [_drafts(scene, count, script, limits) for scene, count in zip(scenes, counts, strict=True)]
    if sum(map(len, drafted)) == 1 and not scenes[0].shots:
        drafted = [_doubled(drafts, limits) for drafts in drafted]
    settled([draft for drafts in drafted for draft in drafts])
    film_seed = seed if seed is not None else script.seed or 0
    sequences = packed([len(drafts) for drafts in drafted], [scene.breaks for scene in scenes], limits)
    shots = []
    number, kept = 0, dict[str, str]()
    for index, (scene, drafts) in enumerate(zip(scenes, drafted, strict=True), start=1):
        sides = kept = blocked(drafts, kept if scene.continues else {})
        for within, draft in enumerate(drafts, start=1):
            made = _shot(draft, scene, sides, index, sequences[number], derived(film_seed, index, within))
            shots.append(recorded(made, draft.lines, scene.ambience, script.path.absolute().parent))
            number += 1
    width, height = script.size or limits.film_size
    folder = script.path.absolute().parent
    board = Storyboard(
        title=script.title or script.path.stem.replace("_", " ").replace("-", " "),
        style=script.style,
        size=f"{width}x{height}",
        seed=film_seed,
        characters={
            name: Role(refs=[_said(path, folder) for path in who.refs], looks=who.looks, voice=who.voice)
            for name, who in script.characters.items()
        },
        shots=shots,
    )
    return board.placed(folder).composed()


def _drafts(setting: Setting, count: int, script: Script, limits: Limits) -> list[Draft]:
    """The shots of one setting."""
    made = list(_given(setting, script)) if setting.shots else list(_split(setting, count, limits))
    made[0].first = made[-1].last = True
    before: Draft | None = None
    for draft in made:
        frame(draft, before, limits)
        before = draft
    return made


def _given(setting: Setting, script: Script) -> Iterator[Draft]:
    around = [beat.text for beat in setting.beats]
    for given in setting.shots:
        draft = _draft([beat for beat in given.beats if isinstance(beat, (Sentence, Line))], setting, camera=False)
        draft.size, draft.move, draft.seconds = given.size, given.move, given.seconds
        folder = script.path.absolute().parent
        draft.clip = _said(given.clip, folder) if given.clip else None
        draft.frame = _said(given.frame, folder) if given.frame else None
        draft.clip_in, draft.clip_out = given.clip_in, given.clip_out
        draft.enter, draft.leave, draft.anchor, draft.continues = given.enter, given.leave, given.anchor, given.continues
        if given is setting.shots[0]:
            draft.enter = draft.enter or setting.enters.get(0)
        draft.sentences += [told(text) for text in around]
        for cue in given.beats:
            if isinstance(cue, LightCue):
                draft.light = cue.note.over(draft.light)
        _camera_of(given, draft)
        yield draft


def _camera_of(given: GivenShot, draft: Draft) -> None:
    """Camera words in the text of a given shot count where its heading is silent; else they stay what they are: text."""
    kept = []
    for sentence in draft.sentences:
        seen = framing(sentence)
        agrees = given.size in (None, seen.size, *([given.size] if seen.size is None else ())) and given.move in (
            None, seen.move, *([given.move] if seen.move is None else ()),
        )  # fmt: skip
        if agrees and (seen.size or seen.move):
            draft.size, draft.move = draft.size or seen.size, draft.move or seen.move
            sentence = seen.rest
        if sentence and not names_only(sentence):
            kept.append(told(sentence))
    draft.sentences = kept


def _split(setting: Setting, count: int, limits: Limits) -> Iterator[Draft]:
    if not setting.beats:
        yield replace(_draft([], setting), enter=setting.enters.get(0), leave=setting.leaves.get(0))
        return
    for start, end in split(setting, count, limits):
        draft = _draft(setting.beats[start:end], setting)
        draft.enter, draft.leave = setting.enters.get(start), setting.leaves.get(end)
        for index, note in sorted(setting.lights.items()):
            if index < end:
                draft.light = note.over(draft.light)
        yield draft


def _draft(beats: list[Sentence | Line], setting: Setting, *, camera: bool = True) -> Draft:
    draft = Draft(None, None, None, [], [], [], {}, setting.key_light, why=dict(setting.why))
    for beat in beats:
        if isinstance(beat, Line):
            draft.lines.append(beat)
            named = [] if beat.heard else [beat.speaker]
        else:
            sides, text = sides_in(beat.text)
            draft.sides.update({name: side for name, side in sides.items() if name not in draft.sides})
            if camera:
                seen = framing(text)
                draft.size, draft.move, text = draft.size or seen.size, draft.move or seen.move, seen.rest
            if text and not names_only(text):
                draft.sentences.append(told(text))
            named = MENTION.findall(text)
        draft.names += [name for name in dict.fromkeys(named) if name not in draft.names]
    return draft


def _said(path: Path, folder: Path) -> str:
    """A path as the board says it: from its folder when it lies in it."""
    path = path.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _doubled(drafts: list[Draft], limits: Limits) -> list[Draft]:
    """A film has two shots at least: a single beat is shown from afar first, and then close, where its lines are said."""
    near = drafts[0]
    far = Draft("wide", "static", None, list(near.sentences), [], list(near.names), dict(near.sides), near.light, first=True)
    far.why = {**near.why, "size": "the only beat of the story, seen twice"}
    far.enter, near.enter = near.enter, None
    near.size, near.first = "close-up" if len(near.names) == 1 else "medium", False
    near.move, near.seconds = None, None
    near.why["size"] = far.why["size"]
    for draft, before in ((far, None), (near, far)):
        frame(draft, before, limits)
    return [far, near]


def _shot(draft: Draft, setting: Setting, sides: dict[str, str], scene: int, sequence: int, seed: int) -> Shot:
    return Shot.model_validate(
        {
            "sequence": sequence,
            "scene": scene,
            "heading": setting.heading,
            "size": draft.size,
            "move": draft.move,
            "seconds": draft.seconds,
            "place": setting.place,
            "interior": setting.interior,
            "time": setting.time,
            "light": {"side": draft.light.side, "warmth": draft.light.warmth},
            "anchor": draft.anchor,
            "continues": draft.continues,
            "characters": [{"name": name, "side": sides[name]} for name in draft.names],
            "action": " ".join(draft.sentences),
            "lines": [
                {"speaker": line.speaker, "text": line.text, "manner": line.manner, "heard": line.heard} for line in draft.lines
            ],
            "clip": draft.clip,
            "frame": draft.frame,
            "clip_in": draft.clip_in,
            "clip_out": draft.clip_out,
            "transition_in": draft.enter and vars(draft.enter),
            "transition_out": draft.leave and vars(draft.leave),
            "seed": seed,
            "why": draft.why,
        }
    )
