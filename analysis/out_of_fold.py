"""Out of fold: every video is judged by a model that learned from other groups only."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.classifier import fit_classifier, probabilities

Floats = NDArray[np.float32]
OnFold = Callable[[int, int], None]


def fold_models(
    make: Callable[[], Any],
    X: Floats,
    y: NDArray[np.int64],
    groups: NDArray[np.object_],
    fold_of: NDArray[np.int64],
    on_fold: OnFold | None = None,
    parts: Mapping[int, NDArray[np.bool_]] | None = None,
    without: Collection[int] = (),
) -> Iterator[tuple[int, Any]]:
    """Fit the model of each fold on all that is not in it, one after the other: the fold's number and its model.

    ``on_fold`` is called with the folds done and their number when a fold's model has been used. ``parts`` says of each
    fold which rows (n,) its model learns from, where not from all that are not in it. Folds ``without`` get no model.
    """
    numbers = [fold for fold in np.unique(fold_of) if int(fold) not in without]
    for done, fold in enumerate(numbers, start=1):
        learn = fold_of != fold if parts is None else parts[int(fold)]
        yield int(fold), fit_classifier(make(), X[learn], y[learn], groups[learn])
        if on_fold is not None:
            on_fold(done, len(numbers))


def out_of_fold(
    make: Callable[[], Any],
    X: Floats,
    y: NDArray[np.int64],
    groups: NDArray[np.object_],
    fold_of: NDArray[np.int64],
    n_categories: int,
    *,
    also: Floats | None = None,
    also_fold: NDArray[np.int64] | None = None,
    on_fold: OnFold | None = None,
) -> tuple[Floats, Floats]:
    """Judge each row of ``X``, and of ``also``, by the model of its fold.

    Everything that ``make``'s estimator does (scaling, early stopping, calibration) sees the other folds only.

    Parameters
    ----------
    make
        Makes an untrained estimator, once for each fold.
    X
        (n, d) float32.
    y
        (n,) positions of categories, below ``n_categories``.
    groups
        (n,) groups, for estimators that spare some of what they learn from.
    fold_of
        (n,) numbers of folds.
    also
        (f, d) float32 that nothing is learned from, such as fragments; ``also_fold`` (f,) has their folds. Those of a
        fold that no row of ``X`` is in (-1) are not judged.
    on_fold
        Called with the folds done and their number after each.

    Returns
    -------
    tuple
        (n, k) and (f, k) float32 probabilities; rows of ``also`` that are not judged are all zeros.
    """
    also = X[:0] if also is None else also
    also_fold = np.full(len(also), -1, dtype=np.int64) if also_fold is None else also_fold
    by_row = np.zeros((len(y), n_categories), dtype=np.float32)
    by_other = np.zeros((len(also), n_categories), dtype=np.float32)
    for fold, model in fold_models(make, X, y, groups, fold_of, on_fold):
        by_row[fold_of == fold] = probabilities(model, X[fold_of == fold], n_categories)
        by_other[also_fold == fold] = probabilities(model, also[also_fold == fold], n_categories)
    return by_row, by_other
