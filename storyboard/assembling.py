"""Assembling: clips that were made elsewhere become the film of a board, checked and finished here, without a model.

    assemble_film("board.json", "clips", "film.mp4", delivery="1080p24")

A clip belongs to the shot whose number its name has: after the word shot ("shot02.mp4", "storm-shot-2_v3.mov"), else in front
("02.mp4", "2 storm.mov"). Several clips of one shot are its takes, of which the best is kept.
"""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.errors import StoryboardError, listed
from storyboard.events import Event
from storyboard.film.delivering import clip_name, wanted
from storyboard.film.finishing import Finishing
from storyboard.film.marking import Marking, Marks
from storyboard.film.sounding import Captions, Loudness, Sounding, check_sound
from storyboard.planning.board import Storyboard
from storyboard.planning.check import check_transitions
from storyboard.refs import VIDEOS, clip_refusal
from storyboard.report.figures import Report, ShotReport, characters, consistencies
from storyboard.report.page import page
from storyboard.shooting.casting import Casting
from storyboard.shooting.dialogue import Dialogue
from storyboard.shooting.filming import Filming
from storyboard.shooting.runfolder import RunFolder
from storyboard.studio import MARKS, Film

if TYPE_CHECKING:
    from assemble import Delivery

_SHOT = re.compile(r"(?:^|[^a-z])sh(?:ot)?[ _.-]*(\d+)", re.IGNORECASE)
_FIRST = re.compile(r"(\d+)(?=\D|$)")
LIBRARIES = ("insightface", "onnxruntime", "open_clip_torch", "av", "numpy")


def matched(folder: Path, shots: int) -> tuple[dict[int, list[Path]], list[Path]]:
    """The clips in a folder by the number of their shot, from 1, and the videos that name none."""
    if not folder.is_dir():
        raise StoryboardError("there is no such folder of clips", where=str(folder), mend="check the path")
    clips: dict[int, list[Path]] = {}
    others = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in VIDEOS or path.name.startswith(".") or not path.is_file():
            continue
        found = _SHOT.search(path.stem) or _FIRST.match(path.stem)
        number = int(found[1]) if found and len(found[1]) < 6 else 0
        if 1 <= number <= shots:
            clips.setdefault(number, []).append(path)
        else:
            others.append(path)
    return clips, others


def assemble_film(
    board: str | Path | Storyboard,
    clips: str | Path,
    film: str | Path,
    *,
    delivery: Delivery | str | None = None,
    codec: str | None = None,
    clips_to: Path | None = None,
    encoders: Path | None = None,
    grade: bool = True,
    loudness: Loudness = "web",
    captions: Captions | None = None,
    silent: bool = False,
    marks: Marks | None = MARKS,
    on_event: Callable[[Event], None] | None = None,
) -> Film:
    """The film of a board from clips in a folder, one or several for each shot. A shot's own `clip` serves where none is there.

    The film has the board's size and the rate of its fastest clip, or those of `delivery`. encoders: the folder of another
    encoder set. The rest is as for `Studio.render`.

    Raises StoryboardError, IdentityError or AssembleError, each with what to do.
    """
    from assemble import probe

    film = Path(film)
    check_sound(loudness, captions)
    board = _loaded(board)
    found, others = matched(Path(clips), len(board.shots))
    _take_up(board, found, Path(clips))
    delivered = wanted(board, film, delivery, codec)
    fps = float(max(probe(path).fps for paths in found.values() for path in paths))
    with RunFolder.hold(film) as run:
        tell = run.telling(on_event)
        started = time.time()
        marking = Marking(marks, tell)
        board.save(run.path / "board.json")
        tell(Event("plan", f"{len(board.shots)} shots, {sum(map(len, found.values()))} clips"))
        for path in others:
            tell(Event("note", f"{path.name} names no shot of the board, and is left out"))
        casting = Casting(board, run, tell, encoders)
        dialogue = Dialogue(board, None, tell, silent=silent)
        filming = Filming(None, board, run, casting, tell, dialogue.levels, fps=fps, clips=found)
        filming.shoot([], 1, "decode")
        sounding = Sounding(dialogue, run, tell, loudness, captions, silent)
        finishing = Finishing(filming, sounding, marking, delivered, clips_to, grade=grade)
        seconds = finishing.finish(film)
        said = {"clips": str(clips), "until": None, "grade": grade, "loudness": loudness, "captions": captions, "silent": silent}
        facts = {
            **_facts(film, board, Path(clips)), "settings": said, "started": round(started, 3), "state": "done",
            "seconds": round(time.time() - started, 2), "film_seconds": round(seconds, 3),
            "sound": sounding.report, "marks": marking.facts, "encoder_licence": casting.licence if casting.packs else "",
        }  # fmt: skip
        report = Report(
            shots=tuple(ShotReport(n, filming.kept[n], tuple(takes)) for n, takes in sorted(filming.takes.items())),
            identity=characters(board, filming.kept),
            model={},
            encoders=casting.hashes if casting.packs else {},
            facts=facts,
            light=finishing.light,
            consistency=consistencies(filming.kept),
        )
        run.write("run.json", json.dumps(report.plain(), indent=1, ensure_ascii=False) + "\n")
        run.write("report.html", page(board, report, filming.strips()))
        tell(Event("report", f"the report is {run.path / 'report.html'}"))
        return Film(film, board, report, run.path, seconds)


def _loaded(source: str | Path | Storyboard) -> Storyboard:
    if isinstance(source, Storyboard):
        board, where = source.composed(), "board"
    else:
        path = Path(source)
        path = path / "board.json" if path.is_dir() else path
        if path.suffix.lower() != ".json":
            mend = f"make one: storyboard plan {path} -o {path.stem}.json"
            raise StoryboardError("a film is assembled by a board (.json), or a run folder", where=str(path), mend=mend)
        board, where = Storyboard.load(path), str(path)
    check_transitions(board, where)
    return board


def _take_up(board: Storyboard, found: dict[int, list[Path]], folder: Path) -> None:
    """Give every shot its clip. StoryboardError names all that have none."""
    missing = []
    for number, shot in enumerate(board.shots, start=1):
        if number in found:
            shot.clip = Path(os.path.relpath(found[number][0].absolute(), board.folder)).as_posix()
        elif shot.clip is not None:
            wrong = clip_refusal(board.path(shot.clip))
            if wrong:
                raise StoryboardError(wrong[0], where=f"shots[{number - 1}].clip", mend=wrong[1])
            found[number] = [board.path(shot.clip)]
        else:
            missing.append(str(number))
    if missing:
        what = f"there is no clip for shot{'s' if len(missing) > 1 else ''} {listed(missing).replace(' or ', ' and ')}"
        mend = f"name the file by the shot's number: {clip_name(int(missing[0]), '.mp4')}"
        raise StoryboardError(what, where=str(folder), mend=mend)


def _facts(film: Path, board: Storyboard, clips: Path) -> dict[str, object]:
    from storyboard import __version__

    return {
        "schema": "run/1",
        "storyboard": __version__,
        "film": str(film),
        "title": board.title,
        "model": {"name": "clips made elsewhere", "folder": str(clips), "licence": "as their makers say"},
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "versions": {name: version(name) for name in LIBRARIES},
    }
