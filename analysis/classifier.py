"""Classifiers by name, and one training with its metrics; torch and scikit-learn are loaded when a training begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.class_weights import CLASS_WEIGHTS, ChosenWeights, Resampled
from analysis.dataset import Dataset
from analysis.epoch import Epoch
from analysis.intervals import Resamples
from analysis.metrics import left_out_counts, metrics_of
from analysis.runs import make_run, parquet_bytes
from analysis.splits import spared_part
from analysis.weights import MODEL_FILE, SavedClassifier, Weights, load_model, regression_weights, weights_file
from quartzlens.errors import UsageError
from quartzlens.records import Fingerprint, Json, Run

__all__ = [
    "CLASSIFIERS",
    "Epoch",
    "SavedClassifier",
    "Training",
    "classifier_name",
    "fit_classifier",
    "history_of",
    "load_model",
    "make_classifier",
    "train",
    "training_run",
    "weights_of",
]
CLASSIFIERS = ("original", "logistic", "knn", "linear")
_REGRESSIONS = tuple(["StandardScaler", name] for name in ("WhitenedRegression", "LogisticRegression"))
OnEpoch = Callable[[Epoch], None]


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """One trained classifier and what it is worth on the part that it never saw.

    Attributes
    ----------
    history
        ``epoch``, ``train_loss``, ``valid_loss``, ``valid_accuracy``, one row an epoch (none for logistic regression).
    metrics
        As ``analysis.metrics.metrics_of`` on the test part, and ``parts`` (videos to learn from, for early stopping, to
        test), ``best_epoch``, ``left_out``, ``copies`` (as in the data set).
    confusion
        (k, k) int64 on the test part, rows true.
    model
        The fitted estimator, with ``predict_proba``.
    """

    classifier: str
    history: pd.DataFrame
    metrics: dict[str, Json]
    confusion: NDArray[np.int64]
    model: Any


def make_classifier(
    name: Any, n_categories: int, seed: int, on_epoch: OnEpoch | None = None, class_weight: str = "none"
) -> Any:
    """Make an untrained classifier with ``fit`` and ``predict_proba``.

    Parameters
    ----------
    name
        ``original`` (the published network), ``logistic`` (regression), ``linear`` (regression with a temperature) or
        ``knn`` (nearest neighbours by cosine), or any scikit-learn classifier, of which a clone is made that takes
        the seed where it has none (``random_state``). But for the
        neighbours, those by name standardise each dimension on the part that they learn from.
    class_weight
        ``none``; ``balanced`` (errors weigh as if categories had one size); ``sampling`` (each category is drawn as
        often as the largest); ``auto`` (chosen inside each part that is learned from).

    Raises
    ------
    UsageError
        There is no classifier of that name, it is a class and no estimator of it, it gives no probabilities, or it
        cannot be weighted.
    """
    if isinstance(name, type):
        raise UsageError(f"{name.__name__} is a class: give an estimator of it, such as {name.__name__}().")
    if class_weight not in CLASS_WEIGHTS:
        raise UsageError(f"There is no class weight '{class_weight}'; there are: {', '.join(CLASS_WEIGHTS)}.")
    if class_weight == "sampling":
        return Resampled(_plain(name, n_categories, seed, on_epoch, None), seed)
    if class_weight == "auto":
        ways = [way for way in ("none", "balanced", "sampling") if way != "balanced" or _can_be_weighted(name)]
        return ChosenWeights(
            {way: partial(make_classifier, name, n_categories, seed, on_epoch, way) for way in ways}, seed
        )
    return _plain(name, n_categories, seed, on_epoch, "balanced" if class_weight == "balanced" else None)


def classifier_name(classifier: Any) -> str:
    """How a classifier is called in results: its name, or how an estimator writes itself.

    >>> classifier_name("knn")
    'knn'
    """
    return classifier if isinstance(classifier, str) else " ".join(repr(classifier).split())


def _plain(name: Any, n_categories: int, seed: int, on_epoch: OnEpoch | None, class_weight: str | None) -> Any:
    if not isinstance(name, str):
        return _cloned(name, class_weight, seed)
    if name == "original":
        from analysis.network import OriginalClassifier

        return OriginalClassifier(n_categories, seed, on_epoch, class_weight)
    if name == "logistic":
        from analysis.linear import regression

        return regression(class_weight)
    if name == "linear":
        from analysis.linear import LinearClassifier

        return LinearClassifier(seed, class_weight)
    if name == "knn":
        from analysis.knn import KnnClassifier

        return KnnClassifier(class_weight=class_weight)
    raise UsageError(f"There is no classifier '{name}'; there are: {', '.join(CLASSIFIERS)}.")


def _cloned(estimator: Any, class_weight: str | None, seed: int) -> Any:
    from sklearn.base import clone

    if not hasattr(estimator, "get_params") or not hasattr(estimator, "fit"):
        raise UsageError(
            f"{estimator!r} is no scikit-learn estimator: give one, or a name of {', '.join(CLASSIFIERS)}."
        )
    if not hasattr(estimator, "predict_proba"):
        raise UsageError(
            f"{classifier_name(estimator)} gives no probabilities (predict_proba), which an evaluation is made of. "
            "Wrap it: sklearn.calibration.CalibratedClassifierCV(estimator, ensemble=False)."
        )
    estimator = clone(estimator)
    chance = [name for name, value in estimator.get_params().items() if _is_chance(name) and value is None]
    estimator.set_params(**dict.fromkeys(chance, seed))
    if class_weight is None:
        return estimator
    if not _can_be_weighted(estimator):
        raise UsageError(f"{classifier_name(estimator)} has no class_weight: choose sampling, or none.")
    return estimator.set_params(class_weight=class_weight)


def _is_chance(name: str) -> bool:
    """Whether a parameter, also of an estimator inside another one, is what its random numbers begin with."""
    return name.rpartition("__")[2] == "random_state"


def _can_be_weighted(name: Any) -> bool:
    return isinstance(name, str) or "class_weight" in getattr(name, "get_params", dict)()


def fit_classifier(model: Any, X: NDArray[np.float32], y: NDArray[np.int64], groups: NDArray[np.object_]) -> Any:
    """Fit an estimator, telling the groups to one that splits a validation part off; returns the estimator."""
    return model.fit(X, y, groups) if getattr(model, "spares_groups", False) else model.fit(X, y)


def probabilities(model: Any, X: NDArray[np.float32], n_categories: int) -> NDArray[np.float32]:
    """Probabilities with a column for every category, 0 where the training part had none of it: (n, k) float32."""
    full = np.zeros((len(X), n_categories), dtype=np.float32)
    if len(X):
        full[:, model.classes_] = model.predict_proba(X)
    return full


def train(dataset: Dataset, seed: int = 0, on_epoch: OnEpoch | None = None, classifier: str = "original") -> Training:
    """Train one classifier and measure it on videos of groups that it never saw.

    About a fifth of each category is set apart as the test part, in whole groups; the network spares another part of
    the rest for early stopping. A single split of a small collection is a rough measure: ``evaluate`` judges every
    video.
    """
    k = len(dataset.categories)
    test = spared_part(dataset.y, dataset.groups, seed)
    epochs: list[Epoch] = []

    def heard(epoch: Epoch) -> None:
        epochs.append(epoch)
        if on_epoch is not None:
            on_epoch(epoch)

    model = make_classifier(classifier, k, seed, heard)
    fit_classifier(model, dataset.X[~test], dataset.y[~test], dataset.groups[~test])
    judged = probabilities(model, dataset.X[test], k)
    metrics = metrics_of(dataset.y[test], judged, dataset.categories, Resamples.of(dataset.groups[test], seed=seed))
    stopping = int(getattr(model, "validation_", np.zeros(0)).sum())
    parts: dict[str, Json] = {"train": int((~test).sum()) - stopping, "validation": stopping, "test": int(test.sum())}
    metrics |= {"parts": parts, "best_epoch": getattr(model, "best_epoch_", None), "classifier": classifier}
    metrics |= {"left_out": left_out_counts(dataset.left_out), "copies": {**dataset.copies}}
    confusion = np.array(metrics["confusion"], dtype=np.int64)
    return Training(classifier, history_of(epochs), metrics, confusion, model)


def training_run(
    training: Training, fingerprint: Fingerprint, seed: int, labels_seen: int, created_at: datetime | None = None
) -> Run:
    """Make the run to be stored: ``model.safetensors`` (weights and scaling) and ``history.parquet``."""
    weights = weights_of(training.model)
    files = {"history.parquet": parquet_bytes(training.history)}
    if weights is not None:
        files[MODEL_FILE] = weights_file(weights)
    settings: dict[str, Json] = {"classifier": training.classifier}
    return make_run(
        "train",
        fingerprint,
        seed,
        labels_seen,
        settings=settings,
        results=training.metrics,
        files=files,
        created_at=created_at,
    )


def history_of(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """Epochs as the table ``Training.history``."""
    rows = [(e.epoch, e.train_loss, e.valid_loss, e.valid_accuracy) for e in epochs]
    table = pd.DataFrame(rows, columns=["epoch", "train_loss", "valid_loss", "valid_accuracy"])
    return table.astype(
        {"epoch": "int64", "train_loss": "float64", "valid_loss": "float64", "valid_accuracy": "float64"}
    )


def weights_of(model: Any) -> Weights | None:
    """Arrays of a fitted classifier, to be kept; None of those that are more than weights (neighbours, estimators)."""
    while isinstance(model, (ChosenWeights, Resampled)):
        model = model.model_
    weights: Weights | None = getattr(model, "weights_", None)
    if weights is not None:
        return weights
    from sklearn.pipeline import Pipeline

    plain = isinstance(model, Pipeline) and [type(step).__name__ for _, step in model.steps] in _REGRESSIONS
    return regression_weights(model) if plain else None
