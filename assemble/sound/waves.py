"""Sound files: any kind in, 48 kHz stereo WAV out."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from assemble.errors import AssembleError, WriteError

Wave = npt.NDArray[np.float32]
"""(samples, 2) float32 at RATE, full scale 1.0."""

RATE = 48_000
LONGEST = 3600 * RATE
"""Samples of the longest sound that is read: an hour in memory is 1.4 GB, and no line or bed needs more."""


def read_sound(path: str | Path | BinaryIO) -> Wave:
    """A sound file, or the sound of a film, as 48 kHz stereo; surround is folded down as FFmpeg folds it.

    Raises AssembleError when there is no such file, no sound in it, or it is broken or longer than an hour.
    """
    pieces: list[Wave] = []
    try:
        with av.open(str(path) if isinstance(path, Path) else path, "r") as container:
            if not container.streams.audio:
                raise AssembleError("there is no sound in this file", where=str(path), mend="Give a WAV file.")
            stereo = AudioResampler("flt", "stereo", RATE)
            length = 0
            for frame in container.decode(container.streams.audio[0]):
                frame.pts = None  # a stray time stamp must not tear the sound apart
                pieces += [packed(each) for each in stereo.resample(frame)]
                length += len(pieces[-1]) if pieces else 0
                if length > LONGEST:
                    raise AssembleError("this sound is longer than an hour", where=str(path), mend="Cut it.")
            pieces += [packed(each) for each in stereo.resample(None)]
    except FileNotFoundError:
        raise AssembleError("there is no such file", where=str(path), mend="Check the path.") from None
    except (av.FFmpegError, OSError) as error:
        raise AssembleError(
            "the file is broken or holds no sound",
            where=str(path),
            mend="Play it in a player; if it stops, export it anew.",
        ) from error
    sound = np.concatenate(pieces) if pieces else np.zeros((0, 2), np.float32)
    return np.nan_to_num(sound, posinf=0, neginf=0)


def packed(frame: AudioFrame) -> Wave:
    """A frame of interleaved float stereo as (samples, 2)."""
    return np.ascontiguousarray(frame.to_ndarray(), np.float32).reshape(-1, 2)


def framed(sound: Wave, start: int = 0) -> AudioFrame:
    """Sound as a frame that FFmpeg takes; `start` is its first sample's number."""
    frame = AudioFrame.from_ndarray(
        np.ascontiguousarray(sound, np.float32).reshape(1, -1), format="flt", layout="stereo"
    )
    frame.sample_rate, frame.pts = RATE, start
    return frame


def write_wav(sound: Wave, path: str | Path) -> None:
    """Write sound as a 24-bit WAV. Raises WriteError when the disk fails; no half file is left."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    whole = np.clip(np.round(sound.astype(np.float64) * 8_388_608), -8_388_608, 8_388_607).astype("<i4")
    try:
        with part.open("wb") as stream:
            with wave.open(stream) as file:
                file.setnchannels(2)
                file.setsampwidth(3)
                file.setframerate(RATE)
                file.writeframes(whole.reshape(-1, 1).view(np.uint8)[:, :3].tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        raise WriteError.of(error, "the sound", path) from error
    finally:
        part.unlink(missing_ok=True)
