"""Tables of an evaluation's metrics, as charts want them; empty where a run is too old to know, or was not asked."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.metrics import figure, interval

OVERALL = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision_macro": "precision, macro",
    "recall_macro": "recall, macro",
    "f1_macro": "F1, macro",
    "log_loss": "log loss",
    "brier": "Brier score",
    "calibration_error": "calibration error",
}
NAMES = {
    "majority": "always the largest category",
    "knn": "nearest neighbours",
    "logistic": "logistic regression",
    "text": "title and description alone",
    "audio+text": "sound and text together",
}
"""Baselines in words."""
_ENDS = ("value", "low", "high")


def baselines_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """The classifier and its baselines, one row each, the classifier first.

    Returns
    -------
    pandas.DataFrame
        ``name`` (in words), ``own`` (bool: the classifier), ``value``, ``low``, ``high`` (accuracy), ``difference``,
        ``difference_low``, ``difference_high`` (the classifier's accuracy less that of the baseline), ``bootstrap_p``,
        ``mcnemar_p``; NaN in the first row.
    """
    columns = ["name", "own", *_ENDS, *(f"difference{end}" for end in ("", "_low", "_high"))]
    columns += ["bootstrap_p", "mcnemar_p"]
    beside = metrics.get("baselines") or {}
    rows: list[tuple[object, ...]] = []
    if beside:
        rows.append((metrics["classifier"], True, *_ends(metrics["accuracy"]), *[float("nan")] * 5))
    for name, one in beside.items():
        against = one["compared"]
        tests = against["bootstrap_p"], against["mcnemar_p"]
        rows.append((NAMES[name], False, *_ends(one["accuracy"]), *_ends(against["difference"]), *tests))
    return pd.DataFrame(rows, columns=columns)


def overall_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """The figures over all categories: ``name`` (in words), ``value``, ``low``, ``high``."""
    rows = [(said, *_ends(metrics[name])) for name, said in OVERALL.items() if name in metrics]
    return pd.DataFrame(rows, columns=["name", *_ENDS])


def reliability_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Confidence beside accuracy: ``from``, ``to`` (of a bin), ``n``, ``confidence``, ``value``, ``low``, ``high``."""
    bins = (metrics.get("calibration") or {}).get("reliability") or []
    rows = [(one["low"], one["high"], one["n"], one["confidence"], *_ends(one["accuracy"])) for one in bins]
    return pd.DataFrame(rows, columns=["from", "to", "n", "confidence", *_ENDS])


def coverage_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Accuracy against coverage: ``share``, ``threshold``, ``n``, ``value``, ``low``, ``high``."""
    rows = [
        (one["share"], one["threshold"], one["n"], *_ends(one["accuracy"])) for one in metrics.get("coverage") or []
    ]
    return pd.DataFrame(rows, columns=["share", "threshold", "n", *_ENDS])


def learning_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Accuracy against the number of training videos: ``n``, ``groups``, ``value``, ``low``, ``high``."""
    curve = metrics.get("learning_curve") or []
    rows = [(one["n"], one["groups"], *_ends(one["accuracy"])) for one in curve]
    return pd.DataFrame(rows, columns=["n", "groups", *_ENDS])


def probes_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """How well facts tell the category: ``fact``, ``value``, ``low``, ``high``, ``majority``, ``warning``.

    Facts that nothing can be told by are left out.
    """
    probes = (metrics.get("leaks") or {}).get("probes") or []
    rows = [
        (one["fact"], *_ends(one["accuracy"]), figure(one["majority"]), one["warning"])
        for one in probes
        if one["accuracy"] is not None
    ]
    return pd.DataFrame(rows, columns=["fact", *_ENDS, "majority", "warning"])


def _ends(metric: Any) -> tuple[float, float, float]:
    return figure(metric), *interval(metric)
