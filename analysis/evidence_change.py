"""Where the sound of one video changes: the cut that parts its fragments best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 32
LEAST_FRAGMENTS = 2
"""What must lie on both sides of a cut."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Change:
    """The cut of a video that parts its fragments best.

    Attributes
    ----------
    at_seconds
        Where the later part begins.
    strength
        How far the parts are from each other, as variance between them over that within them, times the fragments less
        two (the F statistic of the best cut, which grows with chance, too: compare it with that of other videos).
    """

    at_seconds: float
    strength: float


def widest_directions(matrix: Floats) -> Floats:
    """The widest directions of fragments (f, d), each divided by its width: (d, p), up to ``DIRECTIONS`` of them.

    Few directions of a ReLU's outputs hold most of the variance; made equally wide, they all have a say.
    """
    if not len(matrix):
        return np.zeros((matrix.shape[1], 0), dtype=np.float32)
    wide = matrix.astype(np.float64)
    wide -= wide.mean(axis=0)
    values, vectors = np.linalg.eigh(wide.T @ wide / len(wide))
    values, vectors = values[-DIRECTIONS:], vectors[:, -DIRECTIONS:]
    there = values > 1e-9 * max(float(values[-1]), float(np.finfo(np.float32).tiny))
    turn: Floats = (vectors[:, there] / np.sqrt(values[there])).astype(np.float32)
    return turn


def best_cut(fragments: Floats, starts: NDArray[np.float32], directions: Floats) -> Change | None:
    """Find the cut of one video's fragments (f, d), in order of time, that parts them best.

    Parameters
    ----------
    starts
        (f,) seconds at which they begin.

    Returns
    -------
    Change or None
        None with fewer than four fragments, or where nothing changes at all.
    """
    n = len(fragments)
    points = (fragments @ directions).astype(np.float64)
    points -= points.mean(axis=0) if n else 0.0
    whole = float((points**2).sum())
    if n < 2 * LEAST_FRAGMENTS or whole <= 0.0:
        return None
    cuts = np.arange(LEAST_FRAGMENTS, n - LEAST_FRAGMENTS + 1)
    sums = np.cumsum(points, axis=0)[cuts - 1]  # of the later part it is the negative, as all are about their mean
    between = (sums**2).sum(axis=1) * n / (cuts * (n - cuts))
    best = int(between.argmax())
    within = max(whole - float(between[best]), 1e-9 * whole)
    return Change(float(starts[cuts[best]]), (n - 2) * float(between[best]) / within)
