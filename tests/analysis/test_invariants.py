"""What holds of every evaluation, whatever the collection is like."""

import json

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from analysis.dataset import load_dataset
from analysis.evaluation import evaluate, evaluation_run, with_model
from analysis.metrics import probability_columns
from quartzlens.errors import NotEnoughDataError
from tests.analysis.made_up_collections import filled_store, fingerprint_of, result, row

PRINT = fingerprint_of(6)
ALONE = 0


@st.composite
def collections(draw):
    """Videos of two to four categories in channels of any size that may hold several of them, or in none."""
    k, n = draw(st.integers(2, 4)), draw(st.integers(8, 40))
    labels = draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    channels = draw(st.lists(st.integers(ALONE, 9), min_size=n, max_size=n))
    rows = [
        row(number, f"kind {label}", f"c{channel}" if channel != ALONE else None)
        for number, (label, channel) in enumerate(zip(labels, channels, strict=True), 1)
    ]
    random = np.random.default_rng(draw(st.integers(0, 99)))
    apart = draw(st.sampled_from([0.0, 0.5, 3.0]))
    pieces = [random.normal(size=(2, 6)) + apart * np.eye(6)[label] + 4.0 for label in labels]
    return filled_store(rows, [result(one.video_id, own) for one, own in zip(rows, pieces, strict=True)])


def judged(store, classifier, seed, repeats=1):
    """An evaluation with its data set; what cannot be judged is no example."""
    try:
        dataset = load_dataset(store, PRINT)
        found = evaluate(dataset, store.fragments(PRINT), classifier=classifier, seed=seed, repeats=repeats)
        return dataset, with_model(found, dataset, classifier=classifier, seed=seed)
    except NotEnoughDataError:
        reject()


@settings(max_examples=15, deadline=None)
@given(collections(), st.sampled_from(["knn", "logistic"]), st.integers(0, 1000), st.integers(1, 2))
def test_groups_probabilities_and_the_confusion_table_are_whole(store, classifier, seed, repeats):
    """No group is in two folds of a repeat, probabilities sum to 1, and the confusion table sums to n by its rows."""
    dataset, found = judged(store, classifier, seed, repeats)
    for repeat in range(1, repeats + 1):
        assert (found.folds.groupby("group")[f"fold_{repeat}"].nunique() == 1).all()
    for table in (found.predictions, found.fragments):
        shares = table[probability_columns(table)].to_numpy()
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
        assert shares.min() >= 0
    assert found.confusion.sum(axis=1).tolist() == np.bincount(dataset.y, minlength=len(dataset.categories)).tolist()
    assert found.confusion.sum() == found.metrics["n"] == len(dataset.ids)
    json.dumps(found.metrics, allow_nan=False)


@pytest.mark.parametrize(("classifier", "times"), [("logistic", 3), ("original", 2)])
def test_the_same_seed_gives_the_same_bytes(classifier, times):
    """Tables, weights and results of an evaluation are the same to the last byte, whatever the collection."""

    @settings(max_examples=times, deadline=None)
    @given(collections(), st.integers(0, 1000))
    def holds(store, seed):
        """Judge twice."""
        first, second = (evaluation_run(judged(store, classifier, seed)[1], PRINT, seed, 0) for _ in range(2))
        assert first.files == second.files
        assert json.dumps(first.results) == json.dumps(second.results)
        assert first.settings == second.settings

    holds()
