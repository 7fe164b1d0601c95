"""The characters of a film: identity packs made from their references once, and takes measured against them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.errors import StoryboardError
from storyboard.events import Event
from storyboard.planning.board import Storyboard
from storyboard.planning.shot import Role
from storyboard.refs import refs_refusal
from storyboard.shooting.runfolder import RunFolder

if TYPE_CHECKING:
    from identity import Encoders, IdentityPack, Tokens
    from identity.encoderset import EncoderSet

VERSION = 3  # raise it when packs or scores are made otherwise of the same files


class Casting:
    """Packs by character name. The encoders are loaded only when something has to be made or measured; `encoder_set` is the
    folder of another set than the shipped one."""

    def __init__(
        self, board: Storyboard, run: RunFolder, tell: Callable[[Event], None], encoder_set: Path | None = None
    ) -> None:
        self.board, self.run, self.tell, self.encoder_set = board, run, tell, encoder_set
        self.packs: dict[str, IdentityPack] = {}
        self.folders: dict[str, Path] = {}
        self.cut: dict[tuple[str, int], tuple[Any, ...]] = {}
        for name in dict.fromkeys(name for shot in board.shots for name in shot.names):
            self.packs[name], self.folders[name] = self._pack(name, board.characters[name])

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 of each encoder in use."""
        return self._set.hashes

    @property
    def licence(self) -> str:
        """The licence of the encoders in use."""
        return self._set.licence

    @cached_property
    def _set(self) -> EncoderSet:
        from identity.encoderset import open_set

        return open_set(self.encoder_set)

    @cached_property
    def encoders(self) -> Encoders:
        """The encoders, in memory."""
        from identity import Encoders

        return Encoders.load(self.encoder_set)

    def tokens(self, names: Iterable[str]) -> list[Tokens]:
        """What the generator uses of these characters, in this order."""
        return [self.packs[name].tokens_input() for name in names]

    def pictures(self, name: str, count: int) -> tuple[Any, ...]:
        """At most `count` pictures (H, W, 3) uint8 RGB of a character alone on white, the best first."""
        if (name, count) not in self.cut:
            self.cut[name, count] = tuple(self.packs[name].best_pictures(count)) if count else ()
        return self.cut[name, count]

    def score(self, frames: Iterable[Any], made_of: str, names: tuple[str, ...]) -> dict[str, Any] | None:
        """Frames measured against the packs of those who should be in them; None when nobody should.

        `made_of` is a hash that stands for the frames: measured once, a take is not measured again.
        """
        if not names:
            return None
        digests = self.digests(names)
        facts = [VERSION, made_of, self.hashes, list(digests.items())]
        key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        known = self.run.load_plain("score", key)
        if known is None:
            from identity import score

            measured = score(frames, {name: self.packs[name] for name in names}, self.encoders)
            known = json.loads(json.dumps(measured.to_dict()))
            self.run.save_plain("score", key, known, packs=digests)  # so that a pack's removal finds it
        return dict(known)

    def _pack(self, name: str, role: Role) -> tuple[IdentityPack, Path]:
        from identity import IdentityPack, prepare

        sources = [self.board.path(said) for said in role.refs]
        for source in sources:
            wrong = refs_refusal(source)
            if wrong:
                raise StoryboardError(wrong[0], where=f"characters.{name}.refs", mend=wrong[1])
        if len(sources) == 1 and (sources[0] / "pack.json").is_file():
            return IdentityPack.load(sources[0], self.hashes), sources[0]
        folder = self.run.packs / f"{name}-{self._source_hash(name, sources)[:16]}"
        if (folder / "pack.json").is_file():
            try:
                return IdentityPack.load(folder, self.hashes), folder
            except ValueError as error:
                self.tell(Event("note", f"the kept pack of {name} cannot be used and is made again: {error}"))
        self.tell(Event("pack", f"looking at {name}'s references"))
        pack = prepare(sources, name, self.encoders)
        pack.save(folder)
        self.tell(Event("pack", f"{name}: {len(pack)} reference frames kept, {len(pack.left_out)} left out"))
        for note in pack.notes:
            self.tell(Event("note", f"{name}: {note}"))
        return pack, folder

    def _source_hash(self, name: str, sources: list[Path]) -> str:
        """One hash of the reference files of a character, the encoders and this version."""
        total = hashlib.sha256(json.dumps([VERSION, name, self.hashes], sort_keys=True).encode())
        for source in sources:
            inside = sorted(each for each in source.rglob("[!.]*") if each.is_file())
            for file in inside if source.is_dir() else [source]:
                with file.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                total.update(f"{file.name}:{digest}\n".encode())
        return total.hexdigest()

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """sha256 of the embeddings of these characters' packs."""
        return {name: self._digest(name) for name in names}

    def _digest(self, name: str) -> str:
        return hashlib.sha256((self.folders[name] / "embeddings.safetensors").read_bytes()).hexdigest()
