"""From a media file to the sound that the encoder hears: 16 kHz mono float32, the same bits every time.

Seconds count from the first sample of the sound itself: where a container starts its sound later than its picture, the
gap is left out, so that a fragment's seconds are those of the kept audio file.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from pipeline.container import Refusal, open_media, refusal_of_file
from pipeline.mixing import Mixer
from quartzlens.figures import percent
from quartzlens.outcomes import Outcome

__all__ = ["SAMPLE_RATE_HZ", "Decoded", "Refusal", "Sound", "decodable_seconds", "decode", "read_sound"]

SAMPLE_RATE_HZ = 16_000
MIN_SECONDS = 1.0
SILENCE_DBFS = -80.0
FLOOR_DBFS = -200.0
_SEEK_FROM_SECONDS = 120.0
_SEEK_MARGIN_SECONDS = 5.0
_EDGE_SECONDS = 0.01
_ROUNDING_SECONDS = 0.001
_MAX_SOURCE_SECONDS = 1e7
_MAX_DEMUX_ERRORS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """The sound of a stretch of a file at any rate: ``audio`` (n,) float32 mono, and what the container says of it.

    ``refused`` counts packets that the decoder could not use, ``not_numbers`` is the share of samples that were NaN or
    infinite and became 0.
    """

    audio: NDArray[np.float32]
    source_seconds: float | None
    codec: str
    sample_rate_hz: int
    refused: int
    not_numbers: float


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What the encoder gets of one video.

    ``audio`` (n,) float32 at 16 kHz mono, n at most ``round(clip_seconds * 16000)``; ``sample_rate_hz`` and ``codec``
    are the source's, ``source_seconds`` the length that its container states (None: none). ``loudness_dbfs`` is the RMS
    level after removing the mean, at least -200; ``silent`` where it is below -80. ``intact`` where every packet on the
    way could be decoded.
    """

    audio: NDArray[np.float32]
    source_seconds: float | None
    codec: str
    sample_rate_hz: int
    loudness_dbfs: float
    silent: bool
    intact: bool


def decode(path: Path, start_seconds: float, clip_seconds: float) -> Decoded | Refusal:
    """Decode a stretch of a file's first sound track; whatever the file is, the answer is a value.

    Parameters
    ----------
    path
        A local file from anybody: playlists, scripts, devices and links out of their folder are refused unopened.
    start_seconds, clip_seconds
        The stretch; it ends earlier where the sound does.

    Returns
    -------
    Decoded or Refusal
        A refusal's outcome is missing_file, refused_file, undecodable, no_audio, too_short, or failed (not readable).
    """
    refusal = refusal_of_file(path)
    if refusal:
        return refusal
    try:
        sound = read_sound(path, start_seconds, clip_seconds, SAMPLE_RATE_HZ)
    except MemoryError:
        return Refusal(Outcome.UNDECODABLE, "decoding needs more memory than the limit")
    except (av.FFmpegError, ValueError) as error:
        return Refusal(Outcome.UNDECODABLE, _words(error))
    if sound is None:
        return Refusal(Outcome.NO_AUDIO, "the media has no sound track")
    return _judged(sound, start_seconds)


def _judged(sound: Sound, start_seconds: float) -> Decoded | Refusal:
    """The sound as the encoder gets it, or why it is too little."""
    seconds = len(sound.audio) / SAMPLE_RATE_HZ
    if sound.not_numbers > 0.5:
        return Refusal(Outcome.UNDECODABLE, f"{percent(sound.not_numbers)} of the samples are not numbers")
    if seconds < MIN_SECONDS - _ROUNDING_SECONDS:
        where = f" after the first {start_seconds:g} s" if start_seconds else ""
        if sound.refused:
            return Refusal(Outcome.UNDECODABLE, f"{seconds:.2f} s decoded{where}, {sound.refused} damaged packets")
        return Refusal(Outcome.TOO_SHORT, f"{seconds:.2f} s of sound{where}, at least {MIN_SECONDS:g} s are needed")
    level = loudness_dbfs(sound.audio)
    silent = level < SILENCE_DBFS
    intact = not sound.refused
    return Decoded(sound.audio, sound.source_seconds, sound.codec, sound.sample_rate_hz, level, silent, intact)


def loudness_dbfs(audio: NDArray[np.float32]) -> float:
    """RMS level of audio (n,) at 16 kHz after removing its mean, in dB relative to 1.0, at least -200.

    The first and last 10 ms do not count: resampling rings there, which would make a constant voltage audible.

    >>> round(loudness_dbfs(np.tile(np.float32([0.5, -0.5]), 16000)), 2)
    -6.02
    """
    edge = round(_EDGE_SECONDS * SAMPLE_RATE_HZ)
    inner = audio[edge:-edge].astype(np.float64) if len(audio) > 4 * edge else audio.astype(np.float64)
    power = float(np.var(inner)) if len(inner) else 0.0
    return max(FLOOR_DBFS, 10 * math.log10(power)) if power > 0 else FLOOR_DBFS


