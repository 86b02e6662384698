"""Logistic regression in whitened dimensions is scikit-learn's, and is the same on any number of threads."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from analysis.regression import WhitenedRegression


def drawn(n: int, d: int, k: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Videos whose dimensions go together, in categories of unlike sizes that they tell of."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / np.sqrt(d) + rng.normal(size=(n, 1))
    wanted = X @ rng.normal(size=(d, k)) + rng.gumbel(size=(n, k)) - np.arange(k)
    return X.astype(np.float32), wanted.argmax(axis=1)


def of_scikit_learn(X: NDArray[np.float32], y: NDArray[np.int64], **how: Any) -> LogisticRegression:
    """The same model, fitted as closely as doubles allow."""
    return LogisticRegression(solver="newton-cg", tol=1e-11, max_iter=5000, **how).fit(X.astype(np.float64), y)


@pytest.mark.parametrize(("C", "class_weight"), [(1.0, None), (1.0, "balanced"), (0.01, None), (10.0, "balanced")])
@pytest.mark.parametrize(("n", "d", "k"), [(300, 12, 4), (300, 12, 2), (60, 100, 3), (9000, 5, 3)])
def test_it_is_scikit_learns_regression(n: int, d: int, k: int, C: float, class_weight: str | None) -> None:
    """Weights, intercepts and probabilities agree, with more dimensions than videos and beyond a block of rows too."""
    X, y = drawn(n, d, k)
    own, other = WhitenedRegression(C, class_weight).fit(X, y), of_scikit_learn(X, y, C=C, class_weight=class_weight)
    assert own.coef_.shape == other.coef_.shape
    np.testing.assert_allclose(own.coef_, other.coef_, atol=1e-5, rtol=1e-5)
    centred = [model.intercept_ - (model.intercept_.mean() if k > 2 else 0) for model in (own, other)]
    np.testing.assert_allclose(*centred, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X.astype(np.float64)), atol=1e-6)
    assert own.predict(X).tolist() == other.predict(X).tolist()


@pytest.mark.parametrize("k", [2, 4])
def test_categories_that_lie_apart_take_few_steps_as_well(k: int) -> None:
    """Where every video is told for sure the weights are as exact, after a second look at the curvature."""
    X, y = drawn(120, 150, k)
    X[np.arange(120), y] += 20.0
    own, other = WhitenedRegression(C=1e4).fit(X, y), of_scikit_learn(X, y, C=1e4)
    np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X.astype(np.float64)), atol=1e-6)
    np.testing.assert_allclose(own.coef_, other.coef_, rtol=1e-4, atol=1e-4)
    assert 50 < own.n_iter_ < 150


def test_dimensions_that_say_nothing_do_no_harm() -> None:
    """A dimension that is constant, and one that is there twice, leave the answer what the penalty makes of it."""
    X, y = drawn(200, 6, 3)
    X = np.hstack([X, X[:, :1], np.zeros((200, 1), np.float32)])
    own, other = WhitenedRegression().fit(X, y), of_scikit_learn(X, y)
    np.testing.assert_allclose(own.coef_, other.coef_, atol=1e-5)
    assert own.coef_[:, -1].tolist() == [0, 0, 0]


def test_names_of_categories_are_kept() -> None:
    """Categories need not be numbered from 0 without a gap: the training part of a fold may lack some."""
    X, y = drawn(200, 6, 3)
    model = WhitenedRegression().fit(X, np.array([2, 5, 9])[y])
    assert model.classes_.tolist() == [2, 5, 9]
    assert set(model.predict(X).tolist()) <= {2, 5, 9}


def test_a_single_category_is_refused() -> None:
    """There is nothing to tell apart."""
    X, _ = drawn(10, 3, 2)
    with pytest.raises(ValueError, match="two categories"):
        WhitenedRegression().fit(X, np.zeros(10, np.int64))


def test_the_number_of_threads_changes_no_bit() -> None:
    """A machine with more cores gets the same weights."""
    X, y = drawn(3000, 300, 4)
    fitted = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fitted.append(WhitenedRegression().fit(X, y))
    assert fitted[0].coef_.tobytes() == fitted[1].coef_.tobytes()
    assert fitted[0].intercept_.tobytes() == fitted[1].intercept_.tobytes()
