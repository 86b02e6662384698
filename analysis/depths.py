"""Which depth hears it: how well each block of the network tells the categories apart, under the same folds.

Logistic regression is the judge, as ``--classifier logistic`` is: the same for every block, without chance in it, and
quick enough for all of them. Sounds that are not speech are often told apart best by early blocks of a network that
transcribes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, count, takewhile
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from analysis.classifier import fit_classifier, make_classifier, probabilities
from analysis.intervals import Resamples
from analysis.shares import mean_metrics, right
from quartzlens.cores import cores
from quartzlens.figures import how_many
from quartzlens.records import Fingerprint, Json
from store.base import Store

POOLINGS = ("mean", "mean_std")
_SIDE_BY_SIDE = 1 << 28
"""Bytes of a block from which on one part is learned from after the other: each has copies of its own."""
COLUMNS = ("block", "position", "pooling", "category", "n", "value", "low", "high", "work")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Depth profiles of videos, read a block at a time.

    Attributes
    ----------
    rows
        (m,) int64, increasing: those of the videos asked for that have a profile of every block.
    names
        Of the blocks, in the order of the network.
    read
        Gives of a block (m, 2c) float32: means, then standard deviations over time of its c channels.
    """

    rows: NDArray[np.int64]
    names: tuple[str, ...]
    read: Callable[[str], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Depth:
    """One block by one pooling, judged.

    Attributes
    ----------
    probabilities
        (m, k) float32, each video by the regression that learned from the other folds.
    inside
        (folds, m) bool: whether a video was told right by the regression that learned from neither its fold nor that
        of the row; False in a fold's own row. None where nobody asked, or there are two folds.
    """

    block: str
    pooling: str
    dimension: int
    probabilities: Floats
    inside: NDArray[np.bool_] | None


def profile_of(store: Store, fingerprint: Fingerprint, ids: Sequence[str], order: Sequence[str] = ()) -> Profile:
    """Find the depth profiles of videos; without any, both ``rows`` and ``names`` are empty.

    Parameters
    ----------
    order
        Names of the blocks in the order of the network. Without it they are found by their names, and come in the
        order in which QuartzNet, Jasper and Citrinet have them: C1, then B1, B2 ..., then C2, C3 ...
    """
    names = order or _names(store, fingerprint, ids)
    kept = {name: set(store.embeddings(fingerprint, ids, block=name).ids) for name in names}
    there = tuple(name for name in names if kept[name])
    rows = [row for row, video_id in enumerate(ids) if there and all(video_id in kept[name] for name in there)]
    wanted = [ids[row] for row in rows]

    def read(name: str) -> Floats:
        """The block of the videos wanted, in their order."""
        found = store.embeddings(fingerprint, wanted, block=name)
        row_of = {video_id: row for row, video_id in enumerate(found.ids)}
        matrix: Floats = found.matrix[[row_of[video_id] for video_id in wanted]]
        return matrix

    return Profile(np.array(rows, dtype=np.int64), there if rows else (), read)


def _names(store: Store, fingerprint: Fingerprint, ids: Sequence[str]) -> list[str]:
    """Blocks of the profiles: those of either kind are numbered from 1 without a gap (``pipeline.blocks``)."""

    def there(name: str) -> bool:
        """Whether any of the videos has this block."""
        return bool(store.embeddings(fingerprint, ids, block=name).ids)

    plain, residual = (list(takewhile(there, (f"{kind}{number}" for number in count(1)))) for kind in "CB")
    return plain[:1] + residual + plain[1:]


def profile_missing(profile: Profile, n_videos: int, pooling: str) -> str:
    """What to say of videos without a depth profile, and how to get it; empty where all have one.

    ``pooling`` is the collection's: only another encoder is embedded anew, and each brings a profile.
    """
    lacking = n_videos - len(profile.rows)
    if not lacking:
        return ""
    other = "mean" if pooling == "mean_std" else "mean_std"
    of = f"of {n_videos:,}"
    some = how_many(lacking, f"video {of} lacks", f"videos {of} lack")
    whom = some if len(profile.rows) else "None of these videos has"
    return (
        f"{whom} a depth profile: an older quartzlens embedded them. `quartzlens ingest LIST --retry ok` embeds a list "
        f"again, with profiles; offline, `quartzlens reembed --pooling {other}` does so from kept media, beside what "
        "is there."
    )


def judged(
    profile: Profile, y: NDArray[np.int64], fold_of: NDArray[np.int64], n_categories: int, *, nested: bool = False
) -> Iterator[Depth]:
    """Judge every block by both poolings, in the order of the network; ``y`` and ``fold_of`` are of ``profile.rows``.

    With ``nested`` every pair of folds is left out as well, so that a choice can be made inside of each training part
    (the model without folds a and b tells b for the choice of a, and a for the choice of b).
    """
    folds = np.unique(fold_of)
    pairs = list(combinations(range(len(folds)), 2)) if nested and len(folds) > 2 else []
    out = [(fold,) for fold in range(len(folds))] + pairs
    parts = np.array([~np.isin(fold_of, folds[list(left)]) for left in out])
    for name in profile.names:
        both = profile.read(name)
        for pooling in POOLINGS:
            X = both[:, : both.shape[1] // 2] if pooling == "mean" else both
            by_part = _by_parts(X, y, parts, n_categories)
            own = np.searchsorted(folds, fold_of)
            told = by_part[len(folds) :].argmax(axis=2) == y
            inside = _inside(pairs, told, own, len(folds)) if pairs else None
            yield Depth(name, pooling, X.shape[1], by_part[own, np.arange(len(y))], inside)


def _by_parts(X: Floats, y: NDArray[np.int64], parts: NDArray[np.bool_], n_categories: int) -> Floats:
    """What the regressions of all parts say of every video: (parts, m, k); each in one thread, as many as cores."""
    workers = cores() if X.nbytes < _SIDE_BY_SIDE else 1
    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        return np.array(list(pool.map(lambda part: _by_part(X, y, part, n_categories), parts)))


def _by_part(X: Floats, y: NDArray[np.int64], part: NDArray[np.bool_], n_categories: int) -> Floats:
    """What the regression of one part says of every video: (m, k)."""
    if len(set(y[part].tolist())) < 2:  # without two folds there may be a single category left: it is all there is
        sure: Floats = np.repeat(np.eye(n_categories, dtype=np.float32)[y[part][:1]], len(y), axis=0)
        return sure
    model = fit_classifier(make_classifier("logistic", n_categories, 0), X[part], y[part], y[part].astype(object))
    return probabilities(model, X, n_categories)


def _inside(
    pairs: Sequence[tuple[int, int]], told: NDArray[np.bool_], own: NDArray[np.int64], folds: int
) -> NDArray[np.bool_]:
    """``Depth.inside`` from what the models without two folds said."""
    inside = np.zeros((folds, len(own)), dtype=bool)
    for (one, other), by_rest in zip(pairs, told, strict=True):
        inside[one, own == other] = by_rest[own == other]
        inside[other, own == one] = by_rest[own == one]
    return inside


def depth_report(
    depths: Sequence[Depth],
    y: NDArray[np.int64],
    categories: Sequence[str],
    resamples: Resamples,
    work: Mapping[str, float] | None = None,
) -> list[Json]:
    """Accuracy of every block by both poolings.

    Parameters
    ----------
    resamples
        Of the groups of ``y``, as all that is of ``profile.rows``.
    work
        Share of the network's work (0..1) up to the end of each block, where it is known.

    Returns
    -------
    list
        For each of ``depths``: ``block``, ``pooling``, ``position`` (0 is the block nearest to the sound),
        ``dimension``, ``n``, ``accuracy`` (a metric), ``per_category`` (name -> ``n``, ``recall``, a metric),
        ``work`` (None: not known).
    """
    names = list(dict.fromkeys(depth.block for depth in depths))
    among = [np.ones(len(y), dtype=bool), *(y == position for position in range(len(categories)))]
    figures = iter(
        mean_metrics([(right(depth.probabilities, y), part) for depth in depths for part in among], resamples)
    )
    report: list[Json] = []
    for depth in depths:
        accuracy = next(figures)
        each: dict[str, Json] = {
            name: {"n": int(part.sum()), "recall": next(figures)}
            for name, part in zip(categories, among[1:], strict=True)
        }
        report.append(
            {
                "block": depth.block,
                "pooling": depth.pooling,
                "position": names.index(depth.block),
                "dimension": depth.dimension,
                "n": len(y),
                "accuracy": accuracy,
                "per_category": each,
                "work": (work or {}).get(depth.block),
            }
        )
    return report


def depth_table(report: Sequence[Any]) -> pd.DataFrame:
    """``depth_report`` in long form, as a chart wants it.

    Returns
    -------
    pandas.DataFrame
        A row for each block, pooling and category, and one for all of them together: ``block``, ``position``,
        ``pooling``, ``category`` (None: all), ``n``, ``value`` (accuracy; of a category its recall) between ``low``
        and ``high`` (95 %), ``work`` (share of the network's work up to there; NaN where it is not known).
    """
    rows: list[tuple[object, ...]] = []
    for one in report:
        each = {None: {"n": one["n"], "recall": one["accuracy"]}, **one["per_category"]}
        for category, scores in each.items():
            metric = (scores["recall"][end] for end in ("value", "low", "high"))
            rows.append((one["block"], one["position"], one["pooling"], category, scores["n"], *metric, one["work"]))
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.astype({"position": "int64", "n": "int64", **dict.fromkeys(COLUMNS[5:], "float64")})
