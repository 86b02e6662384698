"""About how long an ingest will take, said before it starts."""

import time

import numpy as np

_MATRIX = 1024
_FILE_SECONDS = 0.2
_START_SECONDS = 5.0


def seconds_expected(
    clip_gflop: float, share_of_peak: float, n_videos: int, n_links: int, pause_seconds: float
) -> float:
    """Upper estimate of an ingest's length in seconds, for clips of full length.

    The encoder's work is divided by the share that it reaches of this machine's matrix-multiply rate, which is measured
    in a few milliseconds; decoding takes 0.2 s of a core a video, and every link waits for its pause.
    """
    if not n_videos:
        return 0.0
    encode = clip_gflop / (share_of_peak * _gflops())
    return _START_SECONDS + n_videos * (encode + _FILE_SECONDS) + n_links * pause_seconds


def _gflops() -> float:
    matrix = np.ones((_MATRIX, _MATRIX), np.float32)
    matrix @ matrix
    began = time.perf_counter()
    matrix @ matrix
    return 2e-9 * _MATRIX**3 / max(time.perf_counter() - began, 1e-6)
