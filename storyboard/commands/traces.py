"""What storyboard keeps of an identity pack in run folders: copies of it, and measurements of takes against it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storyboard.shooting.runfolder import RunFolder


@dataclass(frozen=True)
class Trace:
    """One run folder in which something of a pack lies: folders of packs made from the same references, the keys of scores
    that were measured against any of these (they hold embeddings of whom they found), and stage and key of the artefacts
    that its pictures went into."""

    run: Path
    packs: tuple[Path, ...]
    scores: tuple[str, ...]
    pictures: tuple[tuple[str, str], ...] = ()

    @property
    def said(self) -> str:
        """In words: `film.run: 1 pack, 3 measurements`."""
        counts = ((len(self.packs), "pack"), (len(self.scores), "measurement"), (len(self.pictures), "encoded picture"))
        said = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)
        return f"{self.run}: {said}"


@dataclass(frozen=True)
class _Marks:
    """By what a pack is known again: its embeddings, and its name together with a source that it was made from."""

    name: str
    embeddings: str
    sources: frozenset[str]

    @classmethod
    def of(cls, folder: Path) -> _Marks:
        """Of any folder with a pack.json, also a broken one."""
        try:
            plain = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            plain = None
        plain = plain if isinstance(plain, dict) else {}
        given, hashes = plain.get("sources"), plain.get("source_hashes")
        paths = [os.path.realpath(each) for each in given if _is_path(each)] if isinstance(given, list) else []
        digests = [str(each) for each in hashes.values()] if isinstance(hashes, dict) else []
        try:
            embeddings = hashlib.sha256((folder / "embeddings.safetensors").read_bytes()).hexdigest()
        except OSError:
            embeddings = ""
        return cls(str(plain.get("name", "")), embeddings, frozenset([*paths, *digests]))

    def same(self, other: _Marks) -> bool:
        if self.embeddings and self.embeddings == other.embeddings:
            return True
        return bool(self.name) and self.name == other.name and bool(self.sources & other.sources)


def traces_of(pack: Path, roots: Iterable[Path]) -> list[Trace]:
    """What of a pack lies in the run folders under these folders, and in the one that holds the pack itself."""
    home = pack.resolve()
    marks = _Marks.of(home)
    found = []
    for run in run_folders([*roots, home.parents[min(1, len(home.parents) - 1)]]):
        inside = sorted(each for each in (run / "packs").glob("*") if (each / "pack.json").is_file())
        copies = {each: _Marks.of(each) for each in inside if each.resolve() != home}
        mine = {each: copy for each, copy in copies.items() if marks.same(copy)}
        digests = {marks.embeddings, *(copy.embeddings for copy in mine.values())} - {""}
        scores = tuple(key for key, score in _scores(run) if _measured(score, marks.name, digests))
        pictures = tuple(at for at, packs in _pictures(run) if _measured(packs, marks.name, digests))
        if mine or scores or pictures:
            found.append(Trace(run, tuple(mine), scores, pictures))
    return found


def removed_traces(traces: Iterable[Trace]) -> Iterator[Path]:
    """Removes what was found, and gives the paths that are gone. StoryboardError, with nothing removed, when a render works
    in one of the run folders."""
    from identity.removal import parts_of, remove_pack

    with ExitStack() as held:
        open_runs = [(trace, held.enter_context(RunFolder.hold(trace.run.with_suffix(".mp4")))) for trace in traces]
        for trace, _ in open_runs:
            for pack in trace.packs:
                parts_of(pack)
        for trace, run in open_runs:
            for key in trace.scores:
                run.drop("score", key)
                yield run.artefacts / f"score-{key}.json"
            for stage, key in trace.pictures:
                run.drop(stage, key)
                yield run.artefacts / f"{stage}-{key}.safetensors"
            for pack in trace.packs:
                yield from remove_pack(pack)


def run_folders(roots: Iterable[Path]) -> list[Path]:
    """Every run folder in these folders, at any depth; hidden folders and links are not entered."""
    found: dict[Path, None] = {}
    for root in dict.fromkeys(root.resolve() for root in roots):
        for folder, inner, _ in os.walk(root):
            here = Path(folder)
            if here.suffix == ".run" and {"artefacts", "packs"} <= set(inner):
                found[here] = None
                inner.clear()
            inner[:] = sorted(name for name in inner if not name.startswith("."))
    return sorted(found)


def _scores(run: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Keys of the scores in a run folder, and whom each measured: {character: sha256 of the pack's embeddings}; {name: ""}
    for one that did not note it."""
    for file in sorted((run / "artefacts").glob("score-*.json")):
        try:
            noted = json.loads(file.with_suffix(".record").read_text(encoding="utf-8")).get("packs")
            known = noted or dict.fromkeys(json.loads(file.read_text(encoding="utf-8"))["characters"], "")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a broken artefact is made again anyway
        yield file.stem.removeprefix("score-"), known


def _pictures(run: Path) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Stage and key of the artefacts that hold pictures of characters, and whose."""
    for note in sorted((run / "artefacts").glob("*.record")):
        stage, _, key = note.stem.partition("-")
        try:
            packs = json.loads(note.read_text(encoding="utf-8")).get("packs")
        except (OSError, ValueError, AttributeError):
            continue  # a broken artefact is made again anyway
        if stage != "score" and isinstance(packs, dict):
            yield (stage, key), packs


def _measured(score: dict[str, Any], name: str, digests: set[str]) -> bool:
    return any(digest in digests or (not digest and each == name) for each, digest in score.items())


def _is_path(said: object) -> bool:
    return isinstance(said, str) and "\0" not in said
