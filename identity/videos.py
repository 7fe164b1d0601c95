"""Frames of a video: its shots are found first, then a bounded number of frames is taken from them.

The file is decoded twice, in a stream: once small, to find the shots and to know that the file is whole before anything is
made of it, and once to take the frames. So neither memory nor the number of frames grows with its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from identity.cuts import WIDTH, Cuts
from identity.errors import IdentityError

if TYPE_CHECKING:
    import av

VIDEO_FRAMES = 240
"""At most so many frames are taken from one video: 8 a second of a 30-second one."""
CLASSIC = (2.0, 30.0)
"""Seconds that a reference video usually lasts."""


class Taken(NamedTuple):
    """A frame of a video: pixels (H, W, 3) uint8 RGB upright, number, seconds from the first frame, and shot, from 0."""

    pixels: NDArray[np.uint8]
    number: int
    seconds: float
    shot: int


@dataclass(frozen=True)
class Survey:
    """What a video holds: `moments` (n,) of its frames, seconds from the first; shots as frame numbers (first, one past
    the last); `seconds` it lasts, and the `stated` ones that the file speaks of (0: it does not say)."""

    moments: NDArray[np.float64]
    shots: Sequence[tuple[int, int]]
    seconds: float
    stated: float

    @property
    def doubts(self) -> list[str]:
        """What somebody should know of a video of this length."""
        told = []
        if self.seconds < 0.9 * self.stated:
            told.append(f"it should last {self.stated:.1f} s but ends after {self.seconds:.1f} s: it may be cut short")
        elif self.seconds < CLASSIC[0]:
            told.append(f"it lasts only {self.seconds:.1f} s; 2 to 30 s show somebody from more sides")
        if self.seconds > CLASSIC[1] and len(self.moments) > VIDEO_FRAMES:
            count = f"{len(self.shots)} shots" if len(self.shots) > 1 else "one shot"
            told.append(f"it lasts {self.seconds:.0f} s: {VIDEO_FRAMES} frames at most were taken, spread over {count}")
        return told


def read_video(path: Path, longest: int, notes: list[str]) -> Iterator[Taken]:
    """At most VIDEO_FRAMES frames of a video, in order, scaled down to `longest` pixels. Doubts are added to `notes`.

    Raises IdentityError, naming the file, for one that is corrupt, cut short, or without pictures.
    """
    found = survey(path)
    notes += [f"{path}: {doubt}" for doubt in found.doubts]
    wanted = chosen(found)
    shot = 0
    with _opened(path) as container:
        for index, frame in enumerate(container.decode(container.streams.video[0])):
            if index in wanted:
                while index >= found.shots[shot][1]:
                    shot += 1
                yield Taken(_upright(frame, longest), index, round(float(found.moments[index]), 3), shot)


def survey(path: Path) -> Survey:
    """Go through a whole video once. Raises IdentityError as `read_video`."""
    moments: list[float] = []
    with _opened(path) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or stream.guessed_rate or 24)
        cuts, last = Cuts(rate), 1 / rate
        size: tuple[int, int] | None = None
        for frame in container.decode(stream):
            # A stream may change its size on the way; the comparison must not.
            size = size or _fitted(frame.width, frame.height, WIDTH)
            moments.append(float(frame.time) if frame.time is not None else len(moments) / rate)
            cuts.show(np.asarray(frame.to_ndarray(format="bgr24", width=size[0], height=size[1]), np.uint8))
            last = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 1 / rate
        stated = _stated(container, stream, rate)
    if not moments:
        raise IdentityError("the video has no frames", where=str(path), mend="Export it again.")
    places = np.maximum.accumulate(np.array(moments)) - moments[0]
    return Survey(places, cuts.shots, float(places[-1]) + last, stated)


def chosen(found: Survey, count: int = VIDEO_FRAMES) -> set[int]:
    """The numbers of at most `count` frames: all shots have their share of them, evenly in time within each.

    A share follows a shot's length; in videos longer than CLASSIC the root of it, for a shot twice as long shows less than
    twice as much that is new. Shares are rounded by the rule of Sainte-Lague, and every shot has one frame while that is
    possible; of more shots than frames the longest are taken.
    """
    shots = sorted(found.shots, key=lambda shot: (shot[0] - shot[1], shot[0]))[:count]
    lengths = np.array([end - first for first, end in shots])
    weight = lengths.astype(np.float64) if found.seconds <= CLASSIC[1] else np.sqrt(lengths)
    share = np.ones(len(shots), np.int64)
    for _ in range(min(count, int(lengths.sum())) - len(shots)):
        share[np.argmax(np.where(share < lengths, weight / (2 * share + 1), -1))] += 1
    numbers: set[int] = set()
    for (first, end), some in zip(shots, share, strict=True):
        if some == end - first:
            numbers.update(range(first, end))
            continue
        start, stop = found.moments[first], found.moments[end - 1]
        # From the middles of equal parts, so that no frame lies at a cut, where shots may blend.
        due = start + (np.arange(some) + 0.5) / some * (stop - start)
        after = np.clip(np.searchsorted(found.moments[first:end], due) + first, first + 1, end - 1)
        nearer = due - found.moments[after - 1] < found.moments[after] - due
        numbers.update((after - nearer).tolist())
    return numbers


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise IdentityError("the file holds no picture", where=str(path), mend="Give a video with pictures.")
            container.streams.video[0].thread_type = "AUTO"
            yield container
    except PermissionError as error:
        raise IdentityError("the file must not be read", where=str(path), mend="Change its rights.") from error
    except av.FFmpegError as error:
        raise IdentityError(
            "the video is corrupt or cut short", where=str(path), mend="Export it again, or cut off the broken part."
        ) from error


def _stated(container: Any, stream: Any, rate: float) -> float:
    if stream.duration and stream.time_base:
        length = float(stream.duration * stream.time_base)
    else:  # a container's length is that of its longest stream, which may be the sound
        length = float(container.duration or 0) / 1e6 if len(container.streams) == 1 else 0.0
    return max(length, stream.frames / rate if container.format.name == "avi" else 0.0)


def _fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    share = min(1.0, longest / max(width, height))
    return max(2, round(width * share)), max(2, round(height * share))


def _upright(frame: av.VideoFrame, longest: int) -> NDArray[np.uint8]:
    width, height = _fitted(frame.width, frame.height, longest)
    pixels = np.asarray(frame.to_ndarray(format="rgb24", width=width, height=height), np.uint8)
    return np.ascontiguousarray(np.rot90(pixels, k=round(frame.rotation / 90) % 4))
