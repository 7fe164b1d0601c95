"""The conductor: a script or a board goes in, a film comes out, with its run folder and its report.

    film = Studio(model="toon").render("script.md", "film.mp4", on_event=print)
    film.report.identity["mia"].worst
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from storyboard.errors import StoryboardError, listed, meant
from storyboard.events import Event
from storyboard.film.delivering import wanted
from storyboard.film.finishing import Finishing
from storyboard.film.lighting import FilmLight
from storyboard.film.marking import Marking, Marks
from storyboard.film.sounding import Captions, Loudness, Sounding, check_sound
from storyboard.limits import Limits
from storyboard.models.shelf import located
from storyboard.planning.board import Storyboard
from storyboard.planning.boarding import boarded
from storyboard.report.figures import Report, ShotReport, characters, consistencies
from storyboard.report.page import page
from storyboard.shooting.casting import Casting
from storyboard.shooting.dialogue import Dialogue
from storyboard.shooting.filming import Filming
from storyboard.shooting.following import Following
from storyboard.shooting.memory import planned
from storyboard.shooting.production import PREVIEW
from storyboard.shooting.runfolder import RunFolder

if TYPE_CHECKING:
    from assemble import Delivery
    from generation import Model

Until = Literal["plan", "layout", "detail", "decode"]
Reroll = Literal["layout", "detail"]
MARKS = Marks()
LIBRARIES = ("torch", "diffusers", "transformers", "insightface", "onnxruntime", "open_clip_torch", "av", "numpy")


@dataclass(frozen=True)
class Film:
    """What a render made. `path` is None when it was to stop before the film (`until`)."""

    path: Path | None
    board: Storyboard
    report: Report
    folder: Path  # the run folder
    seconds: float  # of film


class Studio:
    """A model, ready to render. `model` is "toon", the embedded one, the name of one that was fetched, or a model folder in
    diffusers layout. `loras` change its experts, each written as HIGH:LOW@STRENGTH:STRENGTH, or FILE for both; a `preset` of
    the family's says how few steps they need. `speed`: "exact", "rounded" or "cached"; see generation.speed.

    Raises GenerationError when the folder is no model that is known, or not whole, and when a LoRA is of another family;
    FetchError when it is half fetched.
    """

    def __init__(
        self, model: str | Path = "toon", loras: Collection[str] = (), preset: str | None = None, speed: str = "exact"
    ) -> None:
        quiet()
        from generation import Lora, Model, Speed

        self.model: Model = Model.open(located(model))
        if preset:
            self.model = self.model.with_preset(preset)
        if loras:
            self.model = self.model.with_loras(map(Lora.parse, loras))
        self.model = replace(self.model, speed=Speed.of(speed, self.model.family))
        self.limits = Limits.of(self.model.family)

    def board(self, source: str | Path | Storyboard, *, seed: int | None = None) -> Storyboard:
        """The storyboard of a script, a board file (.json) or a board, checked against what the model can make."""
        return boarded(source, self.limits, seed)[0]

    def render(
        self,
        source: str | Path | Storyboard,
        film: str | Path,
        *,
        seed: int | None = None,
        takes: int = 1,
        shots: Collection[int] | None = None,
        until: Until | None = None,
        reroll: Reroll | None = None,
        fresh: bool = False,
        remember: bool = False,
        memory: float | None = None,
        delivery: Delivery | str | None = None,
        codec: str | None = None,
        clips_to: Path | None = None,
        grade: bool = True,
        loudness: Loudness = "web",
        captions: Captions | None = None,
        silent: bool = False,
        marks: Marks | None = MARKS,
        on_event: Callable[[Event], None] | None = None,
    ) -> Film:
        """Render a script or a board to `film` (.mp4, or .mov for ProRes).

        What an earlier render finished beside it is not made again.

        seed: replaces the script's. takes: how often at most a shot is finished until everyone in it is recognised; with
        more than 1, layouts that fail at first sight are not finished, and up to three are tried for each take.
        shots: numbers from 1 of those to make; the others come in when they are ready from before.
        until: stop after the plan or a stage. reroll: "layout" makes the shots anew from another seed, for good; "detail" keeps
        each layout and finishes it anew, which changes texture and light, and less of where everything is.
        fresh: forget what was made before. remember: frames of accepted shots go into others of the same place and light, which
        wait for them; of families that take pictures. memory: gigabytes to plan with, where it computes, instead of all that are
        free. delivery: size and rate of the film, as "1080p24"; None leaves them as the model makes shots. codec: h264, h265 or
        prores; by the film's name when None. clips_to: a folder for each shot as a clip. grade: bring the light of shots
        together that differ in it. loudness: what the sound is brought to, "ebu" (-23 LUFS), "web" (-14) or "streaming" (-27 of
        the dialogue). captions: "burn" paints them into the picture. silent: no sound. marks: how the film is marked; None leaves
        it unmarked, and says what is then owed.

        Raises StoryboardError, IdentityError, GenerationError or AssembleError, each with what to do; OSError for the disk.
        """
        from generation import check_weights

        film = Path(film)
        _check(takes, until, reroll, film)
        check_sound(loudness, captions)
        board, doubts = boarded(source, self.limits, seed)
        chosen = _chosen(shots, len(board.shots))
        delivered = wanted(board, film, delivery, codec)
        with RunFolder.hold(film) as run:
            if fresh and shots is None:
                run.clear()

            tell = run.telling(on_event)
            started = time.time()
            dialogue = Dialogue(board, self.limits, tell, silent=silent)
            board = dialogue.board
            settings = {"seed": board.seed, "takes": takes, "shots": sorted(chosen), "until": until, "reroll": reroll}
            settings |= {"remember": remember, "grade": grade, "loudness": loudness, "captions": captions, "silent": silent}
            facts = {**self._facts(film, board), "settings": settings, "started": round(started, 3), "state": "running"}
            board.save(run.path / "board.json")
            _write(run, facts)
            tell(Event("plan", f"{len(board.shots)} shots in {max(shot.sequence for shot in board.shots)} sequence(s)"))
            following = Following(board, self.model.family, remember=remember)
            for doubt in [*doubts, *following.notes]:
                tell(Event("note", doubt))
            if until == "plan":
                return self._done(None, board, run, facts, started)
            marking = Marking(marks if until is None else None, tell)  # a key that cannot sign is told of before the work
            if reroll:
                run.roll((board.shots[number - 1].seed for number in chosen), detail=reroll == "detail")
            try:
                check_weights(self.model)
                plan = planned(self.model, board, memory, rounds=takes > 1 or len(following.levels(chosen)) > 1)
                if plan:
                    tell(Event("memory", str(plan)))
                    facts["memory"] = str(plan).splitlines()
                casting = Casting(board, run, tell)
                model = replace(self.model, plan=plan, aside={} if plan and plan.aside else None)
                filming = Filming(model, board, run, casting, tell, dialogue.levels, following)
                sounding = Sounding(dialogue, run, tell, loudness, captions, silent)
                finishing = Finishing(filming, sounding, marking, delivered, clips_to, grade=grade)
                last = {"layout": PREVIEW, "detail": "detail"}.get(until or "", "decode")
                filming.shoot(chosen, takes, last, fresh=fresh)
                path, seconds = (film, finishing.finish(film)) if until is None else (None, 0.0)
            except BaseException as error:
                state = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
                with suppress(OSError):  # a full disk is what failed; that is the error to tell
                    _write(run, {**facts, "state": state, "error": str(error)})
                raise
            facts |= {"sound": sounding.report, "marks": marking.facts if path else None}
            facts["encoders"] = casting.hashes if casting.packs else {}
            facts["encoder_licence"] = casting.licence if casting.packs else ""
            made = self._done(path, board, run, facts, started, filming, finishing.light, seconds)
            tell(Event("report", f"the report is {run.path / 'report.html'}"))
            return made

    def _done(
        self,
        path: Path | None,
        board: Storyboard,
        run: RunFolder,
        facts: dict[str, Any],
        started: float,
        filming: Filming | None = None,
        light: FilmLight | None = None,
        seconds: float = 0.0,
    ) -> Film:
        """Write what there is to know of the render, and give it back."""
        kept = filming.kept if filming else {}
        takes = filming.takes if filming else {}
        encoders = facts.pop("encoders", {})
        facts |= {"state": "done", "seconds": round(time.time() - started, 2), "film_seconds": round(seconds, 3)}
        report = Report(
            shots=tuple(ShotReport(n, kept.get(n), tuple(takes.get(n, ()))) for n in range(1, len(board.shots) + 1)),
            identity=characters(board, kept),
            model=self.model.hashes,
            encoders=encoders,
            facts=facts,
            light=light,
            consistency=consistencies(kept),
        )
        _write(run, report.plain())
        if filming:
            run.write("report.html", page(board, report, filming.strips()))
        return Film(path, board, report, run.path, seconds)

    def _facts(self, film: Path, board: Storyboard) -> dict[str, Any]:
        from storyboard import __version__

        return {
            "schema": "run/1",
            "storyboard": __version__,
            "film": str(film),
            "title": board.title,
            "loras": [f"{lora.files[0]}:{lora.files[1]}@{lora.strengths[0]}:{lora.strengths[1]}" for lora in self.model.loras],
            "speed": self.model.speed.name,
            "preset": self.model.family.preset.name if self.model.family.preset else None,
            "model": {"name": self.model.family.name, "folder": str(self.model.folder), "licence": self.model.family.licence},
            "machine": {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
            "versions": {name: version(name) for name in LIBRARIES},
        }


def quiet() -> None:
    """Keep the libraries off the network: weights come from disk, and nobody is told what runs here."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", TRANSFORMERS_OFFLINE="1")


def _write(run: RunFolder, plain: dict[str, Any]) -> None:
    run.write("run.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def _check(takes: int, until: str | None, reroll: str | None, film: Path) -> None:
    if takes < 1:
        raise StoryboardError(f"{takes} takes are no takes", where="takes", mend="ask for 1 or more")
    for name, said, words in (("until", until, get_args(Until)), ("reroll", reroll, get_args(Reroll))):
        if said is not None and said not in words:
            raise StoryboardError(f'"{said}" is no stage{meant(said, words)}', where=name, mend=f"write {listed(words)}")
    if film.suffix.lower() not in (".mp4", ".mov"):
        raise StoryboardError("the film is an MP4 file", where=str(film), mend=f"name it {film.with_suffix('.mp4')}")
    if film.is_dir():
        raise StoryboardError("this is a folder", where=str(film), mend="name a file in it")


def _chosen(shots: Collection[int] | None, count: int) -> list[int]:
    if shots is None:
        return list(range(1, count + 1))
    for number in shots:
        if not 1 <= number <= count:
            raise StoryboardError(f"there is no shot {number}", where="shots", mend=f"the film has shots 1 to {count}")
    return sorted(set(shots))
