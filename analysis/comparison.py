"""Whether one classifier is better than another on the same videos, by paired tests."""

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import Resamples, degrees, effective_groups, intervals
from quartzlens.records import Json


def compared(
    y: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    others: NDArray[np.floating],
    resamples: Resamples,
) -> dict[str, Json]:
    """Set one classifier beside another, each judged on the same videos out of the same folds.

    Parameters
    ----------
    y
        (n,) positions of the labels.
    probabilities, others
        (n, k) float, of the first and of the other classifier; the largest is the prediction.

    Returns
    -------
    dict
        JSON values: ``difference`` (accuracy of the first less that of the other, a metric object by the bootstrap over
        groups), ``bootstrap_p`` (two-sided, of the same draws: see ``bootstrap_p``),
        ``mcnemar_p`` (exact McNemar test, two-sided), ``only_first``, ``only_other`` (videos that one alone has right).
        McNemar's test takes videos for independent; where groups have several, ``bootstrap_p`` is the one to trust.
        Probabilities that are all the same are of one classifier: it surely differs by nothing from itself.
    """
    first, other = probabilities.argmax(axis=1) == y, others.argmax(axis=1) == y
    only_first, only_other = int((first & ~other).sum()), int((other & ~first).sum())
    sums = resamples.sums(np.column_stack([first * 1.0 - other, np.ones(len(y))]))
    gained, n = resamples.totals(sums)
    draws, groups = gained / n, effective_groups(sums)[1]
    value = np.array([(only_first - only_other) / len(y)])
    (difference,) = intervals(value, draws[None], groups[None], lowest=-1.0)
    if np.array_equal(probabilities, others):
        difference = {"value": 0.0, "low": 0.0, "high": 0.0}
    return {
        "difference": difference,
        "bootstrap_p": bootstrap_p(draws, float(groups)),
        "mcnemar_p": mcnemar_p(only_first, only_other),
        "only_first": only_first,
        "only_other": only_other,
    }


def mcnemar_p(only_first: int, only_other: int) -> float:
    """Exact two-sided p of so many videos that one alone has right being tosses of a coin; 1 where there is none."""
    from scipy.stats import binomtest

    apart = only_first + only_other
    return float(binomtest(only_first, apart).pvalue) if apart else 1.0


def bootstrap_p(draws: NDArray[np.float64], effective: float) -> float:
    """Two-sided p of no difference: the level at which the interval that these draws give would just touch 0.

    So p is below 0.05 where the 95 % interval leaves out 0 (but for rounding by one draw), few groups widen both alike
    (Hesterberg 2015), and p is 1 where one effective group alone tells nothing. Of many groups its smallest value is
    about 2 / draws. Below about ten effective groups the interval ends at the outermost of 2,000 draws, while p goes
    on beyond them: there the interval may leave out 0 and p still be above 0.05: p is the stricter.

    Parameters
    ----------
    draws
        (B,) the difference in each draw.
    effective
        The effective number of groups.
    """
    from scipy.special import ndtri, stdtr

    if effective <= 1:
        return 1.0
    beyond = min((draws <= 0).sum(), (draws >= 0).sum())
    freedom = float(degrees(np.array([effective]))[0])
    reached = ndtri((beyond + 1) / (len(draws) + 1)) * np.sqrt(freedom / (freedom + 1))
    return min(1.0, float(2 * stdtr(freedom, reached)))
