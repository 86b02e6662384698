"""What predictions are worth: metrics with their intervals, and the tables behind a confusion matrix."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.intervals import Resamples, effective_groups, intervals
from analysis.measures import BY_CATEGORY, OVERALL, Totals, by_category, overall, video_columns
from quartzlens.figures import how_many
from quartzlens.records import Json


def confusion_matrix(y: NDArray[np.integer], predicted: NDArray[np.integer], n_categories: int) -> NDArray[np.int64]:
    """Count videos by true (rows) and predicted (columns) category: (k, k) int64, its sum is n.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(y * n_categories + predicted, minlength=n_categories**2)
    return cells.reshape(n_categories, n_categories).astype(np.int64)


def metrics_of(
    y: NDArray[np.int64], probabilities: NDArray[np.floating], categories: Sequence[str], resamples: Resamples
) -> dict[str, Json]:
    """Judge out-of-fold probabilities: every metric with its 95 % interval by a bootstrap over groups.

    Definitions are scikit-learn's: a category that is never predicted has precision 0, one without videos recall 0
    (``zero_division=0``), and their intervals hold all that is possible. ``brier`` is Brier's own sum over the
    categories (0..2, 1950), also for two. ``calibration_error`` is the expected calibration error of the surest
    category over 15 bins of equal width (Guo et al. 2017). Drawing groups at random adds to that error, so its interval
    is the reflected one (basic bootstrap, Davison and Hinkley 1997), which takes this off again.

    Parameters
    ----------
    y
        (n,) positions in ``categories``.
    probabilities
        (n, k) float, rows sum to 1; the largest is the prediction (the first of equals).
    resamples
        Of these n videos.

    Returns
    -------
    dict
        JSON values: ``n``, ``categories``; ``accuracy``, ``balanced_accuracy``, ``precision_macro``, ``recall_macro``,
        ``f1_macro``, ``log_loss``, ``brier``, ``calibration_error``, each ``{"value", "low", "high"}``;
        ``per_category`` (category -> ``precision``, ``recall``, ``f1``, likewise, and ``n``); ``confusion`` (rows true,
        columns predicted).
    """
    k = len(categories)
    sums = resamples.sums(video_columns(y, probabilities))
    whole = Totals.of(np.asarray(sums.sum(axis=1)).reshape(-1, 1), k)
    draws = Totals.of(resamples.totals(sums), k)
    groups = effective_groups(sums)[3 * k].repeat(len(OVERALL))
    highest = np.array([1, 1, 1, 1, 1, -np.log(np.finfo(probabilities.dtype).eps), 2, 1])
    values, drawn = overall(whole, whole), overall(draws, whole)
    drawn[-1] = np.clip(2 * values[-1] - drawn[-1], 0, 1)
    found = dict(zip(OVERALL, intervals(values.ravel(), drawn, groups, highest=highest), strict=True))
    confusion = confusion_matrix(y, probabilities.argmax(axis=1), k)
    each = _per_category(by_category(whole), by_category(draws), sums, categories, confusion.sum(axis=1))
    return {"n": len(y), "categories": list(categories), **found, "per_category": each, "confusion": confusion.tolist()}


def _per_category(
    values: NDArray[np.float64],
    draws: NDArray[np.float64],
    sums: Any,
    categories: Sequence[str],
    counts: NDArray[np.int64],
) -> dict[str, Json]:
    """Metric objects of each category, from precision, recall and F1: (3, k, 1) of all videos, (3, k, B) of draws."""
    k = len(categories)
    labelled, predicted = sums[:k], sums[k : 2 * k]
    groups = np.concatenate([effective_groups(weights) for weights in (predicted, labelled, labelled + predicted)])
    found = intervals(values.ravel(), draws.reshape(3 * k, -1), groups)
    return {
        category: {**{name: found[i + k * row] for row, name in enumerate(BY_CATEGORY)}, "n": int(counts[i])}
        for i, category in enumerate(categories)
    }


def figure(metric: Any) -> float:
    """The value of a metric, which in runs older than intervals is a plain number.

    >>> figure({"value": 0.5, "low": 0.4, "high": 0.6}), figure(0.5)
    (0.5, 0.5)
    """
    return float(metric["value"] if isinstance(metric, Mapping) else metric)


def interval(metric: Any) -> tuple[float, float]:
    """The 95 % interval of a metric; NaN in runs older than intervals.

    >>> interval({"value": 0.5, "low": 0.4, "high": 0.6}), interval(0.5)
    ((0.4, 0.6), (nan, nan))
    """
    if not isinstance(metric, Mapping) or "low" not in metric:
        return math.nan, math.nan
    return float(metric["low"]), float(metric["high"])


def left_out_counts(left_out: pd.DataFrame) -> list[Json]:
    """Videos left out, counted by category and reason: ``category``, ``reason``, ``n``, largest first."""
    counts = left_out.groupby(["category", "reason"], dropna=False, sort=True).size()
    table = counts.rename("n").reset_index().sort_values("n", ascending=False, kind="stable")
    rows = zip(table["category"], table["reason"], table["n"], strict=True)
    return [{"category": c if isinstance(c, str) else None, "reason": str(r), "n": int(n)} for c, r, n in rows]


def copies_sentence(copies: Any) -> str:
    """What a run's metrics say of copies; empty where there are none, or the run is older than this.

    >>> copies_sentence({"videos": 5, "groups": 2, "parted": 0})
    '5 videos are copies of one another (2 groups): each group was kept together.'
    """
    if not copies or not copies["groups"]:
        return ""
    found = f"{copies['videos']:,} videos are copies of one another ({how_many(copies['groups'], 'group')})"
    if not copies["parted"]:
        return f"{found}: each group was kept together."
    return (
        f"{found}, and the published folds part {copies['parted']:,} of the groups: "
        "those videos were judged by a model that had heard them."
    )


