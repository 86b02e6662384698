"""An evaluation after a few labels changed: the same folds, and nothing trained that would be trained the same."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.dataset import load_dataset
from analysis.evaluation import evaluate
from analysis.network import OriginalClassifier
from analysis.reuse import earlier_deal
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)


@pytest.fixture(scope="module")
def store():
    """Three categories, 4 channels of 3 videos."""
    return labelled_store(channels=4, per_channel=3, apart=0.7)


@pytest.fixture(scope="module")
def dataset(store):
    """All that can be judged."""
    return load_dataset(store, PRINT)


@pytest.fixture(scope="module")
def first(store, dataset):
    """An evaluation before any label changes."""
    return evaluate(dataset, store.fragments(PRINT), seed=2, folds=4)


@pytest.fixture
def trained(monkeypatch):
    """How many networks were trained."""
    fits = []
    keep = OriginalClassifier.fit

    def counted(self, X, y, groups=None):
        fits.append(len(y))
        return keep(self, X, y, groups)

    monkeypatch.setattr(OriginalClassifier, "fit", counted)
    return fits


def same(one, other):
    """Whether two evaluations say the same to the last digit."""
    pd.testing.assert_frame_equal(one.predictions, other.predictions)
    pd.testing.assert_frame_equal(one.fragments, other.fragments)
    assert one.metrics == other.metrics


def test_nothing_is_trained_again_where_nothing_changed(store, dataset, first, trained):
    """The same evaluation again is taken over whole, to the last digit."""
    same(evaluate(dataset, store.fragments(PRINT), seed=2, folds=4, earlier=first.earlier), first)
    assert trained == []


def test_the_fold_that_holds_the_changed_labels_is_taken_over(store, dataset, first, trained):
    """Its model learned from none of them; the others are trained anew, and all is as without taking over."""
    fold = int(first.predictions["fold"].iloc[0])
    y = dataset.y.copy()
    y[np.flatnonzero(first.predictions["fold"] == fold)[:2]] = (dataset.y[:2] + 1) % 3
    changed = replace(dataset, y=y)
    deals = earlier_deal(first.earlier, changed, 2)
    assert deals is not None
    assert deals[0][0].tolist() == first.predictions["fold"].tolist()
    again = evaluate(changed, store.fragments(PRINT), seed=2, deals=deals, folds=4, earlier=first.earlier)
    assert len(trained) == 3
    same(again, evaluate(changed, store.fragments(PRINT), seed=2, deals=deals, folds=4))


@pytest.mark.parametrize("change", ["seed", "classifier", "weight", "embedding", "group"])
def test_whatever_the_models_depend_on_is_trained_anew(store, dataset, first, change):
    """Another seed, classifier, weight, embedding or group: the answers are those of a whole evaluation."""
    how = {"seed": 2, "folds": 4}
    data = dataset
    if change == "seed":
        how["seed"] = 3
    elif change == "classifier":
        how["classifier"] = "logistic"
    elif change == "weight":
        how["class_weight"] = "balanced"
    elif change == "embedding":
        data = replace(dataset, X=dataset.X + np.float32(0.01))
    else:
        data = replace(dataset, groups=np.array([f"x {name}" for name in dataset.groups], dtype=object))
    fragments = store.fragments(PRINT)
    same(evaluate(data, fragments, **how, earlier=first.earlier), evaluate(data, fragments, **how))


def test_repeats_chosen_weights_and_estimators_of_ones_own_are_never_taken_over(store, dataset):
    """Of means, of choices, and of estimators that may not write out all of themselves, nothing is known by fold."""
    from sklearn.naive_bayes import GaussianNB

    fragments = store.fragments(PRINT)
    for how in ({"repeats": 2}, {"class_weight": "auto"}, {"classifier": GaussianNB()}):
        found = evaluate(dataset, fragments, **{"classifier": "logistic", **how}, folds=2)
        assert found.settings["fold_keys"] == []


def test_folds_of_before_are_kept_only_where_they_fit(store, dataset, first):
    """A new video, another group, several deals, or a category within one fold: None, and new ones are dealt."""
    new = replace(dataset, ids=("new", *dataset.ids[1:]))
    assert earlier_deal(first.earlier, new, 2) is None
    regrouped = replace(dataset, groups=np.array(["x", *dataset.groups[1:]], dtype=object))
    assert earlier_deal(first.earlier, regrouped, 2) is None
    twice = evaluate(dataset, store.fragments(PRINT), classifier="logistic", seed=2, folds=4, repeats=2)
    assert earlier_deal(twice.earlier, dataset, 2) is None
    within = np.where(first.predictions["fold"].to_numpy() == 0, 0, 1 + dataset.y % 2)
    assert earlier_deal(first.earlier, replace(dataset, y=within), 2) is None
    assert earlier_deal(replace(first.earlier, folds=pd.DataFrame()), dataset, 2) is None


def test_a_video_that_left_takes_its_row_alone(store, dataset, first):
    """The others keep their folds: a video of two categories that a person took out moves nobody."""
    rows = np.arange(1, len(dataset.ids))
    fewer = replace(dataset, ids=dataset.ids[1:], X=dataset.X[rows], y=dataset.y[rows], groups=dataset.groups[rows])
    deals = earlier_deal(first.earlier, fewer, 2)
    assert deals is not None
    assert deals[0][0].tolist() == first.predictions["fold"].tolist()[1:]


def test_published_folds_that_part_copies_are_not_taken_for_dealt_ones(dataset, first):
    """A group in two folds was a publisher's doing: dealt anew, it is kept together."""
    parted = first.earlier.folds.assign(fold_1=np.arange(len(dataset.ids)) % 4)
    assert earlier_deal(replace(first.earlier, folds=parted), dataset, 2) is None
