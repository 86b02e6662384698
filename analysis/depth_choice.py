"""Which block to take: chosen inside of each training part, so that its gain over the last one is not flattered.

The best of sixteen figures is better than it will ever be again. So for each fold the block is chosen without it, by
leaving out one more of the other folds at a time, and only then judged on it (nested cross-validation; S. Varma and
R. Simon, BMC Bioinformatics 7:91, 2006).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.comparison import compared
from analysis.dataset import Dataset
from analysis.depths import Depth, depth_report, judged, profile_missing, profile_of
from analysis.intervals import Resamples
from analysis.shares import mean_metric, right
from quartzlens.figures import percent
from quartzlens.records import Fingerprint, Json
from store.base import Store

MOST_NESTED = 10
"""Of more folds nothing is chosen: every pair of them would be left out for every block."""
_SAID = {"mean": "by its mean", "mean_std": "by mean and deviation"}


def depths_of(
    store: Store,
    fingerprint: Fingerprint,
    dataset: Dataset,
    fold_of: NDArray[np.int64],
    *,
    work: Mapping[str, float] | None = None,
    nested: bool = False,
) -> dict[str, Json]:
    """Judge the depths of a data set's videos, as far as they have a profile, under the folds of an evaluation.

    Parameters
    ----------
    work
        Share of the network's work (0..1) up to the end of each block, in the network's order, where it is known
        (``pipeline.encoder.shares_of_work``).
    nested
        Choose a block as well, of at most ten folds: about three times the work with five.

    Returns
    -------
    dict
        ``depths`` (``analysis.depths.depth_report``; empty without profiles), ``depths_missing`` (what to say of videos
        without one, and how to get it; empty where all have one), ``depth_choice`` (as below; empty where nobody
        asked, or nothing can be chosen).
    """
    work = work or {}
    profile = profile_of(store, fingerprint, dataset.ids, tuple(work))
    answer: dict[str, Json] = {"depths": [], "depths_missing": "", "depth_choice": {}}
    answer["depths_missing"] = profile_missing(profile, len(dataset.ids), fingerprint.pooling)
    y, folds = dataset.y[profile.rows], fold_of[profile.rows]
    if len(np.unique(folds)) < 2:
        return answer
    resamples = Resamples.of(dataset.groups[profile.rows])
    nested = nested and len(np.unique(folds)) <= MOST_NESTED
    depths = list(judged(profile, y, folds, len(dataset.categories), nested=nested))
    answer["depths"] = depth_report(depths, y, dataset.categories, resamples, work)
    answer["depth_choice"] = depth_choice(depths, y, folds, resamples, pooling=fingerprint.pooling, work=work)
    return answer


def depth_choice(
    depths: Sequence[Depth],
    y: NDArray[np.int64],
    fold_of: NDArray[np.int64],
    resamples: Resamples,
    *,
    pooling: str = "mean",
    work: Mapping[str, float] | None = None,
) -> dict[str, Json]:
    """Recommend a block, with its gain over the last one and its cost.

    Equal figures go to the block nearest to the sound, which costs least.

    Parameters
    ----------
    depths
        What ``judged`` gave with ``nested``.
    pooling
        The collection's own, by which the last block is compared.
    work
        As for ``depth_report``.

    Returns
    -------
    dict
        ``block`` and ``pooling`` (chosen by all folds, for new videos), ``chosen`` (``block``, ``pooling``, ``folds``:
        what was chosen without each fold, most frequent first), ``accuracy`` (a metric: of choosing so, on folds that
        no choice saw), ``last`` (``block``, ``pooling``, ``accuracy``), ``gain`` (``analysis.comparison.compared``
        over the last), ``work`` (share of the network's work up to the block; None: not known), ``sentence``. Empty
        with fewer than three folds, which leave nothing to choose by.
    """
    if any(depth.inside is None for depth in depths):
        return {}
    folds = np.unique(fold_of)
    picks = [_best(_inside(depths, row)) for row in range(len(folds))]
    nested = np.zeros_like(depths[0].probabilities)
    for fold, pick in zip(folds, picks, strict=True):
        nested[fold_of == fold] = depths[pick].probabilities[fold_of == fold]
    best = depths[_best([right(depth.probabilities, y).sum() for depth in depths])]
    last = _last(depths, pooling)
    chosen: list[Json] = [
        {"block": depths[pick].block, "pooling": depths[pick].pooling, "folds": n}
        for pick, n in Counter(picks).most_common()
    ]
    heard = mean_metric(right(last.probabilities, y), resamples)
    answer: dict[str, Any] = {
        "block": best.block,
        "pooling": best.pooling,
        "chosen": chosen,
        "accuracy": mean_metric(right(nested, y), resamples),
        "last": {"block": last.block, "pooling": last.pooling, "accuracy": heard},
        "gain": compared(y, nested, last.probabilities, resamples),
        "work": (work or {}).get(best.block),
    }
    return {**answer, "sentence": _sentence(answer)}


def _inside(depths: Sequence[Depth], row: int) -> list[int]:
    """How many videos each depth told right inside of the training part of one fold."""
    return [int(depth.inside[row].sum()) for depth in depths if depth.inside is not None]


def _best(counts: Sequence[int]) -> int:
    """Where the most were told right, the first of equals."""
    return int(np.argmax(counts))


def _last(depths: Sequence[Depth], pooling: str) -> Depth:
    """The last block as the collection pools it; ``mean3008`` is a mean."""
    wanted = pooling if pooling in _SAID else "mean"
    return next(depth for depth in reversed(depths) if depth.pooling == wanted)


def _sentence(answer: Mapping[str, Any]) -> str:
    """The choice in plain words."""
    block, last, gain = answer["block"], answer["last"], answer["gain"]["difference"]
    figures = (
        f"{percent(answer['accuracy']['value'], 1)} right on folds that the choice never saw, "
        f"{percent(last['accuracy']['value'], 1)} by {last['block']} {_SAID[last['pooling']]}, "
        f"a gain of {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
    )
    if (block, answer["pooling"]) == (last["block"], last["pooling"]):
        return f"The last block, {block}, serves best as it is: {figures}."
    cost = f" It takes {percent(answer['work'])} of the network's work." if answer["work"] is not None else ""
    if gain["low"] <= 0:
        best = f"The best figures are those of {block} {_SAID[answer['pooling']]}"
        return f"No block is surely better than the last. {best}: choosing so gives {figures}.{cost}"
    command = f"`quartzlens reembed --block {block} --pooling {answer['pooling']}`"
    return f"Take {block} {_SAID[answer['pooling']]}: {figures}.{cost} {command} makes it the embedding."
