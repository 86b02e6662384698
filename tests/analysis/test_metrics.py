"""Metrics agree with scikit-learn's, and the tables with the counts."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from analysis.intervals import Resamples
from analysis.metrics import (
    confusion_matrix,
    confusion_report,
    confusion_table,
    copies_sentence,
    left_out_counts,
    metrics_of,
    probability_names,
    scores_table,
    top_confusions,
)

NAMES = ["a", "b", "c", "d"]


@st.composite
def judged(draw):
    """Labels, probabilities (also sure ones, ties, and categories that are never predicted or absent), and groups."""
    n, seed = draw(st.integers(1, 60)), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    y = rng.choice(draw(st.lists(st.integers(0, 3), min_size=1, max_size=4)), size=n)
    weights = rng.choice([0.0, 0.2, 1.0, 5.0], size=(n, 4)) * np.array(
        draw(st.sampled_from([[1, 1, 1, 1], [1, 1, 0, 1]]))
    )
    weights[:, 0] += weights.sum(axis=1) == 0
    return y, weights / weights.sum(axis=1, keepdims=True), rng.integers(0, 12, size=n).astype(object)


def error_of_calibration(y, P):
    """Expected calibration error by its definition, bin by bin."""
    confidence, right, total = P.max(axis=1), P.argmax(axis=1) == y, 0.0
    for i in range(15):
        inside = (confidence > i / 15 + 1e-10) & (confidence <= (i + 1) / 15 + 1e-10)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return total


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:.*single label was found")
@settings(max_examples=100, deadline=None)
@given(judged())
def test_metrics_are_those_of_scikit_learn(given_):
    """Every metric to 1e-9, also with categories that are absent or never predicted; the matrix sums to n."""
    y, P, groups = given_
    found, guess = metrics_of(y, P, NAMES, Resamples.of(groups, draws=20)), P.argmax(axis=1)
    options = {"labels": range(4), "zero_division": 0}
    expected = {
        "accuracy": reference.accuracy_score(y, guess),
        "balanced_accuracy": reference.balanced_accuracy_score(y, guess),
        "precision_macro": reference.precision_score(y, guess, average="macro", **options),
        "recall_macro": reference.recall_score(y, guess, average="macro", **options),
        "f1_macro": reference.f1_score(y, guess, average="macro", **options),
        "log_loss": reference.log_loss(y, P, labels=range(4)),
        "brier": reference.brier_score_loss(y, P, labels=range(4), scale_by_half=False),
        "calibration_error": error_of_calibration(y, P),
    }
    assert {name: found[name]["value"] for name in expected} == pytest.approx(expected, abs=1e-9)
    each = reference.precision_recall_fscore_support(y, guess, **options)
    for name, values in zip(("precision", "recall", "f1"), each, strict=False):
        assert [found["per_category"][one][name]["value"] for one in NAMES] == pytest.approx(values, abs=1e-9)
    assert [found["per_category"][one]["n"] for one in NAMES] == each[3].tolist()
    assert found["confusion"] == reference.confusion_matrix(y, guess, labels=range(4)).tolist()
    assert np.sum(found["confusion"]) == found["n"] == len(y)


def metric_objects(metrics):
    """All metric objects of what ``metrics_of`` gives."""
    each = [one for scores in metrics["per_category"].values() for one in scores.values()]
    return [one for one in [*metrics.values(), *each] if isinstance(one, dict) and "value" in one]


@settings(max_examples=60, deadline=None)
@given(judged())
def test_intervals_hold_their_values_and_repeat(given_):
    """No value is outside its interval, nor an interval outside the metric's range; the same seed, the same bytes."""
    y, P, groups = given_
    first, again = (metrics_of(y, P, NAMES, Resamples.of(groups, draws=50, seed=4)) for _ in range(2))
    assert json.dumps(first) == json.dumps(again)
    found = metric_objects(first)
    assert len(found) == 8 + 12
    assert all(0 <= one["low"] <= one["value"] <= one["high"] <= 37 for one in found)
    assert all(one["high"] <= 1 for one in found if one not in (first["log_loss"], first["brier"]))
    assert first["brier"]["high"] <= 2


def test_single_precision_costs_what_it_can_tell():
    """A sure error costs as much as float32 can tell apart, as in scikit-learn, not infinitely much."""
    P = np.array([[1, 0], [0, 1]], dtype=np.float32)
    found = metrics_of(np.array([1, 1]), P, ["a", "b"], Resamples.of(np.array(["x", "y"], dtype=object)))
    assert found["log_loss"]["value"] == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2, abs=1e-6)


@pytest.mark.slow
def test_the_interval_of_the_calibration_error_is_not_moved_up_by_drawing():
    """Of 300 classifiers whose true error is 0.1, at least 85 in 100 intervals hold it; not drawn, but reflected."""
    rng, held = np.random.default_rng(0), 0
    groups = np.repeat(np.arange(200), 3).astype(object)
    resamples = Resamples.of(groups, draws=500)
    for _ in range(300):
        true = rng.uniform(0.55, 0.85, size=600)
        right = rng.random(600) < true
        said = np.column_stack([true + 0.1, 0.9 - true])
        found = metrics_of((~right).astype(np.int64), said, ["a", "b"], resamples)["calibration_error"]
        held += found["low"] <= 0.1 <= found["high"]
    assert held >= 255, held


