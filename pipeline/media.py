"""What a collection keeps of a video: the stretch of sound that was heard, for a browser, and a small picture."""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from pipeline.container import open_media
from pipeline.decode import read_sound
from pipeline.identity import is_safe_id
from pipeline.thumbnail import write_thumbnail

_LOG = logging.getLogger(__name__)
# Codecs that browsers play, and the suffix and muxer of what they are copied into.
_COPIED = {
    "aac": ("m4a", "ipod"),
    "mp3": ("mp3", "mp3"),
    "opus": ("ogg", "ogg"),
    "vorbis": ("ogg", "ogg"),
    "flac": ("flac", "flac"),
}
_OPUS_RATE_HZ = 48_000
_OPUS_BITS_PER_SECOND = 64_000
_FRAME_SAMPLES = 960
_COPY_TOLERANCE_SECONDS = 0.5
_OVERHANG_SECONDS = 0.9


def keep_media(
    path: Path, folder: Path, video_id: str, start_seconds: float, clip_seconds: float
) -> tuple[str | None, str | None]:
    """Write a stretch of a decodable file's sound, and a picture of it, into a folder.

    The sound is copied without loss where a browser plays its codec and all of it can be read back, else encoded as
    Opus. Nothing of the original's metadata is copied. Files appear whole under their names, or not at all.

    Parameters
    ----------
    path
        A file that ``decode`` accepted.
    folder
        Where to write; must exist.
    video_id
        Becomes the file names: ``ID.m4a`` (or mp3, ogg, flac) and ``ID.jpg``.
    start_seconds, clip_seconds
        The stretch, as given to ``decode``.

    Returns
    -------
    tuple of str or None
        Names of the sound and of the picture in ``folder``; None for what could not be made or is not there.

    Raises
    ------
    OSError
        The disk is full (errno ENOSPC or EDQUOT). Nothing else fails a video for the sake of its media.
    """
    if not is_safe_id(video_id):
        raise ValueError(f"{video_id!r} cannot be part of a file name")
    sound = _attempt(lambda: _copied(path, folder, video_id, start_seconds, clip_seconds))
    sound = sound or _attempt(lambda: _encoded(path, folder, video_id, start_seconds, clip_seconds))
    picture = _attempt(lambda: _pictured(path, folder, video_id, start_seconds + clip_seconds / 10))
    return sound, picture


def _attempt(make: Callable[[], str | None]) -> str | None:
    """What ``make`` gives, None where it fails for any reason but a full disk."""
    try:
        return make()
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OSError(error.errno, os.strerror(error.errno)) from error
        _LOG.debug("media not kept: %s", error)
        return None


@contextmanager
def _whole(folder: Path, name: str) -> Iterator[Path]:
    """A path to write to; at the end it becomes ``folder/name``, durable and whole, or vanishes with an exception."""
    partial = folder / f".{name}.partial"  # the next try takes over what a killed one left
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(folder / name)
    finally:
        partial.unlink(missing_ok=True)


def _copied(path: Path, folder: Path, video_id: str, start_seconds: float, clip_seconds: float) -> str | None:
    """Copy the packets of the stretch; None where the codec is none for browsers or the copy is not what was heard."""
    with open_media(path) as source:
        stream = source.streams.audio[0]
        suffix, muxer = _COPIED.get(stream.codec_context.codec.canonical_name, (None, None))
        if suffix is None or muxer is None:
            return None
        name = f"{video_id}.{suffix}"
        with _whole(folder, name) as partial:
            with av.open(str(partial), "w", format=muxer) as target:
                seconds = _copy_packets(source, stream, target, start_seconds, clip_seconds)
            _check_copy(partial, seconds)
        return name


def _copy_packets(
    source: InputContainer, stream: AudioStream, target: OutputContainer, start_seconds: float, clip_seconds: float
) -> float:
    """Copy the packets from a start, counted from the first packet, until the clip is full; the seconds they span."""
    copy = target.add_stream_from_template(stream)
    copy.metadata.clear()
    first = start = last = None
    for packet in source.demux(stream):
        if packet.pts is None or packet.time_base is None or packet.is_corrupt:
            continue
        time = float(packet.pts * packet.time_base)
        first = time if first is None else first
        if time - first < start_seconds:
            continue
        start = packet.pts if start is None else start
        if time - first >= start_seconds + clip_seconds:
            break
        last = float((packet.pts - start + (packet.duration or 0)) * packet.time_base)
        if last > clip_seconds + _OVERHANG_SECONDS:
            raise ValueError("the codec's blocks are too long to be cut at the end of the clip")
        packet.pts, packet.dts = packet.pts - start, packet.pts - start
        packet.stream = copy
        target.mux(packet)
    if last is None:
        raise ValueError("no packets in the stretch")
    return last


def _check_copy(partial: Path, seconds: float) -> None:
    """Read a copy back: ValueError where a player would stop early, stumble or lose its place."""
    sound = read_sound(partial, 0.0, seconds + 1.0, 8_000)
    heard = 0.0 if sound is None else len(sound.audio) / 8_000
    if sound is None or sound.refused or abs(heard - seconds) > _COPY_TOLERANCE_SECONDS:
        raise ValueError(f"the copy has {heard:.2f} s of {seconds:.2f} s")


def _encoded(path: Path, folder: Path, video_id: str, start_seconds: float, clip_seconds: float) -> str | None:
    """Encode the stretch, mixed to mono as it was heard, as Opus in Ogg."""
    sound = read_sound(path, start_seconds, clip_seconds, _OPUS_RATE_HZ)
    if sound is None or not len(sound.audio):
        return None
    name = f"{video_id}.ogg"
    with _whole(folder, name) as partial, av.open(str(partial), "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=_OPUS_RATE_HZ, layout="mono")
        stream.bit_rate = _OPUS_BITS_PER_SECOND
        for frame in _frames(np.clip(sound.audio, -1, 1)):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return name


def _frames(audio: NDArray[np.float32]) -> Iterator[AudioFrame]:
    """Audio (n,) in frames of the length that Opus takes."""
    for begin in range(0, len(audio), _FRAME_SAMPLES):
        frame = AudioFrame.from_ndarray(audio[None, begin : begin + _FRAME_SAMPLES].copy(), format="flt", layout="mono")
        frame.sample_rate = _OPUS_RATE_HZ
        frame.pts = begin
        yield frame


def _pictured(path: Path, folder: Path, video_id: str, at_seconds: float) -> str | None:
    name = f"{video_id}.jpg"
    with _whole(folder, name) as partial:
        if write_thumbnail(path, partial, at_seconds):
            return name
        partial.touch()
    (folder / name).unlink()
    return None
