"""What predictions are worth: accuracy, precision, recall, and the tables behind a confusion matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quartzlens.figures import how_many
from quartzlens.records import Json


def confusion_matrix(y: NDArray[np.integer], predicted: NDArray[np.integer], n_categories: int) -> NDArray[np.int64]:
    """Count videos by true (rows) and predicted (columns) category: (k, k) int64, its sum is n.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(y * n_categories + predicted, minlength=n_categories**2)
    return cells.reshape(n_categories, n_categories).astype(np.int64)


def metrics_of(y: NDArray[np.int64], predicted: NDArray[np.int64], categories: Sequence[str]) -> dict[str, Json]:
    """Accuracy, macro precision and recall, and both for each category (scikit-learn's definitions).

    The precision of a category that is never predicted, and the recall of one without videos, count as 0.

    Returns
    -------
    dict
        JSON values: ``n``, ``categories``, ``accuracy``, ``precision_macro``, ``recall_macro`` (each ``{"value":
        0..1}``), ``per_category`` (category -> ``precision``, ``recall``, ``n``), ``confusion`` (rows true, columns
        predicted).
    """
    from sklearn.metrics import precision_recall_fscore_support

    k = len(categories)
    confusion = confusion_matrix(y, predicted, k)
    precision, recall, _, counts = precision_recall_fscore_support(y, predicted, labels=list(range(k)), zero_division=0)
    each: dict[str, Json] = {
        category: {"precision": float(precision[i]), "recall": float(recall[i]), "n": int(counts[i])}
        for i, category in enumerate(categories)
    }
    return {
        "n": len(y),
        "categories": list(categories),
        "accuracy": {"value": float(np.trace(confusion) / len(y))},
        "precision_macro": {"value": float(precision.mean())},
        "recall_macro": {"value": float(recall.mean())},
        "per_category": each,
        "confusion": confusion.tolist(),
    }


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
    """Precision and recall of each category as a table: ``category``, ``n``, ``precision``, ``recall`` (0..1)."""
    rows = [{"category": category, **scores} for category, scores in metrics["per_category"].items()]
    return pd.DataFrame(rows, columns=["category", "n", "precision", "recall"])


def confusion_table(predictions: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """One row for each cell of the confusion matrix: ``category``, ``predicted``, ``n``, ``share`` of its row."""
    position = {category: i for i, category in enumerate(categories)}
    y = predictions["category"].map(position).to_numpy(dtype=np.int64)
    guess = predictions["predicted"].map(position).to_numpy(dtype=np.int64)
    counts = confusion_matrix(y, guess, len(categories))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        (true, predicted, int(counts[i, j]), float(share[i, j]))
        for i, true in enumerate(categories)
        for j, predicted in enumerate(categories)
    ]
    return pd.DataFrame(cells, columns=["category", "predicted", "n", "share"])


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
        expected = errors[i] * size[j] / (size.sum() - size[i])
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
