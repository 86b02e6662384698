"""What a notebook does in place of an evaluation: the libraries by their own defaults, with the same network."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from analysis.dataset import Dataset
from analysis.network import BATCH, LEARNING_RATE, MAX_EPOCHS, PATIENCE, original_network

Told = NDArray[np.float32]


def skorch_loop(dataset: Dataset) -> Told:
    """StratifiedKFold and skorch's NeuralNetClassifier: the published network, its own random stopping part.

    Channels are parted as chance has it, there are no fragments, no baselines and no intervals.
    """
    import torch
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler
    from skorch import NeuralNetClassifier
    from skorch.callbacks import EarlyStopping

    X, y = dataset.X, dataset.y
    told = np.zeros((len(y), len(dataset.categories)), dtype=np.float32)
    for learn, judge in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
        scaler = StandardScaler().fit(X[learn])
        net = NeuralNetClassifier(
            original_network(X.shape[1], len(dataset.categories)),
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=LEARNING_RATE,
            batch_size=BATCH,
            max_epochs=MAX_EPOCHS,
            callbacks=[EarlyStopping(patience=PATIENCE, load_best=True)],
            verbose=0,
        )
        net.fit(scaler.transform(X[learn]).astype(np.float32), y[learn])
        told[judge] = net.predict_proba(scaler.transform(X[judge]).astype(np.float32))
    return told


def cleanlab_defaults(dataset: Dataset) -> NDArray[np.bool_]:
    """What cleanlab's guide does: cross_val_predict of a logistic regression, then find_label_issues."""
    from cleanlab.filter import find_label_issues
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    told = cross_val_predict(model, dataset.X, dataset.y, cv=5, method="predict_proba")
    issues: NDArray[np.bool_] = find_label_issues(dataset.y, told)
    return issues


WAYS: Mapping[str, Callable[[Dataset], object]] = {"skorch": skorch_loop, "cleanlab": cleanlab_defaults}
