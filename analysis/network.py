"""The original network as a scikit-learn estimator through skorch; loads torch: import it where a training begins."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

from analysis.class_weights import balanced_weights
from analysis.epoch import Epoch
from analysis.splits import spared_part
from analysis.weights import Weights, probabilities_of

HIDDEN = 256
DROPOUT = 0.9
LEARNING_RATE = 1e-3
BATCH = 64
MAX_EPOCHS = 200
PATIENCE = 20
EPOCHS_WITHOUT_VALIDATION = 100
_ONE_TRAINING = threading.Lock()


def original_network(n_dimensions: int, n_categories: int) -> nn.Sequential:
    """Build Linear(d, 256), Tanh, Dropout(0.9), Linear(256, k): the network of the original work, logits out."""
    return nn.Sequential(
        nn.Linear(n_dimensions, HIDDEN), nn.Tanh(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, n_categories)
    )


class OriginalClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The original network with its standardisation, Adam, and early stopping on groups of its own.

    ``fit`` spares whole groups (about a fifth of each category) as the validation part; standardisation and weights
    learn from the rest, and the weights of the epoch with the least validation loss are kept. Where a category has no
    group to spare there is no validation part: training then runs a fixed number of epochs. Training neither depends on
    torch's global random state nor disturbs it, and the same seed gives the same numbers on one machine.

    Averaged outputs of a ReLU differ little from video to video, so each dimension is standardised first: on 400 clips
    of environmental sounds under their published folds, with an untrained encoder, accuracy is 0.69 with it and 0.25
    without.

    Attributes
    ----------
    weights_
        Scaling and layers as float32 arrays (``analysis.weights``).
    validation_
        (n,) bool: rows that ``fit`` spared.
    best_epoch_
        Epoch (from 1) whose weights were kept.
    """

    spares_groups = True
    trains_alone = True

    def __init__(
        self,
        n_categories: int,
        seed: int = 0,
        on_epoch: Callable[[Epoch], None] | None = None,
        class_weight: str | None = None,
    ) -> None:
        self.n_categories = n_categories
        self.seed = seed
        self.on_epoch = on_epoch
        self.class_weight = class_weight

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64], groups: NDArray[np.object_] | None = None) -> Self:
        """Learn from (n, d) float32 embeddings with categories (n,) int64; ``groups`` (n,) default to one each."""
        groups = np.arange(len(y)).astype(object) if groups is None else groups
        spared = spared_part(y, groups, self.seed)
        complete = set(y[spared].tolist()) == set(y.tolist())
        self.validation_ = spared if complete else np.zeros(len(y), dtype=bool)
        learn = ~self.validation_
        self.classes_ = np.arange(self.n_categories)
        scaled = X[learn]
        scaler = StandardScaler().fit(scaled)
        scaled = scaler.transform(scaled, copy=False).astype(np.float32, copy=False)
        stopping = scaler.transform(X[~learn]).astype(np.float32, copy=False) if complete else None
        validation = None if stopping is None else (stopping, y[~learn])
        with own_randomness(self.seed):
            net = self._net(X.shape[1], validation, self._weight(y[learn])).fit(scaled, y[learn])
        self.best_epoch_ = self._best_epoch(net)
        self.weights_ = _weights(scaler, net.module_)
        return self

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each category: (n, d) -> (n, k) float32."""
        return probabilities_of(self.weights_, X)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Most probable category: (n, d) -> (n,) int64."""
        predicted: NDArray[np.int64] = self.predict_proba(X).argmax(axis=1)
        return predicted

    def _weight(self, y: NDArray[np.int64]) -> torch.Tensor | None:
        """Weight of each category in the loss; the published network has none."""
        if self.class_weight != "balanced":
            return None
        weights = np.ones(self.n_categories, dtype=np.float32)
        weights[: int(y.max()) + 1] = balanced_weights(y)
        return torch.as_tensor(weights)

    def _net(
        self,
        dimension: int,
        validation: tuple[NDArray[np.float32], NDArray[np.int64]] | None,
        weight: torch.Tensor | None,
    ) -> "_Net":
        callbacks: list[Callback] = [_Reporter(self.on_epoch)]
        if validation is not None:
            callbacks.append(_Stopping(monitor="valid_loss", patience=PATIENCE, load_best=True))
        return _Net(
            original_network(dimension, self.n_categories),
            criterion=nn.CrossEntropyLoss,
            criterion__weight=weight,
            classes=self.classes_,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,  # the same steps in one pass over each tensor: a fifth quicker to train
            lr=LEARNING_RATE,
            batch_size=BATCH,
            max_epochs=MAX_EPOCHS if validation is not None else EPOCHS_WITHOUT_VALIDATION,
            train_split=predefined_split(Dataset(*validation)) if validation is not None else None,
            iterator_train=Batches,
            iterator_train__seed=self.seed,
            iterator_valid=Batches,
            callbacks=callbacks,
            callbacks__print_log=None,
            verbose=0,
        )

    def _best_epoch(self, net: "_Net") -> int:
        if not self.validation_.any():
            return len(net.history)
        return int(np.argmin(net.history[:, "valid_loss"])) + 1


