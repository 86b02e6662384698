"""Tables of an evaluation for charts: the metrics as they are, and nothing where a run does not know."""

import math

import pytest

from analysis.dataset import load_dataset
from analysis.evaluation import evaluate
from analysis.evaluation_checks import checks
from analysis.evaluation_tables import (
    baselines_table,
    coverage_table,
    learning_table,
    overall_table,
    probes_table,
    reliability_table,
)
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)
TABLES = (baselines_table, overall_table, reliability_table, coverage_table, learning_table, probes_table)


@pytest.fixture(scope="module")
def metrics():
    """All that an evaluation and its whole report say."""
    store = labelled_store(channels=8, per_channel=2, apart=0.7)
    dataset = load_dataset(store, PRINT)
    evaluation = evaluate(dataset, store.fragments(PRINT), classifier="logistic", folds=4)
    return evaluation.metrics | checks(store, PRINT, dataset, evaluation, level="full", classifier="logistic")


@pytest.mark.parametrize("table", TABLES)
def test_a_run_that_knows_nothing_of_it_gives_an_empty_table(table):
    """Older runs and brief reports are no special case for a chart: columns are there, rows are not."""
    empty = table({})
    assert empty.empty
    assert len(empty.columns) > 1


def test_the_classifier_comes_first_among_its_baselines(metrics):
    """Each row has the accuracy that the metrics have; the classifier is compared with others, not with itself."""
    table = baselines_table(metrics)
    assert table["own"].tolist() == [True] + [False] * len(metrics["baselines"])
    assert table["value"].tolist()[0] == metrics["accuracy"]["value"]
    assert math.isnan(table["difference"].iloc[0])
    for row, one in zip(table[1:].to_dict("records"), metrics["baselines"].values(), strict=True):
        assert (row["value"], row["low"]) == (one["accuracy"]["value"], one["accuracy"]["low"])
        assert row["difference_high"] == one["compared"]["difference"]["high"]
        assert row["bootstrap_p"] == one["compared"]["bootstrap_p"]


def test_values_lie_in_their_intervals_and_counts_add_up(metrics):
    """Whatever is drawn with an interval lies in it, the bins of confidence hold all videos, shares fall."""
    for table in (overall_table, reliability_table, coverage_table, learning_table):
        drawn = table(metrics)
        assert not drawn.empty
        assert (drawn["low"] <= drawn["value"] + 1e-12).all()
        assert (drawn["value"] <= drawn["high"] + 1e-12).all()
    assert reliability_table(metrics)["n"].sum() == metrics["n"]
    assert coverage_table(metrics)["share"].is_monotonic_decreasing
    assert learning_table(metrics)["n"].is_monotonic_increasing


def test_facts_that_tell_nothing_are_left_out(metrics):
    """A fact that nobody knows, or that is the same for all, has no accuracy to draw."""
    assert all(one["accuracy"] is None for one in metrics["leaks"]["probes"])
    assert probes_table(metrics).empty
    usual = {"value": 0.25, "low": 0.2, "high": 0.3}
    told = {"fact": "codec", "accuracy": {"value": 0.6, "low": 0.5, "high": 0.7}, "majority": usual, "warning": True}
    table = probes_table({"leaks": {"probes": [*metrics["leaks"]["probes"], told]}})
    assert table.values.tolist() == [["codec", 0.6, 0.5, 0.7, 0.25, True]]
