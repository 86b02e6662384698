"""The arithmetic of similarity, the same for every backend: normalise, score, put in order."""

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Fragments

DECIMALS = 7
"""Similarities are rounded to these decimals: copies of a vector tie, whatever the order of summation."""
_ROWS_AT_ONCE = 4096


def normalised(matrix: NDArray[np.float32], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Rows divided by their length: (n, d) float32 in, (n, d) float32 L2-normalised out; a zero row stays zero.

    They are written into ``out``, which may be ``matrix`` itself; None for a new array.

    >>> normalised(np.array([[3, 4], [0, 0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    divided = np.empty(matrix.shape, np.float32) if out is None else out
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        rows = matrix[start : start + _ROWS_AT_ONCE].astype(np.float64)  # has room for the square of any float32
        length = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
        divided[start : start + _ROWS_AT_ONCE] = rows / np.where(length > 0, length, 1)
    return divided


def finite(matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Rows (n,) without NaN and infinity: the ends of a row that has some are no numbers, and take no other matrix.

    >>> finite(np.array([[1, 2], [1, np.nan], [-np.inf, 2]], dtype=np.float32)).tolist()
    [True, False, False]
    """
    ends = matrix.min(axis=1, initial=0.0), matrix.max(axis=1, initial=0.0)
    finite: NDArray[np.bool_] = np.isfinite(ends[0]) & np.isfinite(ends[1])
    return finite


def undamaged(fragments: Fragments) -> Fragments:
    """The fragments without those in which something is no number."""
    whole = np.flatnonzero(finite(fragments.matrix))
    if len(whole) == len(fragments.ids):
        return fragments
    ids = tuple(fragments.ids[row] for row in whole)
    words = tuple(fragments.words[row] for row in whole) if fragments.words else ()
    return Fragments(ids, fragments.bounds.reshape(-1, 2)[whole], fragments.matrix[whole], words)


def similarities(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of each normalised row (n, d) with a normalised query (d,): (n,) float64 in [-1, 1], rounded."""
    scores = np.einsum("nd,d->n", rows.astype(np.float64), query.astype(np.float64))
    # The added zero turns -0.0 into 0.0.
    rounded: NDArray[np.float64] = np.clip(np.round(scores, DECIMALS), -1.0, 1.0) + 0.0
    return rounded


def best(scores: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """Positions of the k highest scores (n,), best first, ties by position.

    >>> best(np.array([0.5, 0.9, 0.5]), 2).tolist()
    [1, 0]
    """
    order: NDArray[np.intp] = np.argsort(-scores, kind="stable")
    return order[:k]
