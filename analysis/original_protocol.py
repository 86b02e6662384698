"""The original work's protocol, one random stratified split: its number belongs beside the believable one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.classifier import fit_classifier, make_classifier, probabilities
from analysis.dataset import Dataset
from analysis.intervals import Resamples
from analysis.metrics import metrics_of
from quartzlens.errors import NotEnoughDataError
from quartzlens.figures import percent
from quartzlens.records import Json

POOLING = "mean3008"
TEST_SHARE = 0.2


def original_protocol(dataset: Dataset, believable: Mapping[str, Any], pooling: str, seed: int = 0) -> dict[str, Json]:
    """Train the original network once on a random stratified four fifths of the videos, and judge the last fifth.

    Channels, recordings and copies are parted as chance has it; the network spares videos for early stopping in the
    same way.

    Parameters
    ----------
    believable
        Metrics of the evaluation under whole groups.
    pooling
        Of the embeddings.

    Returns
    -------
    dict
        ``accuracy``, ``precision_macro``, ``recall_macro`` (metrics on the part that was judged, intervals by whole
        groups), ``parts`` (videos to ``train`` and to ``test``), ``pooling``, ``sentence``.

    Raises
    ------
    NotEnoughDataError
        A fifth of the videos is fewer than there are categories, or a category has a single video.
    """
    from sklearn.model_selection import train_test_split

    rows, k = np.arange(len(dataset.y)), len(dataset.categories)
    try:
        learn, test = train_test_split(rows, test_size=TEST_SHARE, random_state=seed, stratify=dataset.y)
    except ValueError as error:
        raise NotEnoughDataError(
            f"One random stratified split of {len(rows)} videos in {k} categories cannot be made ({error}). "
            "Leave --preset away, or add videos."
        ) from error
    alone = rows.astype(str).astype(object)
    model = fit_classifier(make_classifier("original", k, seed), dataset.X[learn], dataset.y[learn], alone[learn])
    told = probabilities(model, dataset.X[test], k)
    found = metrics_of(dataset.y[test], told, dataset.categories, Resamples.of(dataset.groups[test], seed=seed))
    answer = {name: found[name] for name in ("accuracy", "precision_macro", "recall_macro")}
    parts: dict[str, Json] = {"train": len(learn), "test": len(test)}
    return {**answer, "parts": parts, "pooling": pooling, "sentence": _sentence(answer, believable, pooling)}


def _sentence(answer: Mapping[str, Any], believable: Mapping[str, Any], pooling: str) -> str:
    def told(one: Mapping[str, Any]) -> str:
        """The three figures of one way of measuring, of the accuracy with its interval."""
        accuracy, precision, recall = (one[name] for name in ("accuracy", "precision_macro", "recall_macro"))
        return (
            f"accuracy {percent(accuracy['value'], 1)} ({percent(accuracy['low'])} to {percent(accuracy['high'])}), "
            f"macro precision {percent(precision['value'], 1)}, macro recall {percent(recall['value'], 1)}"
        )

    return (
        f"As the original work measured (one random stratified split, pooling {pooling}): {told(answer)}. "
        f"Out of fold by whole groups: {told(believable)}."
    )
