"""What each video adds to the metrics, and the metrics from sums of it: for all videos, or for every draw at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import divided

BINS = 15
OVERALL = (
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "log_loss",
    "brier",
    "calibration_error",
)
BY_CATEGORY = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over videos, each with a last axis of draws (or of 1).

    Attributes
    ----------
    labelled, predicted, right
        (k, B) videos of each category, predicted as it, and both.
    n, loss, squared
        (B,) videos, and the sums of their log loss and of their squared error.
    gaps
        (BINS, B) confidence less accuracy, summed over the videos of each bin of confidence.
    """

    labelled: NDArray[np.float64]
    predicted: NDArray[np.float64]
    right: NDArray[np.float64]
    n: NDArray[np.float64]
    loss: NDArray[np.float64]
    squared: NDArray[np.float64]
    gaps: NDArray[np.float64]

    @classmethod
    def of(cls, sums: Any, k: int) -> "Totals":
        """Name the rows (3 k + 3 + BINS, B) that come of summing ``video_columns``."""
        labelled, predicted, right, others = sums[:k], sums[k : 2 * k], sums[2 * k : 3 * k], sums[3 * k :]
        return cls(labelled, predicted, right, others[0], others[1], others[2], others[3:])


def bin_of(confidence: NDArray[np.floating]) -> NDArray[np.int64]:
    """Bin of each confidence: 15 of equal width, a bin holding its upper edge (Guo et al. 2017).

    >>> bin_of(np.array([0.0, 0.2, 1.0])).tolist()
    [0, 2, 14]
    """
    bins: NDArray[np.int64] = np.clip(
        np.ceil(np.asarray(confidence, dtype=np.float64) * BINS - 1e-9) - 1, 0, BINS - 1
    ).astype(np.int64)
    return bins


def video_columns(y: NDArray[np.int64], probabilities: NDArray[np.floating]) -> Any:
    """What each video adds to the sums that all metrics are made of: (n, 3 k + 3 + BINS) sparse, seven values a video.

    A probability below the resolution of its type counts as that in the log loss (as scikit-learn has it), so a sure
    error costs 36 in float64 and 16 in float32, not the whole figure.
    """
    from scipy.sparse import csr_array

    n, k = probabilities.shape
    P, smallest = probabilities.astype(np.float64), float(np.finfo(probabilities.dtype).eps)
    predicted, confidence, of_label = P.argmax(axis=1), P.max(axis=1), P[np.arange(n), y]
    right = (predicted == y).astype(np.float64)
    loss = -np.log(np.clip(of_label, smallest, 1 - smallest))
    squared = (P**2).sum(axis=1) - of_label**2 + (1 - of_label) ** 2
    each = np.ones(n)
    where = (
        y,
        k + predicted,
        2 * k + y,
        3 * k + 0 * y,
        3 * k + 1 + 0 * y,
        3 * k + 2 + 0 * y,
        3 * k + 3 + bin_of(confidence),
    )
    what = (each, each, right, each, loss, squared, confidence - right)
    rows = np.tile(np.arange(n), len(where))
    return csr_array((np.concatenate(what), (rows, np.concatenate(where))), shape=(n, 3 * k + 3 + BINS))


def overall(totals: Totals, whole: Totals, averaged: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float64]:
    """Metrics of all categories together, in the order of ``OVERALL``: (8, B).

    Macro means are those of scikit-learn with ``zero_division=0``: what the ``whole`` leaves undefined (a category that
    is never predicted has no precision) counts as 0. What only a draw leaves undefined is left out of that draw's mean,
    all three of a category that the draw has no video of: it cannot be found there, so a 0 would be the draw's doing.
    Balanced accuracy is the mean recall of the categories that have videos.

    Parameters
    ----------
    averaged
        Positions of the categories that these means are over.
    """
    n = totals.n
    each, of_all = by_category(totals)[:, averaged], by_category(whole)[:, averaged]
    macro = [_mean(np.where(np.isnan(always), 0.0, some)) for some, always in zip(each, of_all, strict=True)]
    error = np.abs(totals.gaps).sum(axis=0)
    sums = (totals.right.sum(axis=0), totals.loss, totals.squared, error)
    accuracy, loss, squared, gap = (divided(total, n) for total in sums)
    return np.stack([accuracy, _mean(each[1]), *macro, loss, squared, gap])


def by_category(totals: Totals) -> NDArray[np.float64]:
    """Precision, recall and F1 of each category, NaN where undefined and where it has no videos: (3, k, B)."""
    labelled, predicted, right = totals.labelled, totals.predicted, totals.right
    found = np.stack([divided(right, predicted), divided(right, labelled), divided(2 * right, labelled + predicted)])
    return np.where(labelled > 0, found, np.nan)


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the rows of what is defined, one for each draw."""
    return divided(np.nansum(rows, axis=0), (~np.isnan(rows)).sum(axis=0))
