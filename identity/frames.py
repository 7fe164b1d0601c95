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

if TYPE_CHECKING:
    from PIL import Image

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm"))
VIDEOS = frozenset(
    (
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv",
        ".3gp", ".mxf", ".y4m",
    )
)  # fmt: skip
LONGEST = 1920
"""Pixels of a frame's longer side; larger ones are scaled down, since no encoder sees more."""
VIDEO_FRAMES = 240
"""At most so many frames are taken from one video, evenly in time: 8 a second of a 30-second one."""


@dataclass(frozen=True)
class Frame:
    """One frame: pixels (H, W, 3) uint8 RGB upright, the file it came from, and its place in a video (else None)."""

    source: str
    pixels: NDArray[np.uint8]
    index: int | None = None
    seconds: float | None = None

    @property
    def label(self) -> str:
        """The name a person knows it by: `mia/03.png`, or `mia.mp4 at 2.50 s`."""
        return self.source if self.seconds is None else f"{self.source} at {self.seconds:.2f} s"


def read_frames(source: Path) -> Iterator[Frame]:
    """The frames of a picture, a video, or a folder of both (sorted by name, folders inside it too).

    Pictures are turned upright by their EXIF note, videos by their display matrix; see-through pictures lie on white.
    In a folder, hidden files and files of other kinds are passed over.

    Raises IdentityError, naming the file, for one that is missing, corrupt, empty, or neither picture nor video.
    """
    source = Path(source)
    if source.is_dir():
        yield from _read_folder(source)
    elif not source.is_file():
        raise IdentityError("there is no such file or folder", where=str(source), mend="Check the path.")
    elif source.stat().st_size == 0:
        raise IdentityError("the file is empty", where=str(source), mend="Remove it or copy it again.")
    elif source.suffix.lower() in VIDEOS:
        yield from _read_video(source)
    else:
        yield read_picture(source)


def read_picture(path: Path) -> Frame:
    """One picture file as a frame (the first picture of an animated one). Raises IdentityError."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture.draft("RGB", (LONGEST, LONGEST))
                upright = ImageOps.exif_transpose(picture)
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
    except Exception as error:  # decoders raise whatever they like on broken bytes
        raise _corrupt(path) from error


def _corrupt(path: Path) -> IdentityError:
    return IdentityError("the picture is corrupt", where=str(path), mend="Remove it or save it again.")


def _to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip instead of scale
        grey = (np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))


def _read_folder(folder: Path) -> Iterator[Frame]:
    home = folder.resolve()
    found = False
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder).parts
        if any(part.startswith(".") for part in inner) or path.suffix.lower() not in PICTURES | VIDEOS:
            continue
        if not path.resolve().is_relative_to(home):
            raise IdentityError(
                "the link points outside its folder", where=str(path), mend="Copy the file in or name it by itself."
            )
        if path.is_file():
            found = True
            yield from read_frames(path)
    if not found:
        raise IdentityError(
            "the folder holds no pictures or videos", where=str(folder), mend="Put reference pictures into it."
        )


def _read_video(path: Path) -> Iterator[Frame]:
    import av

    count = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise IdentityError("the file holds no picture", where=str(path), mend="Give a video with pictures.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            gap, due = _sampling(container, stream), 0.0
            start: float | None = None
            for index, frame in enumerate(container.decode(stream)):
                moment = float(frame.time) if frame.time is not None else index / float(stream.average_rate or 24)
                start = moment if start is None else start
                if moment - start + 1e-6 < due:
                    continue
                # One frame of a variable rate may last for several gaps: the next is due at the next grid point.
                due = ((moment - start) // gap + 1) * gap if gap else 0.0
                count += 1
                yield Frame(str(path), _upright(frame), index, round(moment - start, 3))
    except av.FFmpegError as error:
        raise IdentityError(
            "the video is corrupt or cut short", where=str(path), mend="Export it again, or cut off the broken part."
        ) from error
    if count == 0:
        raise IdentityError("the video has no frames", where=str(path), mend="Export it again.")


def _sampling(container: object, stream: object) -> float:
    """Seconds between two frames to take; 0 takes every frame."""
    length = getattr(stream, "duration", None)
    base = getattr(stream, "time_base", None)
    seconds = float(length * base) if length and base else float(getattr(container, "duration", None) or 0) / 1e6
    rate = float(getattr(stream, "average_rate", None) or 24)
    return seconds / VIDEO_FRAMES if seconds * rate > VIDEO_FRAMES else 0.0


def _upright(frame: object) -> NDArray[np.uint8]:
    import av

    assert isinstance(frame, av.VideoFrame)
    share, turns = min(1.0, LONGEST / max(frame.width, frame.height)), round(frame.rotation / 90) % 4
    if share < 1:
        frame = frame.reformat(width=round(frame.width * share), height=round(frame.height * share))
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, k=turns))
