"""A small picture of a video, for lists: one frame that shows something, or a cover."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.container import open_media

WIDTH_PIXELS = 160
_MAX_HEIGHT_PIXELS = 480
_MAX_PIXELS = 64_000_000
_MAX_PICTURE_PIXELS = 16_000_000
_PICTURES = {b"\xff\xd8\xff": "jpeg_pipe", b"\x89PNG\r\n\x1a\n": "png_pipe"}
_BLACK_LUMA = 24
_TRIED_FRAMES = 50
_MAX_DAMAGED = 100


def write_thumbnail(path: Path, target: Path, at_seconds: float) -> bool:
    """Write a JPEG, 160 pixels wide, of the first frame at or after a time that is not black.

    Where a file is shorter, or all frames tried are black, the brightest frame seen is taken; where the picture is a
    cover, the cover.

    Returns
    -------
    bool
        Whether there was a picture.

    Raises
    ------
    av.FFmpegError, ValueError
        The picture cannot be decoded or written.
    """
    with open_media(path) as container:
        stream = next((stream for stream in container.streams.video if _sane(stream)), None)
        if stream is None:
            return False
        stream.codec_context.thread_count = 1
        frame = _frame(container, stream, at_seconds)
    if frame is None:
        return False
    _write_jpeg(frame, target)
    return True


def write_picture(path: Path, target: Path) -> bool:
    """Write a JPEG, 160 pixels wide, of a picture that a site sent: JPEG, PNG or WebP by its first bytes, or nothing.

    Returns
    -------
    bool
        Whether it was one of those.

    Raises
    ------
    av.FFmpegError, ValueError
        It cannot be decoded or written, or has too many pixels.
    """
    with path.open("rb") as file:
        demuxer = _demuxer(file.read(12))
    if demuxer is None:
        return False
    limited: Any = {"max_pixels": str(_MAX_PICTURE_PIXELS)}
    options = {"format_whitelist": demuxer, "protocol_whitelist": "file"}
    with av.open(str(path), format=demuxer, options=options, stream_options=[limited]) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = limited
        stream.codec_context.thread_count = 1
        frame = next(_decoded(container, stream), None)
    if frame is None:
        return False
    _write_jpeg(frame, target)
    return True


def _demuxer(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return "webp_pipe"
    return next((name for mark, name in _PICTURES.items() if head.startswith(mark)), None)


def _sane(stream: VideoStream) -> bool:
    return stream.codec_context is not None and 0 < stream.width * stream.height <= _MAX_PIXELS


def _frame(container: InputContainer, stream: VideoStream, at_seconds: float) -> VideoFrame | None:
    """The frame to show: the first bright enough after the time, else the brightest of those tried."""
    duration = (container.duration or 0) / av.time_base
    begin = (container.start_time or 0) / av.time_base
    if duration > 0:
        container.seek(round((begin + min(at_seconds, duration / 10)) * av.time_base))
    best, best_light = None, -1.0
    for frame in islice(_decoded(container, stream), _TRIED_FRAMES):
        light = float(np.mean(frame.reformat(width=32, height=32, format="gray").to_ndarray()))
        if light > best_light:
            best, best_light = frame, light
        if light > _BLACK_LUMA:
            break
    return best


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Frames that can be decoded, until too many packets could not."""
    damaged = 0
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            damaged += 1
            if damaged > _MAX_DAMAGED:
                return


def _write_jpeg(frame: VideoFrame, target: Path) -> None:
    height = max(2, min(_MAX_HEIGHT_PIXELS, round(WIDTH_PIXELS * frame.height / frame.width / 2) * 2))
    with av.open(str(target), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PIXELS, height, "yuvj420p"
        small = frame.reformat(width=WIDTH_PIXELS, height=height, format="yuvj420p")
        small.pts = 0
        container.mux(stream.encode(small))
        container.mux(stream.encode(None))
