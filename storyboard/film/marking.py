"""Marking a film: how it is asked for, and the three steps in their order: the mark in the frames, XMP, the signature last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from storyboard.errors import StoryboardError
from storyboard.events import Event
from storyboard.files import settle

if TYPE_CHECKING:
    from assemble.marks import PictureMark
    from assemble.sound.mix import Stems

OWED = (
    "this film carries no marks. Whoever shows it to others must say themselves that it was made by AI: in the EU, Article 50 "
    "of the AI Act asks for a machine-readable mark in what a generator puts out, and for a visible label on what looks real"
)


@dataclass(frozen=True)
class Marks:
    """How a film is marked. label: "start" or "throughout" burns in a visible label. sign_key: a PEM file with a studio's private
    key and certificates, instead of the chain of this machine. timestamp: the address of an RFC 3161 server."""

    label: Literal["start", "throughout"] | None = None
    sign_key: Path | None = None
    timestamp: str | None = None

    def signing(self) -> Any:
        """What signs. Raises AssembleError when it cannot, so that it is known before anything is rendered."""
        from assemble.marks import given, local

        if self.timestamp is not None and not self.timestamp.startswith(("http://", "https://")):
            raise StoryboardError(
                "this is no address of a time stamp server",
                where=self.timestamp,
                mend="write one as https://server/path",
            )
        return given(self.sign_key) if self.sign_key else local()


class Marking:
    """The marks of one film; without `marks`, none, and `facts` says so. `facts` is what run.json tells of them."""

    def __init__(self, marks: Marks | None, tell: Callable[[Event], None]) -> None:
        self.marks, self.tell = marks, tell
        self.facts: dict[str, Any] = {"marked": False, "owed": OWED}
        self.ident = ""
        self.layers: list[str] = []  # what carries a watermark
        if marks:
            from assemble.marks import new_id

            self.key = marks.signing()
            self.ident = new_id()
            self.facts = {"marked": True, "id": self.ident, "label": marks.label}

    @property
    def labels(self) -> bool:
        """Whether a label is painted into the frames."""
        return bool(self.marks and self.marks.label)

    def clips(self, clips: Iterable[Any], size: tuple[int, int], fps: float) -> Iterator[Any]:
        """The clips of a film on their way to be stitched; iterables of frames get the label where one is asked for."""
        if not self.marks or not self.marks.label:
            yield from clips
            return
        from assemble.marks import Label
        from assemble.marks.label import SECONDS

        label = Label(size, None if self.marks.label == "throughout" else round(SECONDS * fps))
        for clip in clips:
            yield label.frames(clip)

    def picture(self, size: tuple[int, int]) -> PictureMark | None:
        """What writes the mark into the frames of a film of `size`, as it is delivered; None without marks."""
        if not self.marks:
            return None
        from assemble.marks import PictureMark

        self.layers = sorted({*self.layers, "picture"})
        return PictureMark(self.ident, size)

    def stems(self, stems: Stems) -> Stems:
        """The synthetic sound of a film, marked; what it is mixed of carries the mark each, written for the mix."""
        if not self.marks:
            return stems
        from assemble.marks import mark_stems

        self.layers = sorted({*self.layers, "sound"})
        dialogue, ambience = mark_stems([stems.dialogue, stems.ambience], self.ident)
        return replace(stems, dialogue=dialogue, ambience=ambience)

    @contextmanager
    def film(
        self,
        path: Path,
        *,
        clips: Sequence[str] = (),
        packs: Sequence[str] = (),
        models: Mapping[str, str],
    ) -> Iterator[Path]:
        """A draft to write the film to; when the block ends well it gets XMP and signature, and then its name.

        clips, packs: sha256 of the user's clips in the film, and of the identity packs. models: sha256 by name.
        """
        draft = path.with_name(f".{path.stem}.draft{path.suffix}")
        try:
            yield draft
            if self.marks:
                draft = self._finished(draft, clips, packs, models)
            settle(draft, path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        if self.marks:
            self._note_down(path)
        else:
            self.tell(Event("note", OWED))

    def _finished(
        self, draft: Path, clips: Sequence[str], packs: Sequence[str], models: Mapping[str, str]
    ) -> Path:
        """XMP, then the signature, in a second file: signing a file onto itself would empty it."""
        from assemble.marks import AI, MIXED, sign, write_xmp

        assert self.marks
        source = MIXED if clips else AI
        signed = draft.with_name(f"{draft.stem}.signed{draft.suffix}")
        write_xmp(draft, source)
        ingredients = [("clip", each) for each in clips] + [("identity pack", each) for each in packs]
        sign(
            draft, signed, self.key, ident=self.ident, source=source, version=_version(), models=models,
            ingredients=ingredients, layers=self.layers, timestamp=self.marks.timestamp,
        )  # fmt: skip
        draft.unlink()
        signer = str(self.marks.sign_key) if self.marks.sign_key else "the local chain of this machine"
        self.facts |= {"source": source, "layers": self.layers, "signed_by": signer, "timestamp": self.marks.timestamp}
        return signed

    def _note_down(self, path: Path) -> None:
        from assemble.marks import Ledger, digest

        ledger, sha256 = Ledger(), digest(path)
        ledger.add(self.ident, sha256, f"storyboard {_version()}")
        self.facts |= {"sha256": sha256, "ledger": str(ledger.path)}
        self.tell(Event("note", f"marked as {self.ident}; storyboard verify {path} reads it back"))


def _version() -> str:
    from storyboard import __version__

    return str(__version__)
