"""An evaluation made again from what its run kept: the same videos, labels and folds give the same numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.classifier import CLASSIFIERS
from analysis.dataset import Dataset
from analysis.evaluation import Evaluation, OnStep, evaluate, read_evaluation
from analysis.judging import Deal, seeds_of
from analysis.out_of_fold import OnFold
from analysis.weights import MODEL_FILE
from quartzlens.errors import UsageError
from quartzlens.figures import how_many
from quartzlens.records import Fingerprint, Json, Run
from store.base import Store

_NAMED = 5
_SENTENCES = {"notes", "warning"}
"""No figures: what a command adds to them is not made again."""
_BESIDE = ("leaks", "depths", "depth_choice", "learning_curve", "original_protocol")
"""What a command adds to an evaluation's figures, by the keys of a run's results."""


@dataclass(frozen=True, slots=True, eq=False)
class Rerun:
    """An evaluation made again.

    Attributes
    ----------
    evaluation
        What came out now.
    differing
        Names of the figures that differ from those that the run kept, such as ``accuracy.low``; empty where all are the
        same. Figures that one of both lacks (of parts that a run of another day did not have) are not compared.
    not_made
        What the run has beside these figures and what was not made again: keys of its results, and ``model`` for the
        classifier that it keeps.
    """

    evaluation: Evaluation
    differing: tuple[str, ...]
    not_made: tuple[str, ...] = ()


def rerun(
    store: Store,
    run: Run,
    *,
    on_fold: OnFold = lambda *_: None,
    on_step: OnStep = lambda _: None,
) -> Rerun:
    """Evaluate again with the settings, labels and folds that a run kept, and compare the figures.

    Embeddings, titles and descriptions are read as they are now. Nothing is stored.

    Raises
    ------
    UsageError
        The run is no evaluation, is older than what it takes, was made by an estimator that was given from Python, or
        one of its videos is gone.
    """
    if run.kind != "evaluate":
        raise UsageError(
            f"Run {run.id} is a {run.kind} run: evaluations alone are made again. `quartzlens runs` tells."
        )
    before = read_evaluation(run)
    name = str(before.settings.get("classifier", ""))
    if before.folds.empty:
        raise UsageError(f"Run {run.id} is older than kept folds, so it cannot be made again: evaluate anew.")
    if name not in CLASSIFIERS:
        raise UsageError(f"Run {run.id} was made by {name}, which was given from Python: evaluate with it there.")
    dataset, fingerprint = _dataset(store, run, before), _fingerprint(store, run)
    made = evaluate(
        dataset,
        lambda ids: store.fragments(fingerprint, ids),
        classifier=name,
        seed=run.seed,
        folds=int(str(before.settings["folds_asked"])),
        class_weight=str(before.settings["class_weight"]),
        deals=_deals(before.folds, run.seed),
        on_fold=on_fold,
        on_step=on_step,
    )
    beside = [name for name in _BESIDE if before.metrics.get(name)] + ["model"] * (MODEL_FILE in run.files)
    return Rerun(made, tuple(_differing(before.metrics, made.metrics)), tuple(beside))


def _fingerprint(store: Store, run: Run) -> Fingerprint:
    for encoder in store.info().encoders:
        if encoder.key == run.fingerprint_key:
            return encoder
    raise UsageError(f"Nothing is embedded any more by the encoder of run {run.id}: it cannot be made again.")


def _deals(folds: pd.DataFrame, seed: int) -> tuple[Deal, ...]:
    columns = [name for name in folds.columns if name.startswith("fold_")]
    seeds = seeds_of(seed, len(columns))
    return tuple((folds[name].to_numpy(dtype=np.int64), own) for name, own in zip(columns, seeds, strict=True))


def _dataset(store: Store, run: Run, before: Evaluation) -> Dataset:
    """The data set of the run's day, with the embeddings and texts of today."""
    ids, folds = tuple(map(str, before.folds["id"])), before.folds
    embeddings = store.embeddings(_fingerprint(store, run), ids)
    row_of = {video_id: row for row, video_id in enumerate(embeddings.ids)}
    videos = {video.id: video for video in store.videos(ids)}
    if gone := [video_id for video_id in ids if video_id not in row_of or video_id not in videos]:
        shown = ", ".join(gone[:_NAMED]) + (" ..." if len(gone) > _NAMED else "")
        raise UsageError(
            f"Run {run.id} judged {how_many(len(gone), 'video')} that {'is' if len(gone) == 1 else 'are'} gone or not "
            f"embedded by its encoder any more ({shown}): it cannot be made again."
        )
    kept: Any = before.metrics
    categories, copied = tuple(map(str, kept["categories"])), folds[folds["sound"] >= 0]
    published = folds["fold_1"].to_numpy(dtype=np.int64) if run.settings.get("fold_column") else None
    return Dataset(
        ids,
        embeddings.matrix[[row_of[video_id] for video_id in ids]],
        np.array([categories.index(name) for name in before.predictions["category"]], dtype=np.int64),
        categories,
        folds["group"].to_numpy(dtype=object),
        published,
        before.left_out,
        kept["copies"],
        tuple(videos[video_id] for video_id in ids),
        folds["channel"].to_numpy(dtype=object),
        pd.DataFrame({"id": copied["id"], "group": copied["sound"]}),
        str(before.settings["grouped_by"]),
    )


def _differing(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """Names of the values that both have and that differ."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in before:
            if key in now and key not in _SENTENCES:
                yield from _differing(before[key], now[key], f"{name}.{key}" if name else str(key))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for at, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differing(one, other, f"{name}[{at}]")
    elif before != now:
        yield name


def comparison(made: Rerun, run: Run) -> dict[str, Json]:
    """What the rerun says of its run, as JSON values: ``of``, ``same``, ``differing``, ``not_made``, ``sentence``."""
    names = list(made.differing)
    if not names:
        said = f"Run {run.id} made again: every figure that is made again is the same."
    else:
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        counted = how_many(len(names), "figure differs", "figures differ")
        same = made.evaluation.settings["versions"] == run.settings.get("versions")
        code = "the machine or its number of threads" if same else "the code or a library of it"
        said = f"Run {run.id} made again: {counted} ({shown}). Embeddings, titles or {code} are others than on its day."
    if made.not_made:
        said += f" Not made again, so not compared: {', '.join(made.not_made).replace('_', ' ')}."
    return {"of": run.id, "same": not names, "differing": [*names], "not_made": [*made.not_made], "sentence": said}
