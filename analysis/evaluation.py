"""Out-of-fold evaluation: every video is judged by a model that saw neither it nor anything of its group."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.classifier import (
    OnEpoch,
    classifier_name,
    fit_classifier,
    history_of,
    make_classifier,
    weights_of,
)
from analysis.dataset import Dataset
from analysis.epoch import Epoch
from analysis.evaluation_report import beside, report
from analysis.intervals import Resamples
from analysis.judging import Deal, Judged, ReadFragments, deals_of, judge, reader_of
from analysis.metrics import (
    cell,
    confusion_table,
    probability_columns,
    probability_names,
    scores_table,
    top_confusions,
)
from analysis.out_of_fold import OnFold
from analysis.reuse import Earlier, fold_keys, taken_over
from analysis.runs import evaluations_of, make_run, parquet_bytes, read_table
from analysis.versions import versions
from analysis.weights import MODEL_FILE, Weights, weights_file
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
PREDICTIONS, FRAGMENTS = "predictions.parquet", "fragments.parquet"
FOLDS, LEFT_OUT, HISTORY = "folds.parquet", "left_out.parquet", "history.parquet"
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What out-of-fold models said.

    Attributes
    ----------
    predictions
        One row a video, in the order of the data set: ``id``, ``category`` (the label), ``predicted``, ``fold`` (of
        the first repeat), and one float32 column for each category with its probability, the mean over the repeats
        (named by ``analysis.metrics.probability_names``).
    fragments
        One row a fragment of these videos, by the models of the video's own folds: ``id``, ``start_seconds``,
        ``end_seconds``, and the same probability columns.
    confusion
        (k, k) int64, rows true, columns predicted, in the order of ``metrics["categories"]``.
    metrics
        JSON values, as ``docs/evaluate-json.md`` tells.
    folds
        One row a video, in the same order: ``id``, ``group``, ``channel`` (the group without copies), ``sound`` (equal
        for copies of one sound; -1 where there is none), and its fold in each repeat, ``fold_1`` ...; empty in runs
        that are older than this.
    left_out
        ``Dataset.left_out``; empty in runs that are older than this.
    settings
        JSON values that with the seed and the labels make the same numbers again.
    weights
        Of a classifier trained on all of the videos; None where it is more than weights, or none was trained.
    history
        Of that training, as in ``analysis.classifier.Training``.
    """

    predictions: pd.DataFrame
    fragments: pd.DataFrame
    confusion: NDArray[np.int64]
    metrics: dict[str, Json]
    folds: pd.DataFrame = field(default_factory=pd.DataFrame)
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    settings: dict[str, Json] = field(default_factory=dict)
    weights: Weights | None = None
    history: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def earlier(self) -> Earlier:
        """What the next evaluation can take over from this one."""
        return Earlier(self.predictions, self.fragments, self.folds, self.settings)