def scores_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Precision, recall and F1 of each category as a table, with their 95 % intervals.

    Returns
    -------
    pandas.DataFrame
        ``category``, ``n``, and for each of ``precision``, ``recall``, ``f1`` its value (0..1) and ``..._low``,
        ``..._high``; NaN for what the run is too old to know.
    """
    rows = []
    for category, scores in metrics["per_category"].items():
        row = {"category": category, "n": scores["n"]}
        for name in BY_CATEGORY:
            metric = scores.get(name, np.nan)
            row[name] = figure(metric)
            row[f"{name}_low"], row[f"{name}_high"] = interval(metric)
        rows.append(row)
    names = [f"{name}{end}" for name in BY_CATEGORY for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["category", "n", *names])


def confusion_table(predictions: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """Spread the confusion matrix out, one row for each cell.

    Returns
    -------
    pandas.DataFrame
        ``category``, ``predicted``, ``n``, ``share`` (of the videos of the category, its row), ``share_of_predicted``
        (of those predicted as it, its column); 0 where there are none.
    """
    position = {category: i for i, category in enumerate(categories)}
    y = predictions["category"].map(position).to_numpy(dtype=np.int64)
    guess = predictions["predicted"].map(position).to_numpy(dtype=np.int64)
    return confusion_cells(confusion_matrix(y, guess, len(categories)), categories)


def confusion_cells(counts: NDArray[np.int64], categories: Sequence[str]) -> pd.DataFrame:
    """Spread a confusion matrix (k, k) out that was counted already: the table of ``confusion_table``."""
    by_row, by_column = confusion_shares(counts)
    cells = [
        (true, predicted, int(counts[i, j]), float(by_row[i, j]), float(by_column[i, j]))
        for i, true in enumerate(categories)
        for j, predicted in enumerate(categories)
    ]
    return pd.DataFrame(cells, columns=["category", "predicted", "n", "share", "share_of_predicted"])


def confusion_shares(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A confusion matrix by row (of each category) and by column (of what was predicted), 0 where that is empty.

    >>> [shares.tolist() for shares in confusion_shares(np.array([[3, 1], [0, 0]]))]
    [[[0.75, 0.25], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]]
    """
    by_row = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return by_row, confusion / np.maximum(confusion.sum(axis=0, keepdims=True), 1)


def confusion_report(confusion: NDArray[np.int64], categories: Sequence[str]) -> dict[str, Json]:
    """What else there is to a confusion matrix, as JSON values.

    Returns
    -------
    dict
        ``confusion_by_row``, ``confusion_by_column`` (k x k shares), ``top_confusions``: the ten that exceed chance by
        most (``category``, ``predicted``, ``n``, ``times_chance``, null where chance would give none).
    """
    by_row, by_column = confusion_shares(confusion)
    most = top_confusions(confusion, categories).head(10).to_dict("records")
    rows: list[Json] = [
        {str(name): None if value == float("inf") else value for name, value in row.items()} for row in most
    ]
    return {"confusion_by_row": by_row.tolist(), "confusion_by_column": by_column.tolist(), "top_confusions": rows}


def top_confusions(confusion: NDArray[np.int64], categories: Sequence[str]) -> pd.DataFrame:
    """Which categories are taken for which, by how far they exceed chance: the cells off the diagonal that hold videos.

    Chance spreads the errors of a category over the others by their size: of ``e`` errors, ``e * n_other / (n -
    n_own)`` would go to each. ``times_chance`` is the count over this expectation, so 1 means no preference, whatever
    the accuracy.

    Returns
    -------
    pandas.DataFrame
        ``category``, ``predicted``, ``n``, ``times_chance``; the largest excess over chance first.
    """
    size = confusion.sum(axis=1)
    errors = size - np.diag(confusion)
    rows = []
    for i, j in np.argwhere((confusion > 0) & ~np.eye(len(categories), dtype=bool)):
        expected = errors[i] * size[j] / max(size.sum() - size[i], 1)
        n = int(confusion[i, j])
        rows.append((categories[i], categories[j], n, float(n / expected) if expected else float("inf"), n - expected))
    table = pd.DataFrame(rows, columns=["category", "predicted", "n", "times_chance", "excess"])
    return table.sort_values(["excess", "n"], ascending=False, kind="stable", ignore_index=True).drop(columns="excess")


def cell(predictions: pd.DataFrame, true: str, predicted: str) -> pd.DataFrame:
    """Show the videos behind one cell of the confusion matrix, those first of which the classifier was surest.

    Returns
    -------
    pandas.DataFrame
        Rows of ``predictions`` with all its columns; ties keep their order.
    """
    behind = predictions[(predictions["category"] == true) & (predictions["predicted"] == predicted)]
    surest = behind[probability_columns(predictions)].max(axis=1)
    return behind.loc[surest.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


_OWN_COLUMNS = ("id", "category", "predicted", "fold", "start_seconds", "end_seconds")


def probability_names(categories: Sequence[str]) -> list[str]:
    """Column names that hold each category's probability: the category itself, but for names that tables use otherwise.

    >>> probability_names(["food", "id"])
    ['food', 'id (category)']
    """
    taken = set(_OWN_COLUMNS) | set(categories)
    names = []
    for category in categories:
        name = category
        while name in _OWN_COLUMNS or (name != category and name in taken):
            name += " (category)"
        names.append(name)
    return names


def probability_columns(table: pd.DataFrame) -> list[str]:
    """Columns of a predictions or fragments table that hold probabilities, in the order of the categories."""
    return [column for column in table.columns if column not in _OWN_COLUMNS]