def read_sound(path: Path, start_seconds: float, clip_seconds: float, rate_hz: int) -> Sound | None:
    """Decode, mix and resample a stretch of the first sound track of a file that was let pass; None where it has none.

    Packets that cannot be decoded are passed over. One thread, so that the same file gives the same bits.

    Raises
    ------
    av.FFmpegError, ValueError
        The container cannot be opened, or nothing of its sound can be decoded.
    """
    wanted = round(clip_seconds * rate_hz)
    for seek in (True, False) if start_seconds >= _SEEK_FROM_SECONDS else (False,):
        with open_media(path) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            position = _sought(container, stream, start_seconds) if seek else 0.0
            if position is not None:
                mixer = Mixer(rate_hz, round((start_seconds - position) * rate_hz), wanted, _compressed(stream))
                return _mixed(container, stream, mixer)
    return None


def decodable_seconds(path: Path) -> float | None:
    """Seconds of sound that come out of a file's first sound track; None where there is none or a packet is damaged."""
    with open_media(path) as container:
        if not container.streams.audio:
            return None
        frames = _Frames(container, container.streams.audio[0])
        seconds = sum(frame.samples / max(1, frame.sample_rate) for frame in frames)
        return None if frames.refused else seconds


def _compressed(stream: AudioStream) -> bool:
    return not stream.codec_context.name.startswith("pcm_")


def _mixed(container: InputContainer, stream: AudioStream, mixer: Mixer) -> Sound:
    """Decode from where the container stands until the mixer is full."""
    frames = _Frames(container, stream)
    for frame in frames:
        try:
            mixer.add(frame)
        except ValueError as error:
            frames.refuse(error)
        if mixer.full:
            break
    audio = mixer.finish()
    if mixer.first_rate_hz is None and frames.error is not None:
        raise frames.error
    return Sound(
        audio=audio,
        source_seconds=_source_seconds(container, stream),
        codec=stream.codec_context.codec.canonical_name,
        sample_rate_hz=mixer.first_rate_hz or stream.codec_context.sample_rate,
        refused=frames.refused,
        not_numbers=mixer.not_numbers,
    )


class _Frames:
    """The frames that can be decoded of a stream; counts what could not be, and keeps the first error."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self.refused = 0
        self.error: av.FFmpegError | ValueError | None = None

    def __iter__(self) -> Iterator[AudioFrame]:
        for _ in range(_MAX_DEMUX_ERRORS):
            try:
                for packet in self._container.demux(self._stream):
                    yield from self._decoded(packet)
            except (av.FFmpegError, ValueError) as error:  # FFmpeg may go on behind the damage
                self.refuse(error)
            else:
                return

    def refuse(self, error: av.FFmpegError | ValueError) -> None:
        """Count what could not be used; running out of memory is not the packet's fault and goes on up."""
        if isinstance(error, MemoryError):
            raise error
        self.refused += 1
        self.error = self.error or error

    def _decoded(self, packet: "Packet[AudioStream]") -> list[AudioFrame]:
        try:
            return [frame for frame in packet.decode() if frame.samples]
        except (av.FFmpegError, ValueError) as error:
            self.refuse(error)
            return []


def _sought(container: InputContainer, stream: AudioStream, start_seconds: float) -> float | None:
    """Go to a little before a distant start: the seconds of sound passed over, or None where it cannot be known.

    Tells by the time stamps of the first frame of the sound and of the first after the jump.
    """
    first = next(iter(_Frames(container, stream)), None)
    if first is None or first.time is None or stream.time_base is None:
        return None
    target = first.time + start_seconds - _SEEK_MARGIN_SECONDS
    try:
        container.seek(round(target / stream.time_base), stream=stream)
        landed = next(iter(_Frames(container, stream)), None)
        if landed is None or landed.time is None or not 0 <= landed.time - first.time <= start_seconds:
            return None
        position = landed.time - first.time + landed.samples / landed.sample_rate
    except av.FFmpegError:
        return None
    return position if position <= start_seconds else None


def _source_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """Length that the container states, else the sound track; None where neither does or the number is absurd."""
    if container.duration is not None:
        seconds = container.duration / av.time_base
    elif stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        return None
    return seconds if 0 < seconds < _MAX_SOURCE_SECONDS else None


def _words(error: BaseException) -> str:
    """What FFmpeg says, without the path, which is the video's own."""
    return f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
