"""Whether an evaluation can be trusted, and what would better it: leaks, depths of the encoder, more videos."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.classifier import make_classifier
from analysis.dataset import Dataset
from analysis.depth_choice import depths_of
from analysis.evaluation import Evaluation, OnStep
from analysis.intervals import Resamples
from analysis.leaks import beside_random_split, leak_report
from analysis.learning_curve import learning_curve, learning_sentence, refused_sentence
from analysis.metrics import probability_columns
from analysis.probes import facts_of
from analysis.splits import numbered
from quartzlens.errors import UsageError
from quartzlens.records import Fingerprint, Json
from store.base import Store

LEVELS = ("brief", "usual", "full")
MOST_FOR_DEPTHS = 5000
"""Of more videos, whole groups of about so many are drawn to judge the depths by."""


def checks(
    store: Store,
    fingerprint: Fingerprint,
    dataset: Dataset,
    evaluation: Evaluation,
    *,
    level: str = "usual",
    classifier: Any = "original",
    seed: int = 0,
    work: Mapping[str, float] | None = None,
    on_step: OnStep = lambda _: None,
) -> dict[str, Json]:
    """Check an evaluation of ``dataset`` for leaks, judge every depth, and see whether more videos would help.

    Parameters
    ----------
    level
        ``brief``: nothing of it. ``usual``: leaks and depths. ``full``: besides, the same classifier under a random
        split, the block chosen by nested validation, and the learning curve, which train about 20 times as often.
    classifier
        That of the evaluation, as for ``analysis.evaluation.evaluate``.
    work
        As for ``analysis.depth_choice.depths_of``.
    on_step
        Told what begins: ``leaks``, ``random split``, ``depths``, ``learning curve``.

    Returns
    -------
    dict
        ``leaks`` (``analysis.leaks.leak_report``; None where brief), ``depths``, ``depths_missing``, ``depth_choice``
        (``depths_of``), ``depths_of_videos`` (how many they are judged on), ``learning_curve``
        (``analysis.learning_curve``) and ``learning`` (what it says); empty where they were not asked for.

    Raises
    ------
    UsageError
        There is no such level.
    """
    if level not in LEVELS:
        raise UsageError(f"There is no report '{level}'; there are: {', '.join(LEVELS)}.")
    found: dict[str, Json] = {"leaks": None, "depths": [], "depths_missing": "", "depth_choice": {}}
    found |= {"depths_of_videos": 0, "learning_curve": [], "learning": ""}
    if level == "brief":
        return found

    def make() -> Any:
        """An untrained classifier as the evaluation's."""
        weight = str(evaluation.settings.get("class_weight", "none"))
        return make_classifier(classifier, len(dataset.categories), seed, class_weight=weight)

    fold_of = evaluation.folds["fold_1"].to_numpy(dtype=np.int64)
    resamples = Resamples.of(dataset.groups, seed=seed)
    found["leaks"] = _leaks(dataset, evaluation, fold_of, resamples, make if level == "full" else None, seed, on_step)
    on_step("depths")
    some, folds = _some(dataset, fold_of, MOST_FOR_DEPTHS, seed)
    found |= depths_of(store, fingerprint, some, folds, work=work, nested=level == "full")
    found["depths_of_videos"] = len(some.ids)
    if level == "full":
        on_step("learning curve")
        data, k = (dataset.X, dataset.y, dataset.groups, fold_of), len(dataset.categories)
        refused: list[tuple[float, str]] = []
        curve = learning_curve(make, *data, k, resamples, seed=seed, on_refused=lambda *one: refused.append(one))
        said = filter(None, (learning_sentence(curve), refused_sentence(refused)))
        found |= {"learning_curve": curve, "learning": " ".join(said)}
    return found


def _leaks(
    dataset: Dataset,
    evaluation: Evaluation,
    fold_of: NDArray[np.int64],
    resamples: Resamples,
    make: Callable[[], Any] | None,
    seed: int,
    on_step: OnStep,
) -> dict[str, Json]:
    """The leak report, with the random split where its classifier can be made."""
    on_step("leaks")
    k = len(dataset.categories)
    report = leak_report(
        dataset.ids,
        dataset.X,
        dataset.y,
        k,
        fold_of,
        resamples,
        channels=dataset.channels,
        copies=dataset.copies_found,
        facts=facts_of(dataset.videos),
        seed=seed,
    )
    if make is not None:
        on_step("random split")
        predictions = evaluation.predictions
        grouped = predictions[probability_columns(predictions)].to_numpy(dtype=np.float32)
        repeats = evaluation.folds.columns.str.startswith("fold_").sum()
        report["random_split"] = beside_random_split(
            make, dataset.X, dataset.y, k, fold_of, grouped, resamples, seed=seed, repeats=int(repeats)
        )
    return report


def _some(dataset: Dataset, fold_of: NDArray[np.int64], most: int, seed: int) -> tuple[Dataset, NDArray[np.int64]]:
    """A seeded draw of whole groups that hold about ``most`` videos, and their folds; all where they are fewer."""
    if len(dataset.ids) <= most:
        return dataset, fold_of
    names, group_of = numbered(dataset.groups)
    sizes, order = np.bincount(group_of), np.random.default_rng(seed).permutation(len(names))
    drawn = order[: np.searchsorted(sizes[order].cumsum(), most) + 1]
    rows = np.flatnonzero(np.isin(group_of, drawn))
    ids = tuple(dataset.ids[row] for row in rows)
    return replace(dataset, ids=ids, X=dataset.X[rows], y=dataset.y[rows], groups=dataset.groups[rows]), fold_of[rows]
