"""Categories of unequal size: weighted, drawn equally often, or whichever of these does best inside a training part."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from analysis.splits import grouped_folds, groups_per_category
from quartzlens.errors import NotEnoughDataError

CLASS_WEIGHTS = ("none", "balanced", "sampling", "auto")
_INNER_FOLDS = 3

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]


def balanced_weights(y: Positions) -> NDArray[np.float64]:
    """Weight of each category by which all count the same, as scikit-learn's "balanced": n / (k * n of it), (k,).

    >>> balanced_weights(np.array([0, 0, 0, 1])).tolist()
    [0.6666666666666666, 2.0]
    """
    counts = np.bincount(y)
    weights: NDArray[np.float64] = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return weights


class Resampled:
    """An estimator that learns from each category as often as from the largest: the rest is drawn again.

    ``model_`` is what was fitted.
    """

    spares_groups = True

    def __init__(self, model: Any, seed: int) -> None:
        self.model_, self._seed = model, seed

    def fit(self, X: Floats, y: Positions, groups: NDArray[np.object_]) -> Self:
        """Fit to (n, d) embeddings, every video at least once; copies keep their group."""
        from analysis.classifier import fit_classifier

        rng, counts = np.random.default_rng(self._seed), np.bincount(y)
        again = [rng.choice(np.flatnonzero(y == one), counts.max() - counts[one]) for one in np.flatnonzero(counts)]
        drawn = np.concatenate([np.arange(len(y)), *again])
        fit_classifier(self.model_, X[drawn], y[drawn], groups[drawn])
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """What the fitted estimator says."""
        said: Floats = self.model_.predict_proba(X)
        return said


class ChosenWeights:
    """Tries each way inside of what it learns from, and fits by the one with the highest macro F1 there.

    The inner folds are grouped and stratified as the outer ones are. Macro F1 counts every category the same, and takes
    both kinds of error into account: what weights give one category they take from another. Equal figures go to the way
    that comes first. Where a category has a single group, or the groups cannot be dealt so that every inner fold leaves
    two categories to learn from, nothing can be tried, and the first way is taken.

    Attributes
    ----------
    chosen_
        Name of the way.
    model_
        What was fitted by it.
    """

    spares_groups = True

    def __init__(self, ways: dict[str, Callable[[], Any]], seed: int) -> None:
        self._ways, self._seed = ways, seed

    def fit(self, X: Floats, y: Positions, groups: NDArray[np.object_]) -> Self:
        """Choose, then fit to all of (n, d) embeddings."""
        from analysis.classifier import fit_classifier

        self.chosen_, fold_of = next(iter(self._ways)), self._inner_folds(y, groups)
        if fold_of is not None:
            scores = {way: self._score(way, X, y, groups, fold_of) for way in self._ways}
            self.chosen_ = max(scores, key=scores.__getitem__)
        self.model_ = fit_classifier(self._ways[self.chosen_](), X, y, groups)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """What the fitted estimator says."""
        said: Floats = self.model_.predict_proba(X)
        return said

    def _inner_folds(self, y: Positions, groups: NDArray[np.object_]) -> Positions | None:
        """Folds (n,) to choose by; None where there can be none."""
        names = np.unique(y)
        position = np.searchsorted(names, y)
        folds = min(_INNER_FOLDS, int(groups_per_category(position, groups, len(names)).min()))
        if folds > 1:
            with suppress(NotEnoughDataError):
                return grouped_folds(position, groups, folds, self._seed)
        return None

    def _score(self, way: str, X: Floats, y: Positions, groups: NDArray[np.object_], fold_of: Positions) -> float:
        from sklearn.metrics import f1_score

        from analysis.out_of_fold import out_of_fold

        said, _ = out_of_fold(self._ways[way], X, y, groups, fold_of, int(y.max()) + 1)
        return float(f1_score(y, said.argmax(axis=1), average="macro", labels=np.unique(y), zero_division=0))