def evaluate(
    dataset: Dataset,
    fragments: Fragments | ReadFragments,
    *,
    classifier: Any = "original",
    seed: int = 0,
    folds: int = 5,
    repeats: int = 1,
    class_weight: str = "none",
    deals: tuple[Deal, ...] | None = None,
    earlier: Earlier | None = None,
    on_fold: OnFold = lambda *_: None,
    on_epoch: OnEpoch = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> Evaluation:
    """Judge every video of a data set by a model that learned from other groups only, beside the baselines.

    Published folds of the data set are used as they are; else whole groups are dealt into ``folds`` stratified folds,
    or fewer where a category has fewer groups (``metrics["folds"]`` tells). Scaling, early stopping, temperatures and
    the choice of class weights see the training folds only. The same seed gives the same numbers to the last digit on
    one machine.

    Parameters
    ----------
    fragments
        Fragment embeddings (those of videos outside the data set are passed over), or what reads those of some ids.
    classifier, class_weight
        As for ``analysis.classifier.make_classifier``.
    repeats
        How often everything is dealt and learned anew; probabilities are means.
    deals
        Folds and seed of each repeat, where they are known; they take the place of ``folds`` and ``repeats``.
    earlier
        An evaluation of before: where a fold's model would be trained the same, what it said is taken over.
    on_fold
        Called with the folds done and their number after each fold.
    on_epoch
        Called after each epoch of each fold's network.
    on_step
        Told what begins beside the folds: the name of a baseline, ``metrics``.

    Raises
    ------
    UsageError
        Fewer than two folds, no repeat, an unknown classifier or weight, or an estimator that cannot be judged was
        asked for.
    """
    deals = deals or deals_of(dataset, folds, seed, repeats)
    read = reader_of(fragments) if isinstance(fragments, Fragments) else fragments
    name, k = classifier_name(classifier), len(dataset.categories)
    repeatable = len(deals) == 1 and isinstance(classifier, str) and class_weight != "auto"
    keys = fold_keys(dataset, deals[0], (name, class_weight, str(versions()))) if repeatable else {}
    known = taken_over(earlier, keys, dataset, deals[0]) if earlier else {}
    maker = partial(make_classifier, classifier, k, on_epoch=on_epoch, class_weight=class_weight)
    judged = judge(maker, dataset, deals, read, on_fold, known)
    others = _others(dataset, deals, judged, name if class_weight == "none" else "", on_step)
    on_step("metrics")
    resamples = Resamples.of(dataset.groups, seed=seed)
    metrics = report(dataset, judged, deals, folds, resamples)
    metrics |= {"classifier": name, "baselines": beside(dataset, judged.by_video, others, resamples)}
    settings: dict[str, Json] = {"classifier": name, "folds": metrics["folds"], "folds_asked": folds}
    settings |= {"repeats": len(deals), "class_weight": class_weight, "grouped_by": dataset.grouped_by}
    settings |= {"versions": versions(), "fold_keys": list(keys.values())}
    return Evaluation(
        _predictions(dataset, judged, deals[0][0]),
        _fragments(dataset, judged),
        np.array(metrics["confusion"], dtype=np.int64),
        metrics,
        _folds(dataset, deals),
        dataset.left_out,
        settings,
    )


def with_model(
    evaluation: Evaluation,
    dataset: Dataset,
    *,
    classifier: Any = "original",
    seed: int = 0,
    on_epoch: OnEpoch = lambda _: None,
) -> Evaluation:
    """Train the classifier of an evaluation on all of its videos and keep its weights, to predict others by.

    Parameters
    ----------
    dataset, classifier, seed
        Those of the evaluation.
    on_epoch
        Called after each epoch of a network.
    """
    epochs: list[Epoch] = []

    def heard(epoch: Epoch) -> None:
        """Keep it and pass it on."""
        epochs.append(epoch)
        on_epoch(epoch)

    weight = str(evaluation.settings["class_weight"])
    made = make_classifier(classifier, len(dataset.categories), seed, heard, weight)
    model = fit_classifier(made, dataset.X, dataset.y, dataset.groups)
    return replace(evaluation, weights=weights_of(model), history=history_of(epochs))


def _others(
    dataset: Dataset, deals: tuple[Deal, ...], judged: Judged, name: str, on_step: OnStep
) -> dict[str, NDArray[np.float32]]:
    """Probabilities of the baselines; one that was chosen itself is not learned twice."""
    from analysis import baselines as simple

    texts, known, k = simple.texts_of(dataset.videos), {name: judged.by_video}, len(dataset.categories)
    others = simple.baselines(dataset.X, dataset.y, dataset.groups, deals, k, texts, known=known, on_step=on_step)
    if texts is not None:
        others[simple.FUSION] = simple.fused(judged.by_video, others[simple.TEXT])
    return others


def evaluation_run(
    evaluation: Evaluation,
    fingerprint: Fingerprint,
    seed: int,
    labels_seen: int,
    *,
    settings: dict[str, Json] | None = None,
    created_at: datetime | None = None,
) -> Run:
    """Make the run to be stored, with its tables as Parquet and its weights; ``settings`` join its own."""
    files = {
        PREDICTIONS: parquet_bytes(evaluation.predictions),
        FRAGMENTS: parquet_bytes(evaluation.fragments),
        FOLDS: parquet_bytes(evaluation.folds),
        LEFT_OUT: parquet_bytes(evaluation.left_out),
    }
    if evaluation.weights is not None:
        files |= {MODEL_FILE: weights_file(evaluation.weights), HISTORY: parquet_bytes(evaluation.history)}
    own = {**evaluation.settings, **(settings or {})}
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
    folds, left_out = (read_table(run, name) if name in run.files else pd.DataFrame() for name in (FOLDS, LEFT_OUT))
    tables = read_table(run, PREDICTIONS), read_table(run, FRAGMENTS)
    return Evaluation(*tables, confusion, metrics, folds, left_out, dict(run.settings))


def latest_evaluation(store: Store, fingerprint: Fingerprint | None = None) -> tuple[Run, Evaluation] | None:
    """Find the newest evaluation that the store keeps (of ``fingerprint``, where given); None where there is none."""
    wanted = evaluations_of(store.runs(), fingerprint)
    for run in store.runs(wanted[-1].id) if wanted else ():
        return run, read_evaluation(run)
    return None


def _predictions(dataset: Dataset, judged: Judged, fold_of: NDArray[np.int64]) -> pd.DataFrame:
    names = np.array(dataset.categories, dtype=object)
    guess = names[judged.by_video.argmax(axis=1)]
    table = {"id": list(dataset.ids), "category": names[dataset.y], "predicted": guess, "fold": fold_of}
    columns = zip(probability_names(dataset.categories), judged.by_video.T, strict=True)
    return pd.DataFrame({**table, **dict(columns)})


def _fragments(dataset: Dataset, judged: Judged) -> pd.DataFrame:
    ids = np.array(dataset.ids, dtype=object)[judged.owner]
    start, end = judged.bounds.T
    columns = zip(probability_names(dataset.categories), judged.by_fragment.T, strict=True)
    return pd.DataFrame({"id": ids, "start_seconds": start, "end_seconds": end, **dict(columns)})


def _folds(dataset: Dataset, deals: tuple[Deal, ...]) -> pd.DataFrame:
    sound_of = dict(zip(dataset.copies_found["id"], dataset.copies_found["group"], strict=True))
    sounds = np.array([sound_of.get(video_id, -1) for video_id in dataset.ids], dtype=np.int64)
    numbered = {f"fold_{number}": fold_of for number, (fold_of, _) in enumerate(deals, start=1)}
    kept_together = {"group": dataset.groups, "channel": dataset.channels, "sound": sounds}
    return pd.DataFrame({"id": list(dataset.ids), **kept_together, **numbered})
