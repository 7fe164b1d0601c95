"""Burnt-in captions: words painted into the frames, in the fonts that OpenCV brings (Latin, Greek, Cyrillic, Hebrew, CJK).

Right-to-left text is put into its order on the screen by the Unicode bidirectional algorithm. Arabic letters are joined in a
font of the system's that has the joined forms; without one they stand side by side. A sign without a glyph, as an emoji, is
left out of the picture; the caption files keep it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assemble.picture import Frame, fit
from assemble.sound.captions import Caption, title

HEIGHT = 0.05  # of the picture's height: a line's letters
SMALLEST = 11  # pixels, below which nobody reads them
MARGIN = 0.06  # of the picture's height, kept free under the words
WEIGHT = 600
JOINED = (  # fonts with joined Arabic, where Linux systems keep them
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/TTF/DejaVuSans-Bold.ttf",
)
_Mask = npt.NDArray[np.float32]


def burnt(
    frames: Iterable[Frame], made: Sequence[Caption], fps: float, size: tuple[int, int], start: float = 0.0
) -> Iterator[Frame]:
    """The frames at `size` (width, height) with the captions painted in; the first one is `start` seconds into the film."""
    for index, frame in enumerate(frames):
        middle = start + (index + 0.5) / fps
        now = next((each for each in made if each.start <= middle < each.end), None)
        frame = fit(frame, size)
        yield frame if now is None else painted(frame, f"{title(now.speaker)}: {now.text}")


def painted(frame: Frame, text: str) -> Frame:
    """The frame (H, W, 3) uint8 with the text at its foot, white with a dark edge; too long a line is made smaller."""
    height, width = frame.shape[:2]
    said = text.partition(": ")[2] or text
    right = next((unicodedata.bidirectional(char) for char in said if char.isalpha()), "L") in ("R", "AL")
    rows = tuple(row for each in text.split("\n") if (row := shown(each, right)))
    if not rows:
        return frame
    top, words, edge = _mask(rows, width, height)
    out = frame.copy()
    strip = out[top : top + len(words)].astype(np.float32)
    strip *= (1 - 0.85 * edge)[..., None]
    strip += (250 - strip) * words[..., None]
    out[top : top + len(words)] = np.clip(strip + 0.5, 0, 255).astype(np.uint8)
    return out


def shown(text: str, right: bool) -> str:
    """A line of text in the order in which its signs stand on the screen, without those that have no glyph; `right` says
    that it is read from the right."""
    from bidi import get_display

    kept = "".join(char for char in unicodedata.normalize("NFC", text) if _has_glyph(char))
    kept = " ".join(kept.split())
    if _joined_font() and _arabic(kept):
        from arabic_reshaper import reshape

        kept = reshape(kept)
    return str(get_display(kept, base_dir="R" if right else "L"))


def _arabic(text: str) -> bool:
    return any("ARABIC" in unicodedata.name(char, "") for char in text)


@lru_cache(maxsize=1)
def _joined_font() -> str:
    return next((path for path in JOINED if Path(path).is_file()), "")


def _has_glyph(char: str) -> bool:
    """Whether the fonts are expected to have the sign: no emoji, no private use, nothing invisible, nothing unassigned."""
    category = unicodedata.category(char)
    return category not in ("So", "Sk", "Co", "Cn", "Cf", "Cc", "Cs", "Me") and char < "\U00010000" and char != "\ufe0f"


@lru_cache(maxsize=8)
def _mask(rows: tuple[str, ...], width: int, height: int) -> tuple[int, _Mask, _Mask]:
    """Where the words begin from the top, how much of each pixel they cover 0..1, and the same of their dark edge."""
    import cv2

    font = cv2.FontFace(_joined_font() if any(map(_arabic, rows)) and _joined_font() else "sans")
    size = max(SMALLEST, round(height * HEIGHT))

    def wide(row: str, pixels: int) -> int:
        return int(cv2.getTextSize((width, height), row, (0, 0), font, pixels, WEIGHT)[2])

    widest = max(wide(row, size) for row in rows)
    if widest > 0.94 * width:
        size = max(6, int(size * 0.94 * width / widest))
    step = round(size * 1.35)
    tall = step * len(rows) + size
    canvas = np.zeros((tall, width, 3), np.uint8)
    for number, row in enumerate(rows):
        left = max(0, (width - wide(row, size)) // 2)
        cv2.putText(canvas, row, (left, step * (number + 1)), (255, 255, 255), font, size, WEIGHT)
    words = np.asarray(canvas[..., 0] / 255, np.float32)
    reach = max(1, round(size * 0.09))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    edge = cv2.GaussianBlur(cv2.dilate(words, kernel), (0, 0), max(0.6, reach * 0.6))
    top = max(0, height - round(height * MARGIN) - tall + size // 2)
    fitting = min(tall, height - top)
    return top, words[:fitting], np.asarray(np.clip(edge[:fitting], 0, 1), np.float32)
