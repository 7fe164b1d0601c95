"""Deliveries: the size, the rate and the codec that a film is handed over in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from assemble.errors import AssembleError
from assemble.rates import rate


@dataclass(frozen=True)
class Codec:
    """How pictures are kept in a file. `options` are the encoder's; `quality` is its crf, None where it has none."""

    encoder: str
    pixels: str
    suffixes: tuple[str, ...]
    options: dict[str, str]
    quality: int | None = None
    tag: str = ""


CODECS = {
    "h264": Codec("libx264", "yuv420p", (".mp4", ".mov"), {"preset": "medium", "forced-idr": "1"}, quality=17),
    # 10 bit: dark fades come without steps, and whatever plays H.265 plays it. hvc1 is the tag that Apple's players want.
    "h265": Codec(
        "libx265", "yuv420p10le", (".mp4", ".mov"),
        {"preset": "medium", "forced-idr": "1", "x265-params": "log-level=error"}, quality=19, tag="hvc1",
    ),
    # Profile 3 is ProRes 422 HQ, what editors and graders take; every frame stands for itself.
    "prores": Codec("prores_ks", "yuv422p10le", (".mov",), {"profile": "3", "vendor": "apl0"}),
}  # fmt: skip
"""By name. Qualities are those at which a film is hard to tell from its frames."""

_LINES = {"720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160, "4k": 2160}
_SAID = re.compile(r"(?:(?P<lines>\d+p|4k)|(?P<width>\d+)x(?P<height>\d+))(?:@?(?P<fps>\d+(?:\.\d+)?))?", re.IGNORECASE)


@dataclass(frozen=True)
class Delivery:
    """What a film is handed over as; None leaves size and rate as the shots have them, and the codec to the file's name:
    H.264 in .mp4, ProRes in .mov."""

    size: tuple[int, int] | None = None
    fps: Fraction | None = None
    codec: str | None = None

    @classmethod
    def parse(cls, said: str, codec: str | None = None, *, tall: bool = False) -> Delivery:
        """'1080p24', '1080p', '2160p23.976', '1920x1080@25'. A name in lines is 16:9, and 9:16 when the film is `tall`.

        Raises AssembleError for anything else.
        """
        if codec is not None and codec not in CODECS:
            raise AssembleError(f'"{codec}" is no codec that is written here', mend=f"Name one of {', '.join(CODECS)}.")
        found = _SAID.fullmatch(said.strip())
        lines = _LINES.get(found["lines"].lower()) if found and found["lines"] else None
        if found is None or (found["lines"] and lines is None):
            raise AssembleError(f'"{said}" is no delivery', mend="Write it as 1080p24, 2160p25, 720p or 1920x1080@24.")
        size = (lines * 16 // 9, lines) if lines else (int(found["width"]), int(found["height"]))
        if lines and tall:
            size = size[1], size[0]
        if min(size) < 16 or size[0] % 2 or size[1] % 2:
            raise AssembleError(
                f"a film cannot be {size[0]} x {size[1]}", mend="Both sides must be even, and at least 16."
            )
        return cls(size, rate(float(found["fps"])) if found["fps"] else None, codec)

    def of(self, path: Path) -> Codec:
        """The codec for a file of this name. Raises AssembleError when the name does not fit."""
        suffix = path.suffix.lower()
        codec = CODECS[self.codec or ("prores" if suffix == ".mov" else "h264")]
        if suffix not in codec.suffixes:
            better = " or ".join(f"{path.stem}{each}" for each in codec.suffixes)
            kind = "a ProRes film is a .mov file" if codec.pixels == "yuv422p10le" else "the film is an MP4 file"
            raise AssembleError(kind, where=str(path), mend=f"Name it {better}.")
        return codec
