"""Frames of any rate, format and number of channels to one track of mono sound at one rate."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

_RATES_HZ = range(1_000, 768_001)
_KINDS: dict[str, type[np.number[Any]]] = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "flt": np.float32,
    "dbl": np.float64,
}
_MAX_CHANNELS = 8
_MAX_AMPLITUDE = 1e6
_MAX_DECODED_AMPLITUDE = 4.0
_ACTIVE_SHARE = 1e-6
_CANCELLED_SHARE = 0.1
_BATCH_SAMPLES = 32_768


@dataclass(slots=True, eq=False)
class _Segment:
    """A stretch of sound of one rate and number of channels: a resampler for each channel, and chunks (channels, n)."""

    rate_hz: int
    channels: int
    resamplers: list[AudioResampler]
    chunks: list[NDArray[np.float32]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Batch:
    """Frames of one kind that wait to be worked on together: per frame, NumPy and FFmpeg cost more than the sound."""

    kind: tuple[str, int, int]
    waiting: AudioFifo = field(default_factory=AudioFifo)
    lengths: list[int] = field(default_factory=list)
    n_samples: int = 0

    def add(self, frame: AudioFrame) -> None:
        """Take a frame of the batch's kind."""
        frame.pts = None  # or the queue would insist on there being no gaps
        self.waiting.write(frame)
        self.lengths.append(frame.samples)
        self.n_samples += frame.samples


class Mixer:
    """Takes decoded frames in order, gives mono sound: ``skip`` samples passed over, then at most ``wanted`` kept.

    Channels are resampled apart and mixed afterwards, a segment at a time: only then is it known whether they cancel
    each other. A change of rate or channels in mid-file begins a new segment with resamplers of its own. At most 8
    channels are heard (7.1), which bounds the memory: 60 s at 16 kHz are 31 MB at most.

    Parameters
    ----------
    rate_hz
        Rate of the result.
    skip, wanted
        Numbers of samples at that rate.
    compressed
        Whether the frames come from a codec that computes them: there a peak of 4 (12 dB over full scale) is damage,
        and its frame becomes silence. Uncompressed float samples may have any scale.
    """

    def __init__(self, rate_hz: int, skip: int, wanted: int, compressed: bool = False) -> None:
        self._compressed = compressed
        self._rate_hz = rate_hz
        self._skip = skip
        self._wanted = wanted
        self._segments: list[_Segment] = []
        self._batch: _Batch | None = None
        self._heard = 0
        self._not_numbers = 0

    @property
    def full(self) -> bool:
        """Whether as much is kept as was wanted."""
        return self._wanted <= 0

    @property
    def first_rate_hz(self) -> int | None:
        """Rate of the first frame; None before there was one."""
        return self._segments[0].rate_hz if self._segments else None

    @property
    def not_numbers(self) -> float:
        """Share of the samples so far that were NaN or infinite."""
        return self._not_numbers / max(1, self._heard)

    def add(self, frame: AudioFrame) -> None:
        """Take the next frame.

        Raises
        ------
        ValueError
            The frame is of no use: no samples' rate from 1 to 768 kHz, or an unknown sample format.
        """
        kind = _kind(frame)
        if self._batch is None or self._batch.kind != kind:
            self._work_off()
            self._batch = _Batch(kind)
        self._batch.add(frame)
        # What could fill the mixer is worked on at once: nothing is decoded beyond the frame that does.
        needed = (self._skip + self._wanted) * frame.sample_rate // self._rate_hz
        if self._batch.n_samples >= min(_BATCH_SAMPLES, needed):
            self._work_off()

    def _work_off(self) -> None:
        """Resample what waits, in the segment that it belongs to."""
        batch, self._batch = self._batch, None
        frame = batch.waiting.read() if batch else None
        if batch is None or frame is None:
            return
        samples = self._cleaned(_planes(frame)[:_MAX_CHANNELS], batch.lengths)
        segment = self._segments[-1] if self._segments else None
        if segment is None or (segment.rate_hz, segment.channels) != (frame.sample_rate, len(samples)):
            self._flush()
            segment = self._new_segment(frame.sample_rate, len(samples))
        pairs = zip(segment.resamplers, samples, strict=True)
        self._keep(segment, [_resampled(tool, row, segment.rate_hz) for tool, row in pairs])

    def finish(self) -> NDArray[np.float32]:
        """The mixed sound (n,) float32; the mixer is spent."""
        self._work_off()
        self._flush()
        tracks = [mix(np.concatenate(segment.chunks, axis=1)) for segment in self._segments if segment.chunks]
        return np.concatenate(tracks) if tracks else np.zeros(0, np.float32)

    def _new_segment(self, rate_hz: int, channels: int) -> _Segment:
        tools = [AudioResampler(format="flt", layout="mono", rate=self._rate_hz) for _ in range(channels)]
        self._segments.append(_Segment(rate_hz, channels, tools))
        return self._segments[-1]

    def _cleaned(self, samples: NDArray[Any], lengths: list[int]) -> NDArray[np.float32]:
        """Samples as float32 with 1.0 at full scale; what is no number becomes 0 before a filter can spread it."""
        self._heard += samples.size
        if samples.dtype.kind == "u":
            return (samples.astype(np.float32) - np.float32(128)) / np.float32(128)
        if samples.dtype.kind == "i":
            return samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
        limit = _MAX_DECODED_AMPLITUDE if self._compressed else _MAX_AMPLITUDE
        if max(samples.max(initial=0), -samples.min(initial=0)) <= limit:  # never so where there is a NaN
            return np.asarray(samples, np.float32)
        finite = np.isfinite(samples)
        self._not_numbers += int(samples.size - np.count_nonzero(finite))
        samples = np.where(finite, samples, 0)
        if self._compressed:
            _silence_damaged(samples, lengths)
        limited: NDArray[np.float32] = np.clip(samples, -_MAX_AMPLITUDE, _MAX_AMPLITUDE).astype(np.float32)
        return limited

    def _flush(self) -> None:
        if self._segments and not self.full:
            segment = self._segments[-1]
            self._keep(segment, [_resampled(tool, None, segment.rate_hz) for tool in segment.resamplers])

    def _keep(self, segment: _Segment, rows: list[NDArray[np.float32]]) -> None:
        chunk = np.stack(rows)
        passed = min(self._skip, chunk.shape[1])
        self._skip -= passed
        chunk = chunk[:, passed : passed + max(0, self._wanted)]
        self._wanted -= chunk.shape[1]
        if chunk.shape[1]:
            segment.chunks.append(chunk)


