"""A sound under a finished film: the picture is copied as it is, the sound is AAC, and both end together."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np

from assemble.errors import AssembleError, WriteError
from assemble.sound.waves import RATE, Wave, framed, read_sound

BITS = 256_000
"""Bits a second of the AAC: transparent for stereo in FFmpeg's own encoder."""
BLOCK = 1024  # samples of an AAC frame


def add_sound(picture: str | Path, sound: Wave, film: str | Path) -> None:
    """Put `sound` under the film at `picture`, and write both to `film` (which may be the same file).

    The sound is cut or filled with silence to the length of the picture, to the sample. Raises AssembleError when the picture
    is no film, WriteError when the disk fails; then nothing of it is left, and an older file of the name stays.
    """
    picture, film = Path(picture), Path(film)
    part = film.with_name(f".{film.name}.{os.getpid()}.part")
    try:
        with av.open(str(picture)) as source:
            if not source.streams.video:
                raise AssembleError("there is no picture in this file", where=str(picture), mend="Give a video file.")
            video = source.streams.video[0]
            with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as target:
                target.metadata.update(source.metadata)
                copied = target.add_stream_from_template(video)
                heard = target.add_stream("aac", rate=RATE, layout="stereo")
                heard.bit_rate = BITS
                seconds = Fraction(0)
                track = _Track(sound)
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    base = packet.time_base
                    seconds = max(seconds, (packet.pts + (packet.duration or 0)) * base)
                    packet.stream = copied
                    target.mux(packet)
                    for frame in track.until(packet.dts * base):  # side by side, so that a player need not seek
                        target.mux(heard.encode(frame))
                for frame in track.rest(round(seconds * RATE)):
                    target.mux(heard.encode(frame))
                target.mux(heard.encode(None))
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(part, film)
    except (av.FFmpegError, OSError) as error:
        raise WriteError.of(error, "the film's sound", film) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def through_aac(sound: Wave) -> Wave:
    """The sound as a listener of the film gets it: encoded and decoded."""
    packed = BytesIO()
    with av.open(packed, "w", format="mp4") as target:
        stream = target.add_stream("aac", rate=RATE, layout="stereo")
        stream.bit_rate = BITS
        track = _Track(sound)
        for frame in track.rest(len(sound)):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    packed.seek(0)
    return read_sound(packed)[: len(sound)]


class _Track:
    """Hands out the sound in the encoder's frames."""

    def __init__(self, sound: Wave) -> None:
        self.sound, self.at = sound, 0

    def until(self, seconds: Fraction) -> list[av.AudioFrame]:
        """Whole frames of what is heard before a moment; none when the sound is over."""
        return self._frames(min(int(seconds * RATE), len(self.sound)) // BLOCK * BLOCK)

    def rest(self, samples: int) -> list[av.AudioFrame]:
        """All that is left up to so many samples, silence where the sound is too short; the last frame may be short."""
        self.sound = np.pad(self.sound[:samples], ((0, max(0, samples - len(self.sound))), (0, 0)))
        return self._frames(samples)

    def _frames(self, end: int) -> list[av.AudioFrame]:
        made = []
        while self.at < end:
            piece = self.sound[self.at : min(self.at + BLOCK, end)]
            made.append(framed(piece, self.at))
            self.at += len(piece)
        return made
