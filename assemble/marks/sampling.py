"""What of a stranger's file is looked at: frames spread over it and the beginning of its sound, within bounds of time and memory.

It decodes luma alone and leaps through long files, which is why it does not go through `assemble.media`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from assemble.errors import AssembleError

FRAMES = 240
SPOTS, SPAN = 24, 10
"""Of a long file: how many places, and frames at each."""
SHORT = 45.0
"""Seconds up to which a file is decoded from end to end."""
DEADLINE = 60.0
"""Seconds after which whatever was seen is enough."""
LARGEST = 1 << 27
"""Pixels of a frame beyond which a file is refused, 16384 x 8192."""
SOUND = 180
"""Seconds of sound that are heard."""
RATE = 48_000

Luma = npt.NDArray[np.uint8]


def luma(path: Path) -> Iterator[Luma]:
    """Up to FRAMES frames (height, width) uint8, upright. A broken file gives what can be had of it.

    Raises AssembleError when there is no picture to be had at all.
    """
    until = time.monotonic() + DEADLINE
    count = 0
    with _opened(path) as container:
        if not container.streams.video:
            raise AssembleError("there is no picture in this file", where=str(path), mend="Give a video file.")
        stream = container.streams.video[0]
        if stream.codec_context.width * stream.codec_context.height > LARGEST:
            raise AssembleError("its pictures are larger than any film's", where=str(path))
        stream.thread_type = "AUTO"
        with suppress(av.FFmpegError, ValueError, MemoryError):  # what can be had was had
            for picture in _frames(container, stream):
                yield picture
                count += 1
                if count >= FRAMES or time.monotonic() > until:
                    break
    if count == 0:
        raise AssembleError(
            "the file is broken or not a video",
            where=str(path),
            mend="Play it in a player; if it stops, export it anew.",
        )


def sound(path: Path) -> npt.NDArray[np.float32] | None:
    """The beginning of the sound, (samples, channels) float32 at 48 kHz; None where there is none that can be decoded."""
    until = time.monotonic() + DEADLINE
    pieces, length = [], 0
    with _opened(path) as container, suppress(av.FFmpegError, ValueError, MemoryError):
        if not container.streams.audio:
            return None
        to = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        for frame in container.decode(container.streams.audio[0]):
            for piece in to.resample(frame):
                pieces.append(piece.to_ndarray().T)
                length += len(pieces[-1])
            if length > SOUND * RATE or time.monotonic() > until:
                break
    return np.concatenate(pieces).astype(np.float32) if pieces else None


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except FileNotFoundError:
        raise AssembleError("there is no such file", where=str(path), mend="Check the path.") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        broken = isinstance(error, av.error.InvalidDataError | ValueError)
        what = "the file is broken or not a video" if broken else str(getattr(error, "strerror", error))
        raise AssembleError(what, where=str(path), mend="Give a video file.") from None


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[Luma]:
    length = (container.duration or 0) / 1e6
    if length <= SHORT:
        total = stream.frames or round(length * float(stream.average_rate or 25))
        step = max(1, -(-total // FRAMES))
        for number, frame in enumerate(container.decode(stream)):
            if number % step == 0:
                yield _upright(frame)
        return
    for spot in range(SPOTS):
        with suppress(av.FFmpegError):
            container.seek(int(length * (spot + 0.5) / SPOTS * 1e6))
            for number, frame in enumerate(container.decode(stream)):
                yield _upright(frame)
                if number + 1 >= SPAN:
                    break


def _upright(frame: av.VideoFrame) -> Luma:
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="gray"), round(frame.rotation / 90)))
