"""The front end: log-mel features of a clip in NumPy, the same as NeMo's ``FilterbankFeatures`` without loading NeMo.

Source of every step and default: nemo_toolkit 3.0.0, ``collections/asr/parts/preprocessing/features.py`` and
``AudioToMelSpectrogramPreprocessor``.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.layout import real, whole
from quartzlens.errors import CheckpointError

_SAMPLE_RATE_HZ = 16_000
_CHUNK_FRAMES = 512  # a chunk's spectra stay in a core's own cache
_SMALLEST_DEVIATION = 1e-5
_GUARD = 2.0**-24
# Settings with one meaning here: what else they could say belongs to training, or to networks that are not read.
_FIXED: dict[str, tuple[Any, ...]] = {
    "frame_splicing": (1,),
    "exact_pad": (False,),
    "log": (True,),
    "normalize": ("per_feature", "all_features"),
    "mag_power": (1.0, 2.0),
    "log_zero_guard_type": ("add", "clamp"),
    "window": ("hann", "hamming", "blackman", "bartlett"),
    "mel_norm": ("slaney",),
}
_MOST_PADDING = 4096
_LANES = 8  # of the vectors in which torch adds


@dataclass(frozen=True, slots=True, eq=False)
class FrontEnd:
    """Log-mel features with the settings of one checkpoint.

    Attributes
    ----------
    window
        (w,) float32, w at most ``n_fft``.
    filterbank
        (m, n_fft // 2 + 1) float32 weights of the m mel filters.
    n_fft, hop
        Length of a transform and distance between two, in audio steps at 16 kHz.
    pre_emphasis
        None for none.
    power
        Exponent of the magnitude: 2 for the power spectrum.
    guard, guard_adds
        What keeps the logarithm finite, and whether it is added (else the least value).
    per_feature
        Whether each filter is normalised alone (else all together).
    pad_to
        The checkpoint's own front end lengthens its output to a multiple of this many frames.
    """

    window: NDArray[np.float32]
    filterbank: NDArray[np.float32]
    n_fft: int
    hop: int
    pre_emphasis: float | None
    power: float
    guard: float
    guard_adds: bool
    per_feature: bool
    pad_to: int

    def features(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised log-mel features (m, t) float32 of one clip, (n,) float32 at 16 kHz: t = n // hop valid frames.

        The same bits every time for the same clip.
        """
        import scipy.sparse

        frames = self._frames(np.asarray(audio, np.float32))
        filters = scipy.sparse.csr_array(self.filterbank)  # no BLAS, whose threads would take the encoder's cores
        mel = np.empty((len(self.filterbank), len(frames)), np.float32)
        for start in range(0, len(frames), _CHUNK_FRAMES):
            chunk = slice(start, start + _CHUNK_FRAMES)
            mel[:, chunk] = filters @ self._spectra(frames[chunk]).T
        if self.guard_adds:
            mel += np.float32(self.guard)
        else:
            np.maximum(mel, np.float32(self.guard), out=mel)
        np.log(mel, out=mel)
        return _normalised(mel, axis=1 if self.per_feature else None)

    def padded_frames(self, n_samples: int) -> int:
        """Frames that the checkpoint's own front end gives for a clip, with those that only pad.

        >>> front_end(json.dumps({})).padded_frames(960_000)
        6016
        """
        frames = n_samples // self.hop + 1
        return math.ceil(frames / self.pad_to) * self.pad_to if self.pad_to else frames

    def _frames(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Stretches (t, w) under the window, a view: frame i is centred on ``i * hop``, zeros beyond both ends."""
        if self.pre_emphasis is not None:
            audio = np.concatenate([audio[:1], audio[1:] - np.float32(self.pre_emphasis) * audio[:-1]])
        before = self.n_fft // 2 - (self.n_fft - len(self.window)) // 2
        padded = np.concatenate([np.zeros(before, np.float32), audio, np.zeros(self.n_fft, np.float32)])
        return np.lib.stride_tricks.sliding_window_view(padded, len(self.window))[:: self.hop][: len(audio) // self.hop]

    def _spectra(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Magnitude spectra (t, n_fft // 2 + 1) to the ``power``."""
        import scipy.fft

        spectra = scipy.fft.rfft(frames * self.window, self.n_fft, axis=1)
        squares = spectra.real * spectra.real + spectra.imag * spectra.imag
        return np.asarray(squares if self.power == 2 else np.sqrt(squares), np.float32)


def front_end(
    settings: str, window: NDArray[np.float32] | None = None, filterbank: NDArray[np.float32] | None = None
) -> FrontEnd:
    """Front end from a checkpoint's settings (JSON, ``Checkpoint.front_end``), with its own window and filters if any.

    Raises
    ------
    CheckpointError
        Settings that only NeMo's own front end knows, or that cannot be.
    """
    given = json.loads(settings)
    for name, known in _FIXED.items():
        if given.get(name, known[0]) not in known:
            known_text = " or ".join(repr(one) for one in known)
            raise CheckpointError(
                f"The front end's {name} is {given[name]!r:.60}, and this engine knows {known_text}: "
                "use --engine reference."
            )
    n_window, hop = _length(given, "window_size", 0.02), _length(given, "window_stride", 0.01)
    n_fft = int(given.get("n_fft") or 2 ** math.ceil(math.log2(n_window)))
    n_mels = int(given.get("features") or 64)
    low_hz, top_hz = _band(given)
    if window is None:
        window = _window(given.get("window", "hann"), n_window)
    if filterbank is None:
        filterbank = mel_filterbank(n_mels, n_fft, low_hz, top_hz)
    if window.shape != (n_window,) or filterbank.shape != (n_mels, n_fft // 2 + 1) or n_window > n_fft:
        raise CheckpointError(
            f"The front end's window {window.shape} or filters {filterbank.shape} are not those of its settings."
        )
    plain = "preemph" in given and given["preemph"] is None
    return FrontEnd(
        window=np.asarray(window, np.float32),
        filterbank=np.asarray(filterbank, np.float32),
        n_fft=n_fft,
        hop=hop,
        pre_emphasis=None if plain else real(given, "preemph", 0.97, 0, 1),
        power=float(given.get("mag_power", 2.0)),
        guard=_guard(given.get("log_zero_guard_value", _GUARD)),
        guard_adds=given.get("log_zero_guard_type", "add") == "add",
        per_feature=given.get("normalize", "per_feature") == "per_feature",
        pad_to=_pad_to(given.get("pad_to", 16)),
    )


def mel_filterbank(n_mels: int, n_fft: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Triangular mel filters (m, n_fft // 2 + 1) float32, each of unit area, on Slaney's scale at 16 kHz.

    Source: M. Slaney, Auditory Toolbox (1998), as in librosa's ``filters.mel(htk=False, norm="slaney")``.
    """
    lowest, highest = _hz_to_mel(np.array([low_hz, high_hz]))
    edges = _mel_to_hz(np.linspace(lowest, highest, n_mels + 2))
    bins = np.fft.rfftfreq(n_fft, 1 / _SAMPLE_RATE_HZ)
    widths = np.diff(edges)
    slopes = edges[:, None] - bins[None]
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)


# Slaney's scale: linear to 1 kHz (3 mel in 200 Hz), above it logarithmic (27 mel from 1 to 6.4 kHz).
_LINEAR_HZ_PER_MEL = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz >= _BREAK_HZ, above, hz / _LINEAR_HZ_PER_MEL)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel >= _BREAK_MEL, above, mel * _LINEAR_HZ_PER_MEL)


def _length(settings: dict[str, Any], name: str, default_seconds: float) -> int:
    """A length in audio steps, given in steps (``n_window_size``) or in seconds (``window_size``)."""
    steps = settings.get(f"n_{name}") or int((settings.get(name) or default_seconds) * _SAMPLE_RATE_HZ)
    if not 1 <= steps <= _SAMPLE_RATE_HZ:
        raise CheckpointError(f"The front end's {name} of {steps} steps is not a length between one and a second.")
    return int(steps)


def _band(settings: dict[str, Any]) -> tuple[float, float]:
    """Least and greatest frequency of the mel filters in Hz."""
    nyquist_hz = _SAMPLE_RATE_HZ / 2
    given = {name: settings.get(name) or default for name, default in (("lowfreq", 0.0), ("highfreq", nyquist_hz))}
    low_hz, high_hz = (real(given, name, None, 0, nyquist_hz) for name in given)
    if low_hz >= high_hz:
        raise CheckpointError(f"The front end's lowfreq of {low_hz:g} Hz is not under its highfreq of {high_hz:g} Hz.")
    return low_hz, high_hz


def _guard(value: float | str) -> float:
    """The guard of the logarithm; NeMo takes two names for limits of float32."""
    named = {"tiny": float(np.finfo(np.float32).tiny), "eps": float(np.finfo(np.float32).eps)}
    try:
        guard = named[value] if isinstance(value, str) and value in named else float(value)
    except (TypeError, ValueError):
        guard = 0.0
    if not 0 < guard < math.inf:
        raise CheckpointError(f"The front end's log_zero_guard_value is {value!r:.60}, not a number over 0.")
    return guard


def _pad_to(value: object) -> int:
    """Frames to pad to a multiple of; ``max`` (a fixed length, for training) and null count as none."""
    return 0 if value in ("max", None) else whole({"pad_to": value}, "pad_to", None, 0, _MOST_PADDING)


def _window(name: str, length: int) -> NDArray[np.float32]:
    """A symmetric window, as torch's with ``periodic=False``."""
    makers = {"hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman, "bartlett": np.bartlett}
    return np.asarray(makers[name](length), np.float32)


def _normalised(mel: NDArray[np.float32], axis: int | None) -> NDArray[np.float32]:
    """Features less their mean, over their standard deviation (n - 1) + 1e-5, along ``axis`` or over all.

    A band above a recording's own bandwidth is constant but for its last bit, and what is left of it is the rounding of
    its mean: one that is more exact than NeMo's takes the fragments of such a clip to a cosine of 0.9998 (measured).
    """
    if axis is None:
        mean = mel.mean(keepdims=True, dtype=np.float64).astype(np.float32)
    else:
        mean = _sums(np.pad(mel, ((0, 0), (0, 1))))[:, None] / np.float32(mel.shape[1])  # NeMo has a masked frame more
    mel -= mean
    count = mel.size if axis is None else mel.shape[axis]
    squares = np.square(mel).sum(axis=axis, keepdims=True, dtype=np.float64)
    deviation = np.sqrt(squares / max(1, count - 1)) + _SMALLEST_DEVIATION
    mel /= deviation.astype(np.float32)
    return mel


def _sums(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums (m,) of rows (m, t) in float32, added in the order of torch on x86 processors: the same bits.

    Source: ``vectorized_inner_sum`` in ATen's ``native/cpu/SumKernel.cpp``.
    """
    vectors = rows[:, : rows.shape[1] // _LANES * _LANES].reshape(len(rows), -1, _LANES).swapaxes(0, 1)
    n_whole = len(vectors) // 4 * 4
    ways = _cascade(vectors[:n_whole].reshape(-1, 4, len(rows), _LANES))
    for vector in vectors[n_whole:]:
        ways[0] += vector
    lanes = ways[0] + ways[1] + ways[2] + ways[3]
    total = np.zeros(len(rows), np.float32)
    for column in (*rows[:, len(vectors) * _LANES :].T, *lanes.T):
        total += column
    return total


def _cascade(parts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum over the first axis, with four levels of partial sums, each of which is passed on when it is full."""
    power = max(4, (max(1, len(parts)) - 1).bit_length() // 4)
    levels = np.zeros((4, *parts.shape[1:]), np.float32)
    for count, part in enumerate(parts, 1):
        levels[0] += part
        for level in range(1, 4):
            if count % (1 << level * power):
                break
            levels[level] += levels[level - 1]
            levels[level - 1] = 0
    return np.asarray(levels[0] + levels[1] + levels[2] + levels[3])
