"""From sound to a small video: AAC and H.264 in mp4, or Opus and VP9 in webm, with a simple moving picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from recipes.demo.plan import VideoPlan
from recipes.demo.synth import SAMPLE_RATE_HZ

WIDTH, HEIGHT, FRAMES_PER_SECOND = 160, 90, 5
AUDIO_BIT_RATES = {"mp4": 20_000, "webm": 16_000}
# libopus' speech mode blows up now and then on pure tones (peaks of 3 were seen); "lowdelay" never enters that mode.
_AUDIO = {"mp4": ("aac", {}), "webm": ("libopus", {"application": "lowdelay", "vbr": "on"})}
# x264's macroblock tree rounds differently from run to run, even with one thread: without it, the same bytes come out.
_PICTURE = {
    "mp4": ("libx264", {"crf": "36", "preset": "slow", "g": "300", "threads": "1", "x264-params": "mbtree=0"}),
    "webm": ("libvpx-vp9", {"crf": "50", "b": "0", "cpu-used": "4", "deadline": "good", "g": "300", "threads": "1"}),
}
_MUXER = {"mp4": {"movflags": "+faststart", "fflags": "+bitexact"}, "webm": {"fflags": "+bitexact"}}


def write_video(path: Path, plan: VideoPlan, sound: NDArray[np.float32]) -> None:
    """Write one video; the container follows the file's suffix.

    Parameters
    ----------
    path : Path
        Where to write, ending in `.mp4` or `.webm`.
    plan : VideoPlan
        Gives the picture's colours and movement, and the title that is written into the file.
    sound : numpy.ndarray
        (n,) float32 mono at 16 kHz.
    """
    kind = path.suffix[1:]
    with av.open(str(path), "w", options=_MUXER[kind]) as output:
        output.metadata["title"] = plan.title
        picture_codec, picture_options = _PICTURE[kind]
        picture = cast("av.VideoStream", output.add_stream(picture_codec, FRAMES_PER_SECOND, picture_options))
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.codec_context.thread_count = 1
        audio_codec, audio_options = _AUDIO[kind]
        audio = cast("av.AudioStream", output.add_stream(audio_codec, SAMPLE_RATE_HZ, audio_options, layout="mono"))
        audio.bit_rate = AUDIO_BIT_RATES[kind]
        _interleave(output, picture, audio, plan, sound)


def _interleave(
    output: av.container.OutputContainer,
    picture: av.VideoStream,
    audio: av.AudioStream,
    plan: VideoPlan,
    sound: NDArray[np.float32],
) -> None:
    """Encode second by second, so that sound and picture lie side by side in the file."""
    resampler = av.AudioResampler(format=audio.codec_context.format, layout="mono", rate=SAMPLE_RATE_HZ)
    n_frames = int(np.ceil(len(sound) / SAMPLE_RATE_HZ * FRAMES_PER_SECOND))
    for index in range(n_frames):
        frame = av.VideoFrame.from_ndarray(draw_picture(plan, index), format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_SECOND)
        output.mux(picture.encode(frame))
        start = index * SAMPLE_RATE_HZ // FRAMES_PER_SECOND
        for piece in resampler.resample(_audio_frame(sound, start)):
            output.mux(audio.encode(piece))
    output.mux(picture.encode(None))
    output.mux(audio.encode(None))


def _audio_frame(sound: NDArray[np.float32], start: int) -> av.AudioFrame:
    part = np.ascontiguousarray(sound[start : start + SAMPLE_RATE_HZ // FRAMES_PER_SECOND])[np.newaxis]
    frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
    return frame


def draw_picture(plan: VideoPlan, index: int) -> NDArray[np.uint8]:
    """Draw one frame, (90, 160, 3) uint8: a figure in one colour of the channel that wanders over the other."""
    rng = np.random.default_rng([*plan.seed, 1])
    paces, phases, size = rng.uniform(0.02, 0.06, 2), rng.uniform(0.0, 6.28, 2), rng.uniform(12.0, 24.0)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    across = columns - (WIDTH / 2 + 50.0 * np.sin(phases[0] + paces[0] * index))
    down = rows - (HEIGHT / 2 + 22.0 * np.cos(phases[1] + paces[1] * index))
    distance = (np.hypot(across, down), np.maximum(np.abs(across), np.abs(down)), np.abs(across) + 0.7 * np.abs(down))
    cover = np.clip(size - distance[plan.channel.figure], 0.0, 1.0)[..., np.newaxis]
    ground = np.array(plan.channel.colours[0]) * (0.35 + 0.45 * rows / HEIGHT)[..., np.newaxis]
    return np.asarray(ground * (1.0 - cover) + np.array(plan.channel.colours[1]) * cover, dtype=np.uint8)
