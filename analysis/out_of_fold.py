"""Out of fold: every video is judged by a model that learned from other groups only."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.classifier import fit_classifier, probabilities
from quartzlens.cores import cores

Floats = NDArray[np.float32]
OnFold = Callable[[int, int], None]
SIDE_BY_SIDE = 1000
"""From so many videos on, folds are learned side by side: below, starting processes takes longer than it saves."""


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
    numbers = [int(fold) for fold in np.unique(fold_of) if int(fold) not in without]
    learns = [fold_of != fold if parts is None else parts[fold] for fold in numbers]
    models = [make() for _ in numbers]
    for done, (fold, model) in enumerate(zip(numbers, _fitted(models, X, y, groups, learns), strict=True), start=1):
        yield fold, model
        if on_fold is not None:
            on_fold(done, len(numbers))


def _fitted(
    models: Sequence[Any], X: Floats, y: NDArray[np.int64], groups: NDArray[np.object_], learns: Sequence[Any]
) -> Iterator[Any]:
    """Each model fitted to its rows, in order: one after the other, or side by side where that is worth processes.

    Models that say ``trains_alone`` use one core and the same numbers come out in any process, so many videos are
    learned from in as many processes as there are cores. Their epochs are not told then.
    """
    workers = min(cores(), len(models))
    alone = len(y) >= SIDE_BY_SIDE and workers > 1 and all(getattr(model, "trains_alone", False) for model in models)
    if not alone:
        yield from map(_fit, models, repeat(X), repeat(y), repeat(groups), learns)
        return
    from joblib import Parallel, delayed

    for model in models:
        model.on_epoch = None
    tasks = (delayed(_fit)(model, X, y, groups, learn) for model, learn in zip(models, learns, strict=True))
    yield from Parallel(n_jobs=workers, return_as="generator")(tasks)


def _fit(model: Any, X: Floats, y: NDArray[np.int64], groups: NDArray[np.object_], learn: NDArray[np.bool_]) -> Any:
    return fit_classifier(model, X[learn], y[learn], groups[learn])


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
