"""What a file says of how it was made, layer by layer, offline: signed manifest, XMP, watermark in picture and sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assemble.errors import AssembleError
from assemble.marks.keys import anchors
from assemble.marks.ledger import Ledger
from assemble.marks.manifest import SOFTWARE, Signature, digest, read_guarded
from assemble.marks.reading import Averaged, Sight, seek
from assemble.marks.sampling import luma, sound
from assemble.marks.sound import Hearing, hear
from assemble.marks.xmp import read_xmp


@dataclass(frozen=True)
class Verdict:
    """All that a file says. `off` lists what does not fit, in words.

    sound: None when the film is silent. xmp: the digital source type, None where there is no XMP. here: whether the ledger of
    this machine has the id; exact: whether the file is byte for byte one that the ledger has.
    """

    path: Path
    signature: Signature
    xmp: str | None
    picture: Sight
    sound: Hearing | None
    off: tuple[str, ...]
    here: bool
    exact: bool

    @property
    def ident(self) -> str | None:
        """The id of the film: by the watermark if it was read, else by the manifest."""
        heard = self.sound.ident if self.sound else None
        return self.picture.ident or heard or self.signature.ident or None

    @property
    def found(self) -> bool:
        """Whether any layer answered."""
        return bool(
            self.signature.state != "none" or self.xmp or self.picture.verdict or (self.sound and self.sound.verdict)
        )

    @property
    def exit_code(self) -> int:
        """0 marked and intact, 3 something is off, 1 nothing was found."""
        return 1 if not self.found else 3 if self.off else 0

    def plain(self) -> dict[str, Any]:
        """As plain data for --json."""
        return {
            "file": str(self.path),
            "verdict": {0: "marked", 3: "off", 1: "nothing"}[self.exit_code],
            "id": self.ident,
            "off": list(self.off),
            "signature": asdict(self.signature),
            "xmp": self.xmp,
            "picture": asdict(self.picture),
            "sound": asdict(self.sound) if self.sound else None,
            "ledger": {"id": self.here, "file": self.exact},
        }


def verify(path: str | Path, ledger: Ledger | None = None, trusted: str | None = None) -> Verdict:
    """Look for every layer in a file. It takes a minute or two at most, whatever the length, and never touches the network.

    ledger: of this machine by default. trusted: roots as PEM, by default those of this machine.

    Raises AssembleError when the file is no video, or the ledger cannot be read.
    """
    path, ledger = Path(path), ledger or Ledger()
    if path.is_dir() or not path.exists():
        raise AssembleError(
            "this is a folder" if path.is_dir() else "there is no such file", where=str(path), mend="Name a video."
        )
    if path.stat().st_size == 0:
        raise AssembleError("the file is empty", where=str(path), mend="Give a video file.")
    known = ledger.ids()
    averaged = Averaged()
    for frame in luma(path):
        averaged.add(frame)
    picture = seek(averaged, known)
    samples = sound(path)
    heard = hear(samples, known) if samples is not None else None
    signature, xmp = read_guarded(path, anchors() if trusted is None else trusted), read_xmp(path)
    ident = picture.ident or (heard.ident if heard else None) or signature.ident
    entries = ledger.entries(ident) if ident else []
    exact = bool(entries) and digest(path) in {entry.sha256 for entry in entries}
    return Verdict(
        path, signature, xmp, picture, heard, tuple(_off(signature, xmp, picture, heard)), bool(entries), exact
    )


def _off(signature: Signature, xmp: str | None, picture: Sight, heard: Hearing | None) -> Sequence[str]:
    """What does not fit together. A file that carries nothing at all has nothing that is off."""
    marked = bool(picture.verdict or (heard and heard.verdict))
    wrong = []
    if signature.state == "broken":
        wrong.append(
            f"the manifest is broken: {', '.join(signature.failures) or 'the file was changed after it was signed'}"
        )
    if signature.state == "none" and (marked or xmp):
        wrong.append("there is no manifest: the file was cut, converted or repacked after it was made")
    if signature.state != "none" and signature.software.startswith(SOFTWARE):
        if "picture" in signature.made.get("layers", ()) and not picture.verdict:
            wrong.append("the manifest tells of a watermark in the picture, and none can be read")
        # Of a mark in a few seconds of sound often nothing can be read, so its silence tells nothing; a missing track does.
        if "sound" in signature.made.get("layers", ()) and heard is None:
            wrong.append("the manifest tells of a watermark in the sound, and there is no sound")
        if xmp is None:
            wrong.append("the XMP is gone")
    if xmp and signature.source and xmp != signature.source:
        wrong.append(f"the XMP says {xmp}, the manifest {signature.source}")
    idents = {picture.ident, heard.ident if heard else None, signature.ident} - {None, ""}
    if len(idents) > 1:
        wrong.append(f"picture, sound and manifest name different films: {', '.join(sorted(filter(None, idents)))}")
    return wrong
