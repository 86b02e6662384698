"""Metrics agree with scikit-learn's, and the tables with the counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from analysis.metrics import (
    copies_sentence,
    left_out_counts,
    metrics_of,
    probability_names,
    scores_table,
    top_confusions,
)

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@settings(max_examples=50, deadline=None)
@given(pairs)
def test_metrics_are_those_of_scikit_learn(judged):
    """Accuracy, macro precision and recall, and the confusion matrix, to 1e-9; the matrix sums to n."""
    y, predicted = np.array(judged).T
    found = metrics_of(y, predicted, ["a", "b", "c", "d"])
    options = {"labels": range(4), "average": "macro", "zero_division": 0}
    expected = {
        "accuracy": reference.accuracy_score(y, predicted),
        "precision_macro": reference.precision_score(y, predicted, **options),
        "recall_macro": reference.recall_score(y, predicted, **options),
    }
    assert {name: found[name]["value"] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert found["confusion"] == reference.confusion_matrix(y, predicted, labels=range(4)).tolist()
    assert np.sum(found["confusion"]) == found["n"] == len(y)


def test_scores_are_a_row_for_each_category():
    """A category that is never predicted has precision 0, and its count."""
    found = scores_table(metrics_of(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), ["a", "b", "c"]))
    assert found.columns.tolist() == ["category", "n", "precision", "recall"]
    assert found.to_numpy().tolist() == [["a", 2, 1.0, 0.5], ["b", 1, pytest.approx(1 / 3), 1.0], ["c", 1, 0.0, 0.0]]


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
