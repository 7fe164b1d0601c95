"""The identity pack: what is known of one character. On disk it is a folder, which identity.packfolder describes."""

from __future__ import annotations

import shlex
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identity.encoderset import SHIPPED
from identity.errors import IdentityError
from identity.packfolder import read_pack, write_pack
from identity.records import EXEMPLARS, LeftOut, Record
from identity.turn import HIDDEN, facing

if TYPE_CHECKING:
    from identity.encoders import Encoders

Array = NDArray[np.float32]
LARGEST = 4096
"""Pixels of the longer side that a pack's picture may have; ours are far smaller, and a huge one is an attack."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """What the generator uses of one character, always EXEMPLARS + 1 rows: a robust centre, then exemplars.

    `face` (5, 512) and `figure` (5, F) float32 rows have length 1, or are zero where nothing was seen; `weights` (5,)
    is each row's quality 0..1, and 0 for an absent row.
    """

    face: Array
    figure: Array
    weights: Array


@dataclass(frozen=True, eq=False)
class IdentityPack:
    """One character. Rows of `faces` (n, 512), `figures` (n, F) and `bodies` (n, 256) are unit vectors of the kept
    frames; a zero row of `faces` is a frame in which no face was seen. The three centres are robust means of them.
    `pictures` are WebP, as bytes or files. `licence` is that of the encoder set ("" when not known); `source_hashes` has
    the sha256 of each source file; `unknown` is what a pack.json held that this version does not know.
    """

    name: str
    encoders: dict[str, str]
    faces: Array
    figures: Array
    bodies: Array
    centre_face: Array
    centre_figure: Array
    centre_body: Array
    exemplars: tuple[int, ...]
    records: tuple[Record, ...]
    pictures: tuple[bytes | Path, ...]
    left_out: tuple[LeftOut, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    consent: str = ""
    licence: str = ""
    source_hashes: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records)

    def tokens_input(self) -> Tokens:
        """The centre and the exemplars as arrays for the generator: the robust mean of all frames with weight 1, then the
        medoids of the frames' sub-clusters, each with the quality of its frame as weight."""
        rows = EXEMPLARS + 1
        face = np.zeros((rows, self.faces.shape[1]), np.float32)
        figure = np.zeros((rows, self.figures.shape[1]), np.float32)
        weights = np.zeros(rows, np.float32)
        face[0], figure[0], weights[0] = self.centre_face, self.centre_figure, 1
        for row, frame in enumerate(self.exemplars, start=1):
            face[row], figure[row] = self.faces[frame], self.figures[frame]
            weights[row] = self.records[frame].quality
        return Tokens(face, figure, weights)

    def picture(self, frame: int) -> NDArray[np.uint8]:
        """The character in a kept frame, (H, W, 3) uint8 RGB. Raises IdentityError when it cannot be read."""
        from PIL import Image

        held = self.pictures[frame]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(BytesIO(held) if isinstance(held, bytes) else held, formats=["WEBP"]) as picture:
                    if max(picture.size) > LARGEST:
                        raise ValueError(f"it is larger than {LARGEST} pixels")
                    return np.array(picture.convert("RGB"))
        except Exception as error:  # decoders raise whatever they like on broken bytes
            where = f"{self.name}, frame {frame}" if isinstance(held, bytes) else str(held)
            raise IdentityError("a picture of the pack cannot be read", where=where, mend="Make the pack again.") from error

    def best_pictures(self, count: int) -> list[NDArray[np.uint8]]:
        """At most `count` pictures (H, W, 3) uint8 RGB of the figure alone on white, best quality first, for families that
        take pictures: the best frame of each pose before a second one of any. See identity.cutout for how a figure is cut
        out, and what is given where that fails."""
        from identity.cutout import figure_in, on_white

        poses = [facing(record) for record in self.records]
        taken: Counter[str] = Counter()
        turns = {}
        for i in sorted(range(len(self)), key=lambda i: (-self.records[i].quality, i)):
            turns[i] = (taken[poses[i]], poses[i] == HIDDEN, -self.records[i].quality, i)
            taken[poses[i]] += 1
        chosen = sorted(sorted(turns, key=turns.__getitem__)[: max(0, count)], key=lambda i: (-self.records[i].quality, i))
        pictures = [(i, self.picture(i)) for i in chosen]
        return [on_white(picture, figure_in(picture.shape, self.records[i].box)) for i, picture in pictures]

    def save(self, folder: Path) -> None:
        """Write the pack as a folder, whole or not at all; an older pack there is replaced.

        Raises IdentityError when the folder holds something else than a pack, and OSError when the disk does.
        """
        write_pack(self, Path(folder))

    @classmethod
    def load(cls, folder: Path, encoders: Encoders | Mapping[str, str] | None = None) -> IdentityPack:
        """Read a pack. With `encoders` (or their hashes) given, a pack that others made is refused.

        Raises IdentityError for a folder that is no pack, a broken one, and one of other encoders, with the command
        that makes it again.
        """
        pack = cls(**read_pack(Path(folder)))
        hashes = None if encoders is None else encoders if isinstance(encoders, Mapping) else encoders.hashes
        if hashes is not None and dict(hashes) != pack.encoders:
            other = None if encoders is None or isinstance(encoders, Mapping) else encoders.folder
            raise IdentityError(
                "the pack was made by other encoders than those in use",
                where=str(folder),
                mend=f"Make it again: {pack._made_by(Path(folder), other)}",
            )
        return pack

    def _made_by(self, folder: Path, encoders: Path | None) -> str:
        """The command that makes this pack, which was read from `folder`, with the encoder set of another folder (None: not
        known). Where its sources show others too, a picture of its own says who is meant."""
        words = ["storyboard", "refs", "prepare", *self.sources, "--name", self.name, "-o", str(folder)]
        if any(frame.reason.startswith("another person") for frame in self.left_out):
            clearest = min(range(len(self)), key=lambda i: (self.records[i].occluded, -self.records[i].quality))
            words += ["--like", str(self.pictures[clearest])]
        if encoders not in (None, SHIPPED):
            words += ["--encoders", str(encoders)]
        return shlex.join(words)
