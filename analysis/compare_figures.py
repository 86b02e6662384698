"""By how much the figures of two runs differ on the same videos, with intervals by the same draws of groups."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.intervals import Resamples, effective_groups, intervals
from analysis.measures import BY_CATEGORY, OVERALL, Totals, by_category, overall, video_columns

_LOG_LOSS, _BRIER = 16.0, 2.0  # float32 probabilities cost no more
# What the differences of figures can be, where that is not -1 to 1.
_LARGEST: Mapping[str, float] = {"log_loss": _LOG_LOSS, "brier": _BRIER}
_MEANS = {"balanced_accuracy", "precision_macro", "recall_macro", "f1_macro"}
_ENDS = ("first", "second", "difference", "low", "high")

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The figures of one run, for all videos and for each of B draws.

    Attributes
    ----------
    categories
        The k categories that any of the videos has as its label or prediction: of others nothing is known.
    averaged
        Positions of those that the macro means and balanced accuracy are over.
    overall, overall_draws
        (8,) and (8, B), in the order of ``analysis.measures.OVERALL``. Draws of the calibration error are reflected at
        its value, as its interval is.
    each, each_draws
        (3, k) and (3, k, B): precision, recall and F1, NaN where undefined.
    videos
        Effective number of groups behind all videos.
    weights
        (3 k, G) sparse: what each group weighs in ``each``.
    """

    categories: tuple[str, ...]
    averaged: NDArray[np.int64]
    overall: Doubles
    overall_draws: Doubles
    each: Doubles
    each_draws: Doubles
    videos: float
    weights: Any

    @classmethod
    def of(
        cls,
        labels: NDArray[np.object_],
        shares: NDArray[np.float32],
        categories: Sequence[str],
        resamples: Resamples,
        averaged: Collection[str],
    ) -> "Figures":
        """Compute them from labels (n,) and probabilities (n, k) of ``categories``; ``averaged`` are some of them."""
        from scipy.sparse import vstack

        k, position = len(categories), {name: at for at, name in enumerate(categories)}
        y = np.array([position[label] for label in labels], dtype=np.int64)
        sums = resamples.sums(video_columns(y, shares))
        there = np.flatnonzero(np.asarray(sums[: 2 * k].sum(axis=1)).reshape(2, k).sum(axis=0))
        kept = np.concatenate([there, k + there, 2 * k + there, np.arange(3 * k, sums.shape[0])])
        sums, k = sums[kept], len(there)
        whole = Totals.of(np.asarray(sums.sum(axis=1)).reshape(-1, 1), k)
        draws = Totals.of(resamples.totals(sums), k)
        names = tuple(categories[at] for at in there.tolist())
        means = np.flatnonzero([name in averaged for name in names])
        values, drawn = overall(whole, whole, means)[:, 0], overall(draws, whole, means)
        drawn[-1] = 2 * values[-1] - drawn[-1]
        labelled, predicted = sums[:k], sums[k : 2 * k]
        return cls(
            names,
            means,
            values,
            drawn,
            by_category(whole)[:, :, 0],
            by_category(draws),
            float(effective_groups(sums[3 * k : 3 * k + 1])[0]),
            vstack([predicted, labelled, labelled + predicted]).tocsr(),
        )


def overall_differences(one: Figures, other: Figures) -> pd.DataFrame:
    """The metrics over all categories: ``metric``, and what ``_rows`` has of each; means over none are left out."""
    by_label = effective_groups(one.weights[len(one.categories) + one.averaged])
    rows = []
    for at, name in enumerate(OVERALL):
        if name in _MEANS and not len(by_label):
            continue
        # A mean over categories is as sure as they are, which have fewer groups each than there are in all. Each group
        # weighs in it by the size of its category, and so counts where all of them agree.
        effective, trials = one.videos, one.videos
        if name in _MEANS:
            effective, trials = by_label.mean(), min(len(by_label) ** 2 / (1 / by_label).sum(), one.videos)
        drawn, most = (other.overall_draws[at] - one.overall_draws[at])[None], _LARGEST.get(name, 1.0)
        first, second = one.overall[at : at + 1], other.overall[at : at + 1]
        rows.append((name, *_rows(first, second, drawn, np.array([effective]), most, np.array([trials]))[0]))
    return pd.DataFrame(rows, columns=["metric", *_ENDS])


def category_differences(one: Figures, other: Figures) -> pd.DataFrame:
    """Precision, recall and F1 of the categories that both have: ``category``, ``metric``, and what ``_rows`` has."""
    both = [name for name in one.categories if name in other.categories]
    at, beside = ([run.categories.index(name) for name in both] for run in (one, other))
    tables = []
    for row, metric in enumerate(BY_CATEGORY):
        own, others = (
            run.weights[np.array(places, dtype=np.int64) + row * len(run.categories)]
            for run, places in ((one, at), (other, beside))
        )
        drawn = other.each_draws[row][beside] - one.each_draws[row][at]
        found = _rows(one.each[row][at], other.each[row][beside], drawn, effective_groups(own + others))
        tables += [(name, metric, *ends) for name, ends in zip(both, found, strict=True)]
    return pd.DataFrame(tables, columns=["category", "metric", *_ENDS])


def _rows(
    first: Doubles,
    second: Doubles,
    drawn: Doubles,
    effective: Doubles,
    most: float = 1.0,
    trials: Doubles | None = None,
) -> list[tuple[float, ...]]:
    """Both values, the second less the first, and the ends of its interval; (m,) each, ``drawn`` (m, B).

    What one leaves undefined counts as 0, and the difference can be all that is possible.
    """
    ends: list[Any] = intervals(second - first, drawn, effective, -most, most, trials)
    before, now = np.nan_to_num(first), np.nan_to_num(second)
    rows = zip(before.tolist(), now.tolist(), (now - before).tolist(), ends, strict=True)
    return [(*values, end["low"], end["high"]) for *values, end in rows]
