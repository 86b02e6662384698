"""Files as people have them, made of generated sound: with a picture and without, in the usual containers."""

from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks.models import SAMPLE_RATE_HZ, clips

_RATE_HZ = 48_000
_FRAME_SAMPLES = 960
_PICTURES_A_SECOND = 5
_SIZE = (180, 320)
_KINDS = {"mp4": "aac", "m4a": "aac", "opus": "libopus", "mp3": "libmp3lame"}


def media_files(folder: Path, count: int, seconds: float) -> list[Path]:
    """``count`` files of so many seconds, every fourth of a kind; those that are there are taken as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = list(_KINDS)
    wanted = [folder / f"{number:04}-{seconds:.0f}s.{kinds[number % len(kinds)]}" for number in range(count)]
    if missing := [path for path in wanted if not path.is_file()]:
        sounds = clips(len(kinds), seconds)
        for number, path in enumerate(missing):
            partial = path.with_name(f"partial{path.suffix}")
            _write(partial, np.roll(sounds[number % len(sounds)], 100 * number))
            partial.replace(path)
    return wanted


def _write(path: Path, sound: NDArray[np.float32]) -> None:
    """One file of 16 kHz sound, raised to the rate that videos have."""
    loud = np.clip(np.repeat(sound, _RATE_HZ // SAMPLE_RATE_HZ), -1, 1)
    with av.open(str(path), "w") as target:
        picture = _picture(target) if path.suffix == ".mp4" else None
        stream = target.add_stream(_KINDS[path.suffix[1:]], rate=_RATE_HZ, layout="mono")
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{path.suffix} has no sound")
        if picture is not None:
            for number in range(len(sound) * _PICTURES_A_SECOND // SAMPLE_RATE_HZ):
                image = np.full((*_SIZE, 3), number % 256, np.uint8)
                target.mux(picture.encode(VideoFrame.from_ndarray(image, format="rgb24")))
            target.mux(picture.encode(None))
        for begin in range(0, len(loud), _FRAME_SAMPLES):
            part = loud[None, begin : begin + _FRAME_SAMPLES].copy()
            frame = AudioFrame.from_ndarray(part, format="flt", layout="mono")
            frame.sample_rate, frame.pts = _RATE_HZ, begin
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def _picture(target: OutputContainer) -> VideoStream:
    stream = target.add_stream("mpeg4", rate=_PICTURES_A_SECOND)
    stream.height, stream.width = _SIZE
    stream.pix_fmt = "yuv420p"
    return stream
