"""Classifiers by name, and one training with its metrics; torch and scikit-learn are loaded when a training begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.dataset import Dataset
from analysis.epoch import Epoch
from analysis.intervals import Resamples
from analysis.metrics import left_out_counts, metrics_of
from analysis.runs import make_run, parquet_bytes
from analysis.splits import spared_part
from analysis.weights import MODEL_FILE, SavedClassifier, Weights, load_model, weights_file
from quartzlens.errors import UsageError
from quartzlens.records import Fingerprint, Json, Run

__all__ = [
    "CLASSIFIERS",
    "Epoch",
    "SavedClassifier",
    "Training",
    "fit_classifier",
    "load_model",
    "make_classifier",
    "train",
    "training_run",
]
CLASSIFIERS = ("original", "logistic")
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


def make_classifier(name: str, n_categories: int, seed: int, on_epoch: OnEpoch | None = None) -> Any:
    """Make an untrained scikit-learn estimator: ``original`` (the published network) or ``logistic`` (regression).

    Both standardise each dimension on the part that they learn from.

    Raises
    ------
    UsageError
        There is no classifier of that name.
    """
    if name == "original":
        from analysis.network import OriginalClassifier

        return OriginalClassifier(n_categories, seed, on_epoch)
    if name == "logistic":
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed))
    raise UsageError(f"There is no classifier '{name}'; there are: {', '.join(CLASSIFIERS)}.")


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
    return Training(classifier, _history(epochs), metrics, confusion, model)


def training_run(
    training: Training, fingerprint: Fingerprint, seed: int, labels_seen: int, created_at: datetime | None = None
) -> Run:
    """Make the run to be stored: ``model.safetensors`` (weights and scaling) and ``history.parquet``."""
    files = {MODEL_FILE: weights_file(_weights(training.model)), "history.parquet": parquet_bytes(training.history)}
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


def _history(epochs: list[Epoch]) -> pd.DataFrame:
    rows = [(e.epoch, e.train_loss, e.valid_loss, e.valid_accuracy) for e in epochs]
    table = pd.DataFrame(rows, columns=["epoch", "train_loss", "valid_loss", "valid_accuracy"])
    return table.astype(
        {"epoch": "int64", "train_loss": "float64", "valid_loss": "float64", "valid_accuracy": "float64"}
    )


def _weights(model: Any) -> Weights:
    """Arrays of a fitted classifier; a regression between two categories has one row, the other's logit is 0."""
    weights: Weights | None = getattr(model, "weights_", None)
    if weights is not None:
        return weights
    scaler, regression = model[0], model[-1]
    rows, bias = regression.coef_, regression.intercept_
    if len(rows) == 1:
        rows, bias = np.vstack([np.zeros_like(rows), rows]), np.concatenate([[0.0], bias])
    arrays = {"scaler.mean": scaler.mean_, "scaler.scale": scaler.scale_, "output.weight": rows, "output.bias": bias}
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
