"""Out-of-fold evaluation: every video is judged by a model that saw neither it nor anything of its group."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.classifier import OnEpoch, make_classifier
from analysis.dataset import Dataset
from analysis.intervals import Resamples
from analysis.judging import deals_of
from analysis.metrics import (
    cell,
    confusion_report,
    confusion_table,
    left_out_counts,
    metrics_of,
    probability_columns,
    probability_names,
    scores_table,
    top_confusions,
)
from analysis.out_of_fold import out_of_fold
from analysis.runs import evaluations_of, make_run, parquet_bytes, read_table
from quartzlens.records import Fingerprint, Fragments, Json, Run
from store.base import Store

__all__ = [
    "Evaluation",
    "cell",
    "confusion_table",
    "evaluate",
    "evaluation_run",
    "latest_evaluation",
    "probability_columns",
    "read_evaluation",
    "scores_table",
    "top_confusions",
]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What out-of-fold models said.

    Attributes
    ----------
    predictions
        One row a video, in the order of the data set: ``id``, ``category`` (the label), ``predicted``, ``fold``, and
        one float32 column for each category with its probability (named by ``analysis.metrics.probability_names``).
    fragments
        One row a fragment of these videos, by the model of the video's own fold: ``id``, ``start_seconds``,
        ``end_seconds``, and the same probability columns.
    confusion
        (k, k) int64, rows true, columns predicted, in the order of ``metrics["categories"]``.
    metrics
        JSON values: those of ``metrics_of``, and ``left_out``, ``copies`` (as in the data set), ``folds`` (their
        number), ``classifier``.
    """

    predictions: pd.DataFrame
    fragments: pd.DataFrame
    confusion: NDArray[np.int64]
    metrics: dict[str, Json]


def evaluate(
    dataset: Dataset,
    fragments: Fragments,
    *,
    classifier: str = "original",
    seed: int = 0,
    folds: int = 5,
    on_fold: Callable[[int, int], None] | None = None,
    on_epoch: OnEpoch | None = None,
) -> Evaluation:
    """Judge every video of a data set by a model that learned from other groups only.

    Published folds of the data set are used as they are; else whole groups are dealt into ``folds`` stratified folds,
    or fewer where a category has fewer groups (``metrics["folds"]`` tells). Scaling and early stopping see the training
    folds only. The same seed gives the same numbers to the last digit on one machine.

    Parameters
    ----------
    fragments
        Fragment embeddings; those of videos outside the data set are passed over.
    on_fold
        Called with the folds done and their number after each fold.
    on_epoch
        Called after each epoch of each fold's network.

    Raises
    ------
    UsageError
        Fewer than two folds, or an unknown classifier, were asked for.
    """
    ((fold_of, _),) = deals_of(dataset, folds, seed, 1)
    k = len(dataset.categories)
    row_of = {video_id: row for row, video_id in enumerate(dataset.ids)}
    owner = np.array([row_of.get(video_id, -1) for video_id in fragments.ids], dtype=np.int64)
    by_video, by_fragment = out_of_fold(
        lambda: make_classifier(classifier, k, seed, on_epoch),
        dataset.X,
        dataset.y,
        dataset.groups,
        fold_of,
        k,
        also=fragments.matrix,
        also_fold=np.append(fold_of, fold_of.min() - 1)[owner],
        on_fold=on_fold,
    )
    judged = by_video.argmax(axis=1)
    metrics = metrics_of(dataset.y, by_video, dataset.categories, Resamples.of(dataset.groups, seed=seed))
    confusion = np.array(metrics["confusion"], dtype=np.int64)
    metrics |= confusion_report(confusion, dataset.categories)
    metrics |= {"left_out": left_out_counts(dataset.left_out), "copies": {**dataset.copies}}
    metrics |= {"folds": len(np.unique(fold_of)), "classifier": classifier}
    predictions = _predictions(dataset, judged, fold_of, by_video)
    heard = _fragments(dataset, fragments, owner, by_fragment)
    return Evaluation(predictions, heard, confusion, metrics)


def evaluation_run(
    evaluation: Evaluation,
    fingerprint: Fingerprint,
    seed: int,
    labels_seen: int,
    *,
    settings: dict[str, Json] | None = None,
    created_at: datetime | None = None,
) -> Run:
    """Make the run to be stored, with ``predictions.parquet`` and ``fragments.parquet``; ``settings`` join its own."""
    files = {
        "predictions.parquet": parquet_bytes(evaluation.predictions),
        "fragments.parquet": parquet_bytes(evaluation.fragments),
    }
    own = {name: evaluation.metrics[name] for name in ("classifier", "folds")} | (settings or {})
    return make_run(
        "evaluate",
        fingerprint,
        seed,
        labels_seen,
        settings=own,
        results=evaluation.metrics,
        files=files,
        created_at=created_at,
    )


def read_evaluation(run: Run) -> Evaluation:
    """Read an evaluation back from its run. Raises CollectionError where a table is missing or damaged."""
    metrics = dict(run.results)
    confusion = np.array(metrics["confusion"], dtype=np.int64)
    return Evaluation(read_table(run, "predictions.parquet"), read_table(run, "fragments.parquet"), confusion, metrics)


def latest_evaluation(store: Store, fingerprint: Fingerprint | None = None) -> tuple[Run, Evaluation] | None:
    """Find the newest evaluation that the store keeps (of ``fingerprint``, where given); None where there is none."""
    wanted = evaluations_of(store.runs(), fingerprint)
    for run in store.runs(wanted[-1].id) if wanted else ():
        return run, read_evaluation(run)
    return None


def _predictions(
    dataset: Dataset, judged: NDArray[np.int64], fold_of: NDArray[np.int64], by_video: NDArray[np.float32]
) -> pd.DataFrame:
    names = np.array(dataset.categories, dtype=object)
    table = {"id": list(dataset.ids), "category": names[dataset.y], "predicted": names[judged], "fold": fold_of}
    columns = zip(probability_names(dataset.categories), by_video.T, strict=True)
    return pd.DataFrame({**table, **dict(columns)})


def _fragments(
    dataset: Dataset, fragments: Fragments, owner: NDArray[np.int64], by_fragment: NDArray[np.float32]
) -> pd.DataFrame:
    inside = owner >= 0
    ids = np.array(fragments.ids, dtype=object)[inside]
    start, end = fragments.bounds.reshape(-1, 2)[inside].T
    columns = zip(probability_names(dataset.categories), by_fragment[inside].T, strict=True)
    return pd.DataFrame({"id": ids, "start_seconds": start, "end_seconds": end, **dict(columns)})
