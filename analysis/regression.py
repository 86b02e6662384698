"""Logistic regression that is quick where dimensions go together, as those of embeddings do."""

from collections.abc import Iterator
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

Doubles = NDArray[np.float64]

_BLOCK = 8192  # rows that are doubled in precision at a time
_CLOSE = 1e-8  # of the gradient of the mean loss, in whitened dimensions
_STEPS = 50
"""Before the curvature is looked at once more: of most embeddings they are enough."""
_MOST_STEPS = 2000


class WhitenedRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's ``LogisticRegression`` (L2 penalty, intercept free), fitted in whitened dimensions.

    The loss is the same, so is its one optimum, and ``coef_``, ``intercept_``, ``classes_`` mean the same. L-BFGS takes
    hundreds of steps where dimensions go together: the loss is then a long valley. Here its variables are V = L' W,
    where L L' is about the curvature of the loss: X'DX + 1 / (C n), where D has the mean of p (1 - p) over the
    categories of each video, by its share, as of the probabilities that the first step starts from, all 1 / k. The
    valley becomes a bowl, and a few dozen steps end nearer to the optimum. Where categories can be told apart without
    error probabilities move far from there, and L is made anew of those that were reached
    (a preconditioner; Nocedal and Wright 2006, "Numerical optimization", chapter 7; python -m benchmarks evaluation).

    Parameters
    ----------
    C
        Inverse strength of the penalty, against the sum of losses.
    class_weight
        None or ``balanced``, as in scikit-learn.
    """

    def __init__(self, C: float = 1.0, class_weight: str | None = None) -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: NDArray[np.floating], y: NDArray[np.int64]) -> Self:
        """Learn from (n, d) dimensions of about one size with categories (n,). Raises ValueError for only one."""
        self.classes_, rows = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("A regression needs videos of two categories at least.")
        shares = compute_sample_weight(self.class_weight, y)
        wanted = _wanted(rows, len(self.classes_))
        # By one thread the sums are the same on any number of cores; two are hardly quicker.
        with threadpool_limits(1):
            problem = _Problem(X, wanted, shares / shares.sum(), 1 / (self.C * shares.sum()))
            weights, bias = np.zeros((X.shape[1], wanted.shape[1])), np.zeros(wanted.shape[1])
            weights, bias, self.n_iter_, is_there = problem.descended(weights, bias, _STEPS)
            if not is_there:
                weights, bias, more, _ = problem.descended(weights, bias, _MOST_STEPS)
                self.n_iter_ += more
        self.coef_, self.intercept_ = weights.T, bias
        return self

    def predict_proba(self, X: NDArray[np.floating]) -> Doubles:
        """Probability of each of ``classes_``: (n, d) -> (n, k) float64."""
        logits = X @ self.coef_.T + self.intercept_
        if logits.shape[1] == 1:
            logits = np.hstack([np.zeros_like(logits), logits])
        shares: Doubles = softmax(logits, axis=1)
        return shares

    def predict(self, X: NDArray[np.floating]) -> NDArray[np.int64]:
        """Most probable category: (n, d) -> (n,)."""
        predicted: NDArray[np.int64] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted


def _wanted(rows: NDArray[np.int64], k: int) -> Doubles:
    """What is to be predicted, (n, columns): a column for each category, of two for the second alone."""
    return np.eye(k)[rows] if k > 2 else rows[:, None].astype(np.float64)


class _Problem:
    """The mean loss over X (n, d), each row of which counts by ``shares`` (n,), with a penalty of some strength."""

    def __init__(self, X: NDArray[np.floating], wanted: Doubles, shares: Doubles, strength: float) -> None:
        self._X = X if len(X) > _BLOCK else X.astype(np.float64)
        self._wanted, self._shares, self._strength = wanted, shares, strength

    def _blocks(self) -> Iterator[tuple[slice, Doubles]]:
        for start in range(0, len(self._X), _BLOCK):
            rows = slice(start, start + _BLOCK)
            yield rows, self._X[rows].astype(np.float64, copy=False)

    def descended(self, weights: Doubles, bias: Doubles, most_steps: int) -> tuple[Doubles, Doubles, int, bool]:
        """Weights and bias after some steps from others, how many these were, and whether the optimum is reached."""
        asked = {"maxiter": most_steps, "maxfun": 2 * most_steps, "gtol": _CLOSE, "ftol": 0.0}
        start = self.whitened(weights, bias)
        found = minimize(self.loss, start, jac=True, method="L-BFGS-B", options=asked)
        return *self.unwhitened(found.x), int(found.nit), bool(found.success)

    def whitened(self, weights: Doubles, bias: Doubles) -> Doubles:
        """Whiten by the curvature at weights (d, columns) and bias (columns,); these as variables, flat."""
        d = len(weights)
        curvature, self._bend = np.zeros((d, d)), self._strength
        for rows, some in self._blocks():
            _, predicted = _judged(some @ weights + bias, self._wanted[rows])
            curves = self._shares[rows] * (predicted * (1 - predicted)).mean(axis=1)
            curvature += (some * curves[:, None]).T @ some
            self._bend += float(curves.sum())
        curvature[np.diag_indices(d)] += self._strength
        self._whitener = cholesky(curvature, lower=True, overwrite_a=True)
        return np.vstack([bias * np.sqrt(self._bend), self._whitener.T @ weights]).ravel()

    def unwhitened(self, flat: Doubles) -> tuple[Doubles, Doubles]:
        """Weights (d, columns) and bias (columns,) of whitened variables."""
        variables = flat.reshape(-1, self._wanted.shape[1])
        weights: Doubles = solve_triangular(self._whitener, variables[1:], lower=True, trans="T")
        return weights, variables[0] / np.sqrt(self._bend)

    def loss(self, flat: Doubles) -> tuple[float, Doubles]:
        """Mean loss with the penalty, and its gradient, of whitened variables."""
        weights, bias = self.unwhitened(flat)
        loss = self._strength * float((weights**2).sum()) / 2
        by_weight, by_bias = self._strength * weights, np.zeros_like(bias)
        for rows, some in self._blocks():
            losses, predicted = _judged(some @ weights + bias, self._wanted[rows])
            loss += float(self._shares[rows] @ losses)
            off = self._shares[rows, None] * (predicted - self._wanted[rows])
            by_weight += some.T @ off
            by_bias += off.sum(axis=0)
        whitened = solve_triangular(self._whitener, by_weight, lower=True)
        return loss, np.vstack([by_bias / np.sqrt(self._bend), whitened]).ravel()


def _judged(logits: Doubles, wanted: Doubles) -> tuple[Doubles, Doubles]:
    """Loss of each row (n,), and what is predicted, in the columns of ``wanted``."""
    every = logits if logits.shape[1] > 1 else np.hstack([np.zeros_like(logits), logits])
    total = logsumexp(every, axis=1)
    return total - (logits * wanted).sum(axis=1), np.exp(logits - total[:, None])
