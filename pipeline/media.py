"""What a collection keeps of a video: the stretch of sound that was heard, for a browser, and a small picture."""

import errno
import logging
import math
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from pipeline.container import open_media
from pipeline.decode import decodable_seconds, read_sound
from pipeline.identity import is_safe_id
from pipeline.thumbnail import write_picture, write_thumbnail
from pipeline.whole import whole_file

_LOG = logging.getLogger(__name__)
# Codecs that browsers play, and the suffix and muxer of what they are copied into.
_COPIED = {
    "aac": ("m4a", "ipod"),
    "mp3": ("mp3", "mp3"),
    "opus": ("ogg", "ogg"),
    "vorbis": ("ogg", "ogg"),
    "flac": ("flac", "flac"),
}
OPUS_RATE_HZ = 48_000
_OPUS_BITS_PER_SECOND = 64_000
_OPUS_OPTIONS = {"compression_level": "3"}
_FRAME_SAMPLES = 960
_COPY_TOLERANCE_SECONDS = 0.5
_OVERHANG_SECONDS = 0.9


def keep_media(
    path: Path,
    folder: Path,
    video_id: str,
    start_seconds: float,
    clip_seconds: float,
    heard_seconds: float | None = None,
    *,
    keep_audio: bool = True,
    site_picture: Path | None = None,
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
    heard_seconds
        How much ``decode`` made of it, where all of it was intact: a copy of the same packets from the start of the
        file then need not be decoded to know that it can be. None: not known.
    keep_audio
        Whether the sound is wanted, or the picture alone.
    site_picture
        What the video's site sent as its picture, taken where the file itself has none.

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
    stretch = (start_seconds, clip_seconds)
    sound = None
    if keep_audio:
        sound = _attempt(lambda: _copied(path, folder, video_id, stretch, None if start_seconds else heard_seconds))
        sound = sound or _attempt(lambda: _encoded(path, folder, video_id, stretch))
    at_seconds = start_seconds + clip_seconds / 10
    picture = _attempt(lambda: _pictured(folder, video_id, lambda jpeg: write_thumbnail(path, jpeg, at_seconds)))
    if picture is None and site_picture is not None:
        picture = _attempt(lambda: _pictured(folder, video_id, lambda jpeg: write_picture(site_picture, jpeg)))
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


def _copied(
    path: Path, folder: Path, video_id: str, stretch: tuple[float, float], heard_seconds: float | None
) -> str | None:
    """Copy the packets of the stretch; None where the codec is none for browsers or the copy is not what was heard."""
    with open_media(path) as source:
        stream = source.streams.audio[0]
        suffix, muxer = _COPIED.get(stream.codec_context.codec.canonical_name, (None, None))
        if suffix is None or muxer is None:
            return None
        name = f"{video_id}.{suffix}"
        with whole_file(folder, name) as partial:
            with av.open(str(partial), "w", format=muxer) as target:
                copied = _copy_packets(source, stream, target, *stretch)
            known = heard_seconds is not None and _near(heard_seconds, min(copied.seconds, stretch[1]))
            if not (known and _reads_back(partial, stream, copied)):
                _check_copy(partial, copied.seconds)
        return name


@dataclass(frozen=True, slots=True)
class _Copied:
    """The seconds that copied packets span, and a checksum of what is in them."""

    seconds: float
    checksum: int


def _copy_packets(
    source: InputContainer, stream: AudioStream, target: OutputContainer, start_seconds: float, clip_seconds: float
) -> _Copied:
    """Copy the packets from a start, counted from the first packet, until the clip is full."""
    copy = target.add_stream_from_template(stream)
    copy.metadata.clear()
    first = start = last = None
    checksum = 0
    for packet in source.demux(stream):
        pts, base = packet.pts, packet.time_base
        if pts is None or base is None or packet.is_corrupt:
            continue
        time = pts * base.numerator / base.denominator
        first = time if first is None else first
        if time - first < start_seconds:
            continue
        start = pts if start is None else start
        if time - first >= start_seconds + clip_seconds:
            break
        last = (pts - start + (packet.duration or 0)) * base.numerator / base.denominator
        if last > clip_seconds + _OVERHANG_SECONDS:
            raise ValueError("the codec's blocks are too long to be cut at the end of the clip")
        checksum = zlib.crc32(packet, checksum)
        packet.pts = packet.dts = pts - start
        packet.stream = copy
        target.mux(packet)
    if last is None:
        raise ValueError("no packets in the stretch")
    return _Copied(last, checksum)


def _reads_back(partial: Path, stream: AudioStream, copied: _Copied) -> bool:
    """Whether a decoder gets of a copy what it got of the source: the same set-up, the same packets, without gaps."""
    with open_media(partial) as container:
        copy = container.streams.audio[0]
        ours, theirs = copy.codec_context, stream.codec_context
        if (ours.codec.canonical_name, ours.extradata) != (theirs.codec.canonical_name, theirs.extradata):
            return False
        checksum, before, end = 0, -math.inf, 0.0
        for packet in container.demux(copy):
            pts, base = packet.pts, packet.time_base
            if pts is None or base is None:
                continue
            checksum = zlib.crc32(packet, checksum)
            time = pts * base.numerator / base.denominator
            if packet.is_corrupt or time < before:
                return False
            before, end = time, time + (packet.duration or 0) * base.numerator / base.denominator
        return checksum == copied.checksum and _near(end, copied.seconds)


def _check_copy(partial: Path, seconds: float) -> None:
    """Read a copy back: ValueError where a player would stop early, stumble or lose its place."""
    heard = decodable_seconds(partial)
    if heard is None or not _near(heard, seconds):
        raise ValueError(f"the copy has {heard or 0:.2f} s of {seconds:.2f} s")


def _near(seconds: float, wanted: float) -> bool:
    return abs(seconds - wanted) <= _COPY_TOLERANCE_SECONDS


def _encoded(path: Path, folder: Path, video_id: str, stretch: tuple[float, float]) -> str | None:
    """Encode the stretch, mixed to mono as it was heard, as Opus in Ogg."""
    sound = read_sound(path, *stretch, OPUS_RATE_HZ)
    if sound is None or not len(sound.audio):
        return None
    name = f"{video_id}.ogg"
    with whole_file(folder, name) as partial, av.open(str(partial), "w", format="ogg") as target:
        write_opus(target, sound.audio, _OPUS_BITS_PER_SECOND)
    return name


def write_opus(target: OutputContainer, audio: NDArray[np.float32], bits_per_second: int) -> None:
    """Encode audio (n,) at ``OPUS_RATE_HZ`` as Opus into an open container."""
    stream = target.add_stream("libopus", rate=OPUS_RATE_HZ, layout="mono", options=dict(_OPUS_OPTIONS))
    stream.bit_rate = bits_per_second
    for frame in _frames(np.clip(audio, -1, 1)):
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


def _frames(audio: NDArray[np.float32]) -> Iterator[AudioFrame]:
    """Audio (n,) in frames of the length that Opus takes."""
    for begin in range(0, len(audio), _FRAME_SAMPLES):
        frame = AudioFrame.from_ndarray(audio[None, begin : begin + _FRAME_SAMPLES].copy(), format="flt", layout="mono")
        frame.sample_rate = OPUS_RATE_HZ
        frame.pts = begin
        yield frame


def _pictured(folder: Path, video_id: str, write: Callable[[Path], bool]) -> str | None:
    name = f"{video_id}.jpg"
    with whole_file(folder, name) as partial:
        if write(partial):
            return name
        partial.touch()
    (folder / name).unlink()
    return None