def test_scores_are_a_row_for_each_category():
    """Value and interval of precision, recall and F1; a category that is never predicted has precision 0, unknown."""
    P = np.eye(3)[[0, 1, 1, 1]]
    groups = Resamples.of(np.arange(4).astype(object))
    found = scores_table(metrics_of(np.array([0, 0, 1, 2]), P, ["a", "b", "c"], groups))
    ends = [f"{name}{end}" for name in ("precision", "recall", "f1") for end in ("", "_low", "_high")]
    assert found.columns.tolist() == ["category", "n", *ends]
    values = found[["category", "n", "precision", "recall"]].to_numpy().tolist()
    assert values == [["a", 2, 1.0, 0.5], ["b", 1, pytest.approx(1 / 3), 1.0], ["c", 1, 0.0, 0.0]]
    assert found.loc[2, ["precision", "precision_low", "precision_high"]].tolist() == [0, 0, 1]


def test_draws_without_a_category_say_nothing_of_it():
    """A category always found where it is there has no interval that ends at 0; one without videos may be anything."""
    y, told = np.repeat([0, 1], [3, 6]), np.array([0, 0, 0, 0, 1, 1, 0, 1, 1])
    groups = np.array(["x", "y", "z", *"uuuvvv"], dtype=object)
    found = metrics_of(y, np.eye(3)[told], ["a", "b", "c"], Resamples.of(groups, draws=300))["per_category"]
    assert found["a"]["precision"]["low"] >= 1 / 9
    assert found["a"]["f1"]["low"] >= 1 / 5
    absent = metrics_of(y, np.eye(3)[[2] * 9], ["a", "b", "c"], Resamples.of(groups, draws=300))["per_category"]["c"]
    assert [absent[name] for name in ("precision", "recall", "f1")] == [{"value": 0.0, "low": 0.0, "high": 1.0}] * 3


def test_scores_of_older_runs_are_read():
    """Runs from before intervals have plain numbers and no F1: the table has these, and NaN for the rest."""
    found = scores_table({"per_category": {"a": {"precision": 0.5, "recall": 0.25, "n": 4}}})
    assert found[["category", "n", "precision", "recall"]].to_numpy().tolist() == [["a", 4, 0.5, 0.25]]
    assert found.drop(columns=["category", "n", "precision", "recall"]).isna().all(axis=None)


def test_top_confusions_are_ranked_by_excess_over_chance():
    """Ten errors that all fall on one of two equal categories are twice what chance gives; the even ones are chance."""
    confusion = np.array([[10, 10, 0], [4, 12, 4], [0, 0, 20]])
    table = top_confusions(confusion, ["a", "b", "c"])
    assert table.columns.tolist() == ["category", "predicted", "n", "times_chance"]
    assert table.to_numpy().tolist() == [["a", "b", 10, 2.0], ["b", "a", 4, 1.0], ["b", "c", 4, 1.0]]


def test_an_error_towards_a_category_without_videos_is_beyond_chance():
    """Nothing is expected there, so any count is infinitely many times chance, and a clean matrix has no confusions."""
    assert top_confusions(np.array([[1, 1, 1], [0, 1, 0], [0, 0, 0]]), ["a", "b", "c"])["times_chance"].tolist() == [
        float("inf"),
        0.5,
    ]
    assert top_confusions(np.eye(2, dtype=np.int64), ["a", "b"]).empty


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_rows_and_columns_of_the_confusion_matrix_are_shares(cells):
    """By row and by column each line sums to 1, or to 0 where it is empty; the report is plain JSON."""
    matrix = confusion_matrix(*np.array(cells).T, 4)
    report = json.loads(json.dumps(confusion_report(matrix, NAMES), allow_nan=False))
    for name, axis in (("confusion_by_row", 1), ("confusion_by_column", 0)):
        sums = np.array(report[name]).sum(axis=axis)
        assert sums.tolist() == pytest.approx((matrix.sum(axis=axis) > 0).astype(float))
    assert len(report["top_confusions"]) == min(10, int(((matrix > 0) & ~np.eye(4, dtype=bool)).sum()))
    table = confusion_table(
        pd.DataFrame([(NAMES[i], NAMES[j]) for i, j in cells], columns=["category", "predicted"]), NAMES
    )
    assert table["n"].tolist() == matrix.ravel().tolist()
    assert table["share"].tolist() == np.array(report["confusion_by_row"]).ravel().tolist()
    assert table["share_of_predicted"].tolist() == np.array(report["confusion_by_column"]).ravel().tolist()


def test_those_left_out_are_counted_by_category_and_reason():
    """The most frequent first; no label is None, not a word."""
    rows = [("a", None, "no label"), ("b", "x", "no embedding"), ("c", None, "no label")]
    counted = left_out_counts(pd.DataFrame(rows, columns=["id", "category", "reason"], dtype=object))
    assert counted == [
        {"category": None, "reason": "no label", "n": 2},
        {"category": "x", "reason": "no embedding", "n": 1},
    ]
    assert left_out_counts(pd.DataFrame([], columns=["id", "category", "reason"], dtype=object)) == []


@given(st.lists(st.sampled_from(["id", "fold", "id (category)", "predicted", "food", "end_seconds"]), unique=True))
def test_probability_columns_never_collide(categories):
    """Whatever categories are called, each has a column of its own beside the table's."""
    names = probability_names(categories)
    assert len({*names, "id", "category", "predicted", "fold", "start_seconds", "end_seconds"}) == len(names) + 6


def test_what_is_said_of_copies():
    """Copies that stayed together are said to; published folds that part them are told of; without any, nothing is."""
    assert copies_sentence(None) == ""
    assert copies_sentence({"videos": 0, "groups": 0, "parted": 0}) == ""
    assert copies_sentence({"videos": 5, "groups": 2, "parted": 0}).endswith(
        "(2 groups): each group was kept together."
    )
    assert "the published folds part 1 of the groups" in copies_sentence({"videos": 5, "groups": 2, "parted": 1})
