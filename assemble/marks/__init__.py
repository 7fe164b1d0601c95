"""marks: every film says what it is, in its pixels, its sound and its file; and `verify` reads it back.

    mark = PictureMark(new_id(), (1920, 1080))
    film = stitch(clips, "draft.mp4", fps=24, size=(1920, 1080), mark=mark)
    write_xmp(film.path, AI)
    sign(film.path, Path("film.mp4"), local(), ident=..., source=AI, version="1", models={})
    verify("film.mp4").exit_code

In that order: a signature covers all that came before it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assemble.marks.keys import Signing, given, local
    from assemble.marks.label import Label
    from assemble.marks.ledger import Ledger
    from assemble.marks.manifest import AI, MIXED, digest, sign
    from assemble.marks.payload import new_id
    from assemble.marks.picture import PictureMark
    from assemble.marks.sound import hear, mark_sound, mark_stems
    from assemble.marks.verdict import Verdict, verify
    from assemble.marks.xmp import write_xmp

# The home of each public name: loaded when first asked for, so that importing the package costs nothing.
_HOMES = {
    "AI": "manifest",
    "Label": "label",
    "Ledger": "ledger",
    "MIXED": "manifest",
    "PictureMark": "picture",
    "Signing": "keys",
    "Verdict": "verdict",
    "digest": "manifest",
    "given": "keys",
    "hear": "sound",
    "local": "keys",
    "mark_sound": "sound",
    "mark_stems": "sound",
    "new_id": "payload",
    "sign": "manifest",
    "verify": "verdict",
    "write_xmp": "xmp",
}

__all__ = [
    "AI", "MIXED", "Label", "Ledger", "PictureMark", "Signing", "Verdict", "digest", "given", "hear", "local", "mark_sound",
    "mark_stems", "new_id", "sign", "verify", "write_xmp",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assemble.marks' has no attribute {name!r}")
    return getattr(import_module(f"assemble.marks.{_HOMES[name]}"), name)
