"""From the encoder's steps to embeddings: the mean over a clip and over each of its 5 s fragments."""

import numpy as np
from numpy.typing import NDArray

FRAGMENT_SECONDS = 5.0
SHORTEST_TAIL_SECONDS = 1.0


def fragment_edges(n_steps: int, step_seconds: float) -> NDArray[np.int64]:
    """Step numbers where fragments begin and the last one ends: (f + 1,) int64 from 0 to ``n_steps``.

    Fragments are 5 s long; a tail under 1 s joins the fragment before it.

    >>> fragment_edges(520, 0.02).tolist()
    [0, 250, 520]
    >>> fragment_edges(600, 0.02).tolist()
    [0, 250, 500, 600]
    >>> fragment_edges(40, 0.02).tolist()
    [0, 40]
    """
    length = round(FRAGMENT_SECONDS / step_seconds)
    shortest = round(SHORTEST_TAIL_SECONDS / step_seconds)
    edges = np.arange(0, n_steps, length)
    if len(edges) > 1 and n_steps - edges[-1] < shortest:
        edges = edges[:-1]
    return np.append(edges, n_steps).astype(np.int64)


def mean_pool(steps: NDArray[np.float32], edges: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of (t, d) float32 steps over all of them and over each fragment: (d,) and (f, d) float32.

    Sums are in float64, so the result does not depend on how the steps are laid out in memory.
    """
    sums = np.add.reduceat(steps, edges[:-1], axis=0, dtype=np.float64)
    fragments = sums / np.diff(edges)[:, None]
    return (sums.sum(axis=0) / edges[-1]).astype(np.float32), fragments.astype(np.float32)
