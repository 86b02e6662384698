"""Trained classifiers as named arrays: what they compute, in NumPy, and how they are kept (safetensors, no pickle)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import CollectionError, EncoderMismatchError
from quartzlens.records import Run

Weights = Mapping[str, NDArray[np.float32]]
MODEL_FILE = "model.safetensors"
_LAYERS = ("scaler.mean", "scaler.scale", "output.weight", "output.bias")


def probabilities_of(weights: Weights, X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of each category: (n, d) float32 -> (n, k) float32, rows sum to 1.

    Standardise with the training part's ``scaler.mean`` and ``scaler.scale``, then the original network's
    Linear, Tanh, Linear (dropout does nothing after training) where there is a ``hidden`` layer, then softmax.
    """
    z = (X - weights["scaler.mean"]) / weights["scaler.scale"]
    if "hidden.weight" in weights:
        z = np.tanh(z @ weights["hidden.weight"].T + weights["hidden.bias"])
    z = z @ weights["output.weight"].T + weights["output.bias"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = (e / e.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


@dataclass(frozen=True, slots=True, eq=False)
class SavedClassifier:
    """A trained classifier read back from a run: ``categories`` (k names) and its weights."""

    run_id: str
    categories: tuple[str, ...]
    weights: Weights

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each category of ``categories``: (n, d) -> (n, k) float32.

        Raises
        ------
        EncoderMismatchError
            ``X`` has another dimension than the embeddings that the classifier was trained on.
        """
        trained_on = len(self.weights["scaler.mean"])
        if X.shape[1] != trained_on:
            raise EncoderMismatchError(
                f"Run {self.run_id} was trained on embeddings of dimension {trained_on}, "
                f"these have {X.shape[1]}. Train again."
            )
        return probabilities_of(self.weights, X)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Position in ``categories`` of the most probable one: (n, d) -> (n,) int64."""
        predicted: NDArray[np.int64] = self.predict_proba(X).argmax(axis=1)
        return predicted


def regression_weights(model: Any) -> Weights:
    """Arrays of a fitted pipeline of StandardScaler and logistic regression.

    A regression between two categories has one row, the other's logit is 0.
    """
    scaler, regression = model[0], model[-1]
    rows, bias = regression.coef_, regression.intercept_
    if len(rows) == 1:
        rows, bias = np.vstack([np.zeros_like(rows), rows]), np.concatenate([[0.0], bias])
    arrays = {"scaler.mean": scaler.mean_, "scaler.scale": scaler.scale_, "output.weight": rows, "output.bias": bias}
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}


def weights_file(weights: Weights) -> bytes:
    """Weights as a safetensors file."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(array) for name, array in weights.items()}))


def load_model(run: Run) -> SavedClassifier:
    """Read the classifier that a training run kept.

    Raises
    ------
    CollectionError
        The run has no model, or its file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    categories = run.results.get("categories")
    if MODEL_FILE not in run.files or not isinstance(categories, list):
        again = (
            "Nearest neighbours keep none: evaluate with another classifier."
            if run.settings.get("classifier") == "knn"
            else "Train again: quartzlens train."
        )
        raise CollectionError(f"Run {run.id} ({run.kind}) has kept no model. {again}")
    try:
        weights = load(run.files[MODEL_FILE])
    except SafetensorError as error:
        raise CollectionError(
            f"The model of run {run.id} is damaged ({error}). Train again: quartzlens train."
        ) from error
    if not set(_LAYERS) <= weights.keys() or len(weights["output.bias"]) != len(categories):
        raise CollectionError(f"The model of run {run.id} does not fit its categories. Train again: quartzlens train.")
    return SavedClassifier(run.id, tuple(str(name) for name in categories), weights)
