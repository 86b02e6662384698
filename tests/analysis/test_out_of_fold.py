"""Out of fold: what a model is asked is never what it learned from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import network
from analysis import out_of_fold as out_of_fold_module
from analysis.classifier import make_classifier
from analysis.network import OriginalClassifier
from analysis.out_of_fold import fold_models, out_of_fold


class Remembers:
    """Says of a row whether it learned from it: column 1 where it did, column 0 where not."""

    def fit(self, X, y):
        """Remember the rows."""
        self.known, self.classes_ = {float(x) for x in X[:, 0]}, np.arange(2)
        return self

    def predict_proba(self, X):
        """Certain either way."""
        return np.eye(2)[[int(float(x) in self.known) for x in X[:, 0]]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=30), st.lists(st.integers(-1, 5), max_size=10))
def test_no_row_is_judged_by_a_model_that_learned_from_it(folds, others):
    """Every row is unknown to its model; others are judged by their fold's model, and by none where there is none."""
    fold_of, also_fold = np.array(folds), np.array(others, dtype=np.int64)
    X = np.arange(len(folds), dtype=np.float32)[:, None]
    also = X[np.arange(len(others)) % len(folds)]
    groups = np.array(folds, dtype=object)
    own, other = out_of_fold(Remembers, X, fold_of * 0, groups, fold_of, 2, also=also, also_fold=also_fold)
    assert own[:, 0].all()
    judged = np.isin(also_fold, fold_of)
    assert not other[~judged].any()
    same = fold_of[np.arange(len(others)) % len(folds)] == also_fold
    np.testing.assert_array_equal(other[judged, 0] == 1, same[judged])


def test_each_fold_is_told_and_its_model_gets_the_groups_of_what_it_learns_from():
    """Folds come in their order, and probabilities of the original network sum to 1."""
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 12)
    X = (rng.normal(size=(24, 8)) + 3 * y[:, None]).astype(np.float32)
    groups = np.array([f"g{i // 2}" for i in range(24)], dtype=object)
    heard = []
    found, nothing = out_of_fold(
        lambda: make_classifier("original", 2, 0),
        X,
        y,
        groups,
        np.arange(24) // 2 % 3,
        2,
        on_fold=lambda *n: heard.append(n),
    )
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert nothing.shape == (0, 2)


def test_folds_side_by_side_are_the_same_to_the_last_digit(monkeypatch):
    """However many processes learn, each fold's network has the same weights, and folds come in their order."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(40, 8)).astype(np.float32), np.arange(40) % 2
    groups, fold_of = np.array([f"g{n}" for n in range(40)], dtype=object), np.arange(40) // 2 % 3
    epochs = []
    monkeypatch.setattr(network, "MAX_EPOCHS", 200)  # as in the processes

    def models():
        return list(fold_models(lambda: OriginalClassifier(2, 5, epochs.append), X, y, groups, fold_of))

    one_after_the_other = models()
    told = len(epochs)
    assert told > 0
    monkeypatch.setattr(out_of_fold_module, "SIDE_BY_SIDE", 40)
    monkeypatch.setattr(out_of_fold_module, "cores", lambda: 2)
    side_by_side = models()
    assert len(epochs) == told
    for (fold, one), (other_fold, other) in zip(one_after_the_other, side_by_side, strict=True):
        assert fold == other_fold
        for name, array in one.weights_.items():
            np.testing.assert_array_equal(array, other.weights_[name])
