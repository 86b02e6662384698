"""From the encoder's steps to embeddings: statistics over a clip and over each of its 5 s fragments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import UsageError

FRAGMENT_SECONDS = 5.0
SHORTEST_TAIL_SECONDS = 1.0
POOLINGS = ("mean", "mean_std", "mean3008")


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What an engine gives of a clip's steps, fragment by fragment, in c channels.

    Attributes
    ----------
    totals
        (f, c) sums over each fragment's steps.
    squares
        (f, c) sums of the squared distances to the fragment's mean; None where they are not needed.
    padding
        (c,) the output at a step that only pads, and ``padded_steps`` how many of them the checkpoint's own front end
        adds to this clip; None where they are not needed.
    """

    totals: NDArray[np.float32]
    squares: NDArray[np.float32] | None = None
    padding: NDArray[np.float32] | None = None
    padded_steps: int = 0


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


def members(edges: NDArray[np.int64]) -> NDArray[np.float32]:
    """Which steps are in which fragment: (f, t) float32 of zeros and ones.

    >>> members(np.array([0, 2, 3])).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    steps = np.arange(edges[-1])
    return ((edges[:-1, None] <= steps) & (steps < edges[1:, None])).astype(np.float32)


def pool(sums: Sums, edges: NDArray[np.int64], pooling: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embedding (d,) and fragments (f, d), float32, of a clip: d is c, for ``mean_std`` 2c.

    ``mean`` is over the valid steps. ``mean_std`` appends the standard deviation over them. ``mean3008`` is the mean
    over the padding too, as the original work took it (3008 steps for 60 s); its fragments are plain means. In float64
    inside.

    Raises UsageError where ``sums`` has not what the pooling needs.
    """
    counts = np.diff(edges)[:, None].astype(np.float64)
    means = sums.totals / counts
    whole = sums.totals.sum(axis=0, dtype=np.float64) / edges[-1]
    if pooling == "mean3008":
        if sums.padding is None:
            raise UsageError("mean3008 needs the network's output at steps that only pad, and this engine has none.")
        together = whole * edges[-1] + sums.padding.astype(np.float64) * sums.padded_steps
        whole = together / (edges[-1] + sums.padded_steps)
    if pooling == "mean_std":
        if sums.squares is None:
            raise UsageError("mean_std needs sums of squares, and this engine was not asked for them.")
        around = (counts * (means - whole) ** 2).sum(axis=0) + sums.squares.sum(axis=0, dtype=np.float64)
        whole = np.concatenate([whole, np.sqrt(around / edges[-1])])
        means = np.concatenate([means, np.sqrt(sums.squares / counts)], axis=1)
    return whole.astype(np.float32), means.astype(np.float32)


def sums_of(steps: NDArray[np.float32], edges: NDArray[np.int64]) -> Sums:
    """Totals and squares of (t, c) float32 steps by fragment; summed in float64."""
    totals = np.add.reduceat(steps, edges[:-1], axis=0, dtype=np.float64)
    lengths = np.diff(edges)
    centred = steps - np.repeat(totals / lengths[:, None], lengths, axis=0)
    squares = np.add.reduceat(centred**2, edges[:-1], axis=0, dtype=np.float64)
    return Sums(totals.astype(np.float32), squares.astype(np.float32))
