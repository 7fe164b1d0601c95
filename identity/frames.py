"""Pictures, folders and videos become frames, one after another, never all at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from identity.errors import IdentityError
from identity.sources import PICTURES, VIDEOS, files_of
from identity.videos import read_video

if TYPE_CHECKING:
    from PIL import Image

LONGEST = 1920
"""Pixels of a frame's longer side; larger ones are scaled down, since no encoder sees more."""


@dataclass(frozen=True)
class Frame:
    """One frame: pixels (H, W, 3) uint8 RGB upright, the file it came from, and its place in a video: number, seconds
    from the start, and shot (None for a picture)."""

    source: str
    pixels: NDArray[np.uint8]
    index: int | None = None
    seconds: float | None = None
    shot: int | None = None

    @property
    def label(self) -> str:
        """The name a person knows it by: `mia/03.png`, or `mia.mp4 at 2.50 s`."""
        return self.source if self.seconds is None else f"{self.source} at {self.seconds:.2f} s"


def read_frames(source: Path, notes: list[str] | None = None) -> Iterator[Frame]:
    """The frames of a picture, a video, or a folder of both (sorted by name, folders inside it too).

    Pictures are turned upright by their EXIF note, videos by their display matrix; see-through pictures lie on white. What
    somebody should know of a source, as that a video is very short, is added to `notes`.

    Raises IdentityError, naming the file, for one that is missing, corrupt, empty, or neither picture nor video.
    """
    notes = [] if notes is None else notes
    for path in files_of(source):
        if path.suffix.lower() in VIDEOS:
            for taken in read_video(path, LONGEST, notes):
                yield Frame(str(path), *taken)
        else:
            yield read_picture(path, notes)


def read_picture(path: Path, notes: list[str] | None = None) -> Frame:
    """One picture file as a frame; of an animated one the first picture, with a note. Raises IdentityError."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if getattr(picture, "is_animated", False) and notes is not None:
                    notes.append(f"{path}: it is animated; only its first picture was taken (a video shows more)")
                picture.draft("RGB", (LONGEST, LONGEST))
                upright = ImageOps.exif_transpose(_eight_bits(picture))
                upright.thumbnail((LONGEST, LONGEST))
                return Frame(str(path), _to_rgb(upright))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = f"{Image.MAX_IMAGE_PIXELS or 0:,}"
        raise IdentityError(
            "the picture is too large to open safely", where=str(path), mend=f"Scale it down below {most} pixels."
        ) from error
    except UnidentifiedImageError as error:
        if path.suffix.lower() in PICTURES:
            raise _corrupt(path) from error
        raise IdentityError(
            "the file is neither a picture nor a video",
            where=str(path),
            mend="Give pictures (PNG, JPEG, WebP...), videos (MP4, MOV, MKV...) or folders of them.",
        ) from error
    except PermissionError as error:
        raise IdentityError("the file must not be read", where=str(path), mend="Change its rights.") from error
    except Exception as error:  # decoders raise whatever they like on broken bytes
        raise _corrupt(path) from error


def _corrupt(path: Path) -> IdentityError:
    return IdentityError("the picture is corrupt", where=str(path), mend="Remove it or save it again.")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Greys of 16 bits, whole numbers or fractions scaled to 8 bits, where Pillow itself would clip them."""
    from PIL import Image

    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.nan_to_num(np.asarray(picture).astype(np.float64))
    full = 1.0 if picture.mode == "F" and values.max() <= 1 else 255.0 if picture.mode == "F" else 65535.0
    grey = Image.fromarray((values / full * 255).round().clip(0, 255).astype(np.uint8))
    grey.info = dict(picture.info)
    grey.getexif().update(picture.getexif())
    return grey


def _to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))
