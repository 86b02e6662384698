"""Shares of videos with their intervals: what the parts of a report have in common."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import Resamples, ratios
from quartzlens.records import Json

Marks = NDArray[np.bool_] | NDArray[np.float64]


def mean_metric(
    marks: Marks, resamples: Resamples, among: NDArray[np.bool_] | None = None, lowest: float = 0.0
) -> Json:
    """The mean of ``marks`` (n,), in [``lowest``, 1], over the videos ``among`` (all): a metric."""
    return mean_metrics([(marks, np.ones(len(marks), dtype=bool) if among is None else among)], resamples, lowest)[0]


def mean_metrics(
    pairs: Sequence[tuple[Marks, NDArray[np.bool_]]], resamples: Resamples, lowest: float = 0.0
) -> list[Json]:
    """Several such means, each of marks and the videos among which they count, by one product of matrices."""
    among = np.column_stack([inside for _, inside in pairs]).astype(np.float64)
    marks = np.column_stack([marks for marks, _ in pairs]).astype(np.float64)
    return ratios(marks * among, among, resamples, lowest)


def right(probabilities: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which videos are told right: (n,)."""
    told: NDArray[np.bool_] = probabilities.argmax(axis=1) == y
    return told
