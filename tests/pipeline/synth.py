"""Media made for tests by PyAV: any codec and container, tones and pictures, nothing from outside."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def names(folder: Path) -> list[str]:
    """Names of all that is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def tone(seconds: float, rate_hz: int, pitch_hz: float = 440.0, level: float = 0.3) -> NDArray[np.float32]:
    """A sine (n,) float32."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32)


def write_media(
    path: Path,
    channels: Sequence[NDArray[np.float32]],
    rate_hz: int,
    codec: str,
    picture: str | None = None,
    title: str | None = None,
) -> Path:
    """Write channels (each (n,) float32) with a codec into the container that the suffix names.

    ``picture`` adds a video track at 5 frames a second: "white", or "black" for a first half that is black.
    """
    with av.open(str(path), "w") as target:
        if title is not None:
            target.metadata["title"] = title
        sound = target.add_stream(codec, rate=rate_hz, layout=LAYOUTS[len(channels)])
        if codec == "wmav2":
            sound.bit_rate = 128_000  # it has no default
        view = target.add_stream("mpeg4", rate=5) if picture else None
        if view is not None:
            view.width, view.height, view.pix_fmt = 320, 180, "yuv420p"
            for index in range(round(5 * len(channels[0]) / rate_hz)):
                dark = picture == "black" and index < 2.5 * len(channels[0]) / rate_hz
                pixels = np.full((180, 320, 3), 0 if dark else 220, np.uint8)
                target.mux(view.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))
            target.mux(view.encode(None))
        audio = np.stack(channels)
        for begin in range(0, audio.shape[1], 1024):
            block = np.ascontiguousarray(audio[:, begin : begin + 1024])
            frame = AudioFrame.from_ndarray(block, format="fltp", layout=LAYOUTS[len(channels)])
            frame.sample_rate, frame.pts = rate_hz, begin
            target.mux(sound.encode(frame))
        target.mux(sound.encode(None))
    return path
