"""A linear head with a temperature: logistic regression whose probabilities are put right on videos it has not seen."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from analysis.regression import WhitenedRegression
from analysis.splits import spared_part
from analysis.weights import probabilities_of, regression_weights

_COLDEST, _HOTTEST = 0.05, 20.0


def regression(class_weight: str | None = None) -> Pipeline:
    """Make logistic regression on standardised dimensions, untrained."""
    return make_pipeline(StandardScaler(), WhitenedRegression(class_weight=class_weight))


class LinearClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Logistic regression with temperature scaling (Guo et al. 2017, "On calibration of modern neural networks").

    ``fit`` spares whole groups (about a fifth of each category), fits a regression to the rest, and finds the one
    temperature that makes the spared videos most probable. The regression that is kept learns from all of them again
    and takes that temperature: it has seen more, so if anything it is surer than it had to be. Where a category has no
    group to spare, the temperature is 1.

    Attributes
    ----------
    temperature_
        What logits are divided by.
    weights_
        Scaling and layer as float32 arrays, the temperature in them (``analysis.weights``).
    """

    spares_groups = True

    def __init__(self, seed: int = 0, class_weight: str | None = None) -> None:
        self.seed = seed
        self.class_weight = class_weight

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64], groups: NDArray[np.object_] | None = None) -> Self:
        """Learn from (n, d) float32 embeddings with categories (n,) int64; ``groups`` (n,) default to one each."""
        groups = np.arange(len(y)).astype(object) if groups is None else groups
        spared = spared_part(y, groups, self.seed)
        self.classes_ = np.unique(y)
        self.temperature_ = 1.0
        if set(y[spared].tolist()) == set(y.tolist()):
            before = regression(self.class_weight).fit(X[~spared], y[~spared])
            logits = np.log(np.maximum(before.predict_proba(X[spared]), np.finfo(np.float64).tiny))
            self.temperature_ = temperature(logits, np.searchsorted(self.classes_, y[spared]))
        fitted = regression_weights(regression(self.class_weight).fit(X, y))
        scaled = {name: fitted[name] / np.float32(self.temperature_) for name in ("output.weight", "output.bias")}
        self.weights_ = {**fitted, **scaled}
        return self

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each of ``classes_``: (n, d) -> (n, k) float32."""
        return probabilities_of(self.weights_, X)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Most probable category: (n, d) -> (n,) int64."""
        predicted: NDArray[np.int64] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted


def temperature(logits: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The temperature in [0.05, 20] under which ``y`` (n,) are most probable by ``logits`` (n, k)."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows = np.arange(len(y))

    def loss(log_temperature: float) -> float:
        """Mean log loss under a temperature."""
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[rows, y].mean())

    found = minimize_scalar(loss, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return float(np.exp(found.x))
