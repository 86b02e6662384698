"""How far probabilities can be believed, and what is gained where a person takes the least sure videos."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import Resamples, ratios
from analysis.measures import BINS, bin_of
from quartzlens.records import Json

SHARES = tuple(share / 100 for share in range(100, 45, -5))


def reliability(y: NDArray[np.int64], probabilities: NDArray[np.floating], resamples: Resamples) -> list[Json]:
    """Set confidence (the largest probability) beside accuracy, in 15 bins of equal width (Guo et al. 2017).

    Where a classifier is calibrated, of the videos that it gives 0.8 it has 80 % right. The expected calibration error
    is the mean of ``|confidence - accuracy|`` over the videos.

    Returns
    -------
    list of dict
        One for each bin that holds videos, from the least sure: ``low``, ``high`` (its edges; the upper one belongs to
        it), ``n``, ``confidence`` (mean), ``accuracy`` (a metric object).
    """
    P = probabilities.astype(np.float64)
    confidence, right = P.max(axis=1), P.argmax(axis=1) == y
    inside = bin_of(confidence)[:, None] == np.arange(BINS)
    counts = inside.sum(axis=0)
    accuracies = ratios(inside * right[:, None], inside, resamples)
    means = (inside * confidence[:, None]).sum(axis=0) / np.maximum(counts, 1)
    return [
        {
            "low": i / BINS,
            "high": (i + 1) / BINS,
            "n": int(counts[i]),
            "confidence": float(means[i]),
            "accuracy": accuracies[i],
        }
        for i in np.flatnonzero(counts).tolist()
    ]


def coverage(y: NDArray[np.int64], probabilities: NDArray[np.floating], resamples: Resamples) -> list[Json]:
    """Accuracy where the classifier answers for its surest videos only, and the rest goes to a person.

    The accuracy-coverage (or risk-coverage) curve of El-Yaniv and Wiener (2010); intervals hold for the threshold that
    is given, they do not choose it anew in each draw.

    Returns
    -------
    list of dict
        For each share of videos from 1.0 to 0.5, in steps of 0.05: ``share``, ``threshold`` (the least confidence that
        the classifier answers at), ``n`` (videos that it answers for), ``accuracy`` (a metric object). Where more
        videos are as sure as the threshold than there is room for, each of them counts in part: what is expected of
        a draw among them, in whatever order they came.
    """
    P = probabilities.astype(np.float64)
    confidence, right = P.max(axis=1), P.argmax(axis=1) == y
    order = np.argsort(-confidence, kind="stable")
    counts = [max(1, int(np.ceil(share * len(y) - 1e-9))) for share in SHARES]
    thresholds = confidence[order[np.array(counts) - 1]]
    surer, as_sure = confidence[:, None] > thresholds, confidence[:, None] == thresholds
    kept = surer + as_sure * (np.array(counts) - surer.sum(axis=0)) / as_sure.sum(axis=0)
    accuracies: list[Any] = ratios(kept * right[:, None], kept, resamples)
    return [
        {"share": share, "threshold": float(threshold), "n": n, "accuracy": accuracy}
        for share, threshold, n, accuracy in zip(SHARES, thresholds, counts, accuracies, strict=True)
    ]
