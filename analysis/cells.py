"""The videos behind a cell of the confusion matrix, or a whole row or column, in a chosen order; how cells moved."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import Evaluation
from analysis.evidence_background import Background
from analysis.evidence_timeline import categories_of
from analysis.metrics import confusion_table, probability_columns
from store.vectors import normalised

CHANGE_COLUMNS = ("category", "predicted", "before", "after", "difference")


class Rank(StrEnum):
    """What the videos of a cell are ranked by."""

    CONFIDENCE = "confidence"
    QUALITY = "label quality"
    NEARNESS = "nearness"


def behind(predictions: pd.DataFrame, category: str = "", predicted: str = "") -> pd.DataFrame:
    """Rows of an evaluation's predictions: of a cell, of a row (``predicted`` empty) or of a column, in their order."""
    chosen = pd.Series(data=True, index=predictions.index)
    if category:
        chosen &= predictions["category"] == category
    if predicted:
        chosen &= predictions["predicted"] == predicted
    return predictions[chosen].reset_index(drop=True)


def ranked(evaluation: Evaluation, chosen: pd.DataFrame, by: Rank, known: Background | None = None) -> pd.DataFrame:
    """Rank videos of an evaluation.

    Parameters
    ----------
    chosen
        Rows of its predictions.
    by
        ``CONFIDENCE``: the probability of what was predicted, surest first. ``QUALITY``: that of the label
        (``analysis.label_quality``), the most doubtful first. ``NEARNESS``: cosine of the embedding to the mean of the
        videos labelled as what was predicted, those of its own group left out; nearest first.
    known
        What ``analysis.evidence_background.background`` gave; nothing but nearness needs it.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``category``, ``predicted``, ``confidence``, ``value`` (what it is ranked by; NaN, and last, where that
        is not known). Ties keep their order.
    """
    shares = chosen[probability_columns(chosen)].to_numpy(dtype=np.float64)
    value = confidence = shares.max(axis=1, initial=0.0)
    if by is Rank.QUALITY:
        position = {name: at for at, name in enumerate(categories_of(evaluation))}
        value = shares[np.arange(len(chosen)), chosen["category"].map(position).to_numpy(dtype=np.int64)]
    elif by is Rank.NEARNESS:
        value = np.full(len(chosen), np.nan) if known is None else _nearness(chosen, known)
    table = chosen[["id", "category", "predicted"]].assign(confidence=confidence, value=value)
    return table.sort_values("value", ascending=by is Rank.QUALITY, kind="stable", ignore_index=True)


def confusion_change(before: Evaluation, after: Evaluation, categories: Sequence[str]) -> pd.DataFrame:
    """How many videos more or fewer than before are in each cell, of the videos that both evaluations judged.

    Returns
    -------
    pandas.DataFrame
        ``category``, ``predicted``, ``before``, ``after``, ``difference`` (after less before), one row a cell of
        ``categories``, in the order of ``analysis.metrics.confusion_table``. A video whose label or prediction was none
        of these is in no cell.
    """
    both = set(before.predictions["id"]) & set(after.predictions["id"])
    counts = [_counts(one.predictions, both, categories) for one in (before, after)]
    table = counts[0][["category", "predicted"]].assign(before=counts[0]["n"], after=counts[1]["n"])
    return table.assign(difference=table["after"] - table["before"])[list(CHANGE_COLUMNS)]


def _counts(predictions: pd.DataFrame, ids: set[str], categories: Sequence[str]) -> pd.DataFrame:
    named = predictions["category"].isin(categories) & predictions["predicted"].isin(categories)
    return confusion_table(predictions[named & predictions["id"].isin(ids)], categories)


def _nearness(chosen: pd.DataFrame, known: Background) -> NDArray[np.float64]:
    """Cosine of each video to the mean of its predicted category, own group left out: (n,), NaN where none is left."""
    rows = np.array([known.row_of.get(str(video_id), -1) for video_id in chosen["id"]], dtype=np.int64)
    found = np.full(len(chosen), np.nan)
    for category in pd.unique(chosen["predicted"]):
        members = np.flatnonzero(known.categories == category)
        whole = known.unit[members].sum(axis=0)
        own: dict[bytes, NDArray[np.float32]] = {}
        for at in np.flatnonzero((chosen["predicted"] == category).to_numpy() & (rows >= 0)):
            group = known.groups[rows[at]].tobytes()
            if group not in own:
                own[group] = known.unit[members[~known.apart(rows[at])[members]]].sum(axis=0)
            rest = whole - own[group]
            if np.linalg.norm(rest) > 1e-6:
                found[at] = float(known.unit[rows[at]] @ normalised(rest[None])[0])
    return found