def mix(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix channels (c, n) float32 to mono (n,) without losing sound.

    The mean of the channels that carry anything (power above -60 dB of the loudest: speech in the centre alone keeps
    its level). Their sum has as much power as all of them together when they are unrelated, more when they agree. Where
    it has less than a tenth, they cancel each other (one is the other's opposite), and the loudest channel is taken.

    >>> mix(np.float32([[1, -1], [-1, 1]]))
    array([ 1., -1.], dtype=float32)
    """
    mixed: NDArray[np.float32] = channels[0]
    if len(channels) == 1:
        return mixed
    power = np.array([_power(channel) for channel in channels])
    active = channels[power > power.max() * _ACTIVE_SHARE] if power.max() > 0 else channels
    total = active.sum(axis=0, dtype=np.float64)
    if _power(total) < _CANCELLED_SHARE * power.sum():
        mixed = channels[int(power.argmax())]
    else:
        mixed = (total / len(active)).astype(np.float32)
    return mixed


def _power(track: NDArray[Any]) -> float:
    """Variance of a track (n,) in float64."""
    centred = track - track.mean(dtype=np.float64)
    return float(centred @ centred) / max(1, len(track))


def _kind(frame: AudioFrame) -> tuple[str, int, int]:
    """What frames must have in common to be worked on together: format, rate and number of channels.

    Raises
    ------
    ValueError
        The rate or the format is none that can be used.
    """
    kind = frame.format.name, frame.sample_rate, frame.layout.nb_channels
    if kind[0].removesuffix("p") not in _KINDS:
        raise ValueError(f"samples in the format {kind[0]!r}")
    if kind[1] not in _RATES_HZ:
        raise ValueError(f"a sampling rate of {kind[1]} Hz")
    return kind


def _silence_damaged(samples: NDArray[Any], lengths: list[int]) -> None:
    """Set to 0 what lies in a frame, one of ``lengths``, with a peak that no codec computes from sound."""
    end = 0
    for length in lengths:
        begin, end = end, end + length
        if np.abs(samples[:, begin:end]).max(initial=0) > _MAX_DECODED_AMPLITUDE:
            samples[:, begin:end] = 0


def _planes(frame: AudioFrame) -> NDArray[Any]:
    """Samples of a frame in their own type, (channels, n).

    PyAV's ``to_ndarray`` counts one plane too many from 8 channels on, and reads what is not there.
    """
    channels = frame.layout.nb_channels
    dtype = _KINDS[frame.format.name.removesuffix("p")]
    planes: tuple[Any, ...] = frame.planes  # buffers, which their type does not say
    if frame.format.is_planar:
        return np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes[:channels]])
    return np.frombuffer(planes[0], dtype, frame.samples * channels).reshape(-1, channels).T


def _resampled(tool: AudioResampler, samples: NDArray[np.float32] | None, rate_hz: int) -> NDArray[np.float32]:
    """What comes out of a resampler for samples (n,); None takes out what it still holds."""
    frame = None
    if samples is not None:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="flt", layout="mono")
        frame.sample_rate = rate_hz
    parts = [part.to_ndarray()[0] for part in tool.resample(frame)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
