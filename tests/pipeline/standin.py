"""A deterministic stand-in for the encoder, quick, and other for other sounds: for tests of what is around it."""

import itertools
import time
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from pipeline.pooling import fragment_edges
from quartzlens.records import Embedded, Fingerprint

DIMENSION = 16


class StandInEncoder:
    """Spectral energies in 16 bands, 50 steps a second; ``delay_seconds`` makes it as slow as a test needs."""

    def __init__(self, delay_seconds: float = 0.0, clip_seconds: float = 60.0) -> None:
        self._delay_seconds = delay_seconds
        self._thread = ThreadPoolExecutor(1, "stand-in")
        self.in_flight = 2
        self.clip_gflop = 0.1
        self.fingerprint = Fingerprint(
            "5" * 64, "{}", 0.0, clip_seconds, "mean", "f32", DIMENSION, checkpoint_name="stand-in"
        )

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """The same later, from a thread of its own."""
        return self._thread.submit(self.encode, audio)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def encode(self, audio: NDArray[np.float32]) -> Embedded:
        """Embeddings of one clip."""
        time.sleep(self._delay_seconds)
        frames = np.lib.stride_tricks.sliding_window_view(audio, 320)[::320]
        spectra = np.abs(np.fft.rfft(frames, axis=1))[:, 1:]
        bands = [band.mean(axis=1) for band in np.array_split(spectra, DIMENSION, axis=1)]
        steps = np.log1p(np.stack(bands, axis=1)).astype(np.float32)
        edges = fragment_edges(len(steps), 0.02)
        fragments = np.stack([steps[begin:end].mean(axis=0) for begin, end in itertools.pairwise(edges)])
        bounds = np.stack([edges[:-1], edges[1:]], axis=1).astype(np.float32) * 0.02
        return Embedded(self.fingerprint, steps.mean(axis=0), fragments, bounds)