class Batches:
    """Batches of a skorch data set, sliced: quicker than a DataLoader, and shuffled by a generator of its own."""

    def __init__(self, dataset: Any, batch_size: int, seed: int | None = None) -> None:
        self._X = torch.as_tensor(dataset.X)
        self._y = torch.as_tensor(dataset.y)
        self._size = batch_size
        self._random = None if seed is None else np.random.default_rng(seed)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        n = len(self._y)
        order = np.arange(n) if self._random is None else self._random.permutation(n)
        for start in range(0, n, self._size):
            rows = torch.as_tensor(order[start : start + self._size])
            yield self._X[rows], self._y[rows]


class _EnoughError(Exception):
    """The validation loss has not fallen for ``PATIENCE`` epochs."""


class _Net(NeuralNetClassifier):  # type: ignore[misc]  # skorch has no types
    """skorch's classifier, but for Ctrl-C, which that takes for an early stop: broken off is not finished."""

    def partial_fit(self, X: Any, y: Any = None, _classes: Any = None, **fit_params: Any) -> Self:
        """Train from where it stands; as skorch's, but KeyboardInterrupt goes through."""
        self.notify("on_train_begin", X=X, y=y)
        with suppress(_EnoughError):
            self.fit_loop(X, y, **fit_params)
        self.notify("on_train_end", X=X, y=y)
        return self


class _Stopping(EarlyStopping):  # type: ignore[misc]  # skorch has no types
    """skorch's early stopping, told apart from Ctrl-C."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Stop where patience has run out."""
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt as stop:
            raise _EnoughError from stop


class _Reporter(Callback):  # type: ignore[misc]  # skorch has no types
    """Tells each epoch's losses to whoever draws the curve."""

    def __init__(self, on_epoch: Callable[[Epoch], None] | None) -> None:
        self.on_epoch = on_epoch

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Report the epoch that ended."""
        if self.on_epoch is not None:
            last = net.history[-1]
            self.on_epoch(Epoch(last["epoch"], last["train_loss"], last.get("valid_loss"), last.get("valid_acc")))


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seed torch for one training and put everything back: its CPU generator and its number of threads.

    One training at a time in a process, as torch's generator (weights' first values, dropout) is one for all threads;
    one thread, as the order of sums depends on their number.
    """
    with _ONE_TRAINING:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)
                yield
        finally:
            torch.set_num_threads(threads)


def _weights(scaler: Any, network: nn.Sequential) -> Weights:
    layers = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    return {
        "scaler.mean": scaler.mean_.astype(np.float32),
        "scaler.scale": scaler.scale_.astype(np.float32),
        "hidden.weight": layers["0.weight"],
        "hidden.bias": layers["0.bias"],
        "output.weight": layers["3.weight"],
        "output.bias": layers["3.bias"],
    }
