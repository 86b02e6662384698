"""The leak report: what could make an evaluation look better than it is, measured.

A classifier that has heard a channel recognises it; so do copies of a sound. And what a file is like can tell its
category without a single second of it. Each is a number here, with what it would be without the leak.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.comparison import compared
from analysis.duplicates import hardly_compared
from analysis.intervals import Resamples
from analysis.out_of_fold import out_of_fold
from analysis.probes import probe_report
from analysis.shares import mean_metric, right
from analysis.splits import numbered
from quartzlens.figures import how_many, percent
from quartzlens.records import Json

MOST_ASKED, AT_ONCE = 5000, 512
"""Of more videos, this many are drawn to ask for their nearest; so many are asked for at once."""

ALIKE = 1.5
"""Folds are of about one size where the largest is no more than this many times the smallest."""

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Names = NDArray[np.object_]


def leak_report(
    ids: Sequence[str],
    X: Floats,
    y: Numbers,
    n_categories: int,
    fold_of: Numbers,
    resamples: Resamples,
    *,
    channels: Names,
    copies: pd.DataFrame,
    facts: pd.DataFrame,
    seed: int = 0,
) -> dict[str, Json]:
    """Measure what an evaluation under ``fold_of`` could leak. Quick: nothing but small trees is trained.

    Parameters
    ----------
    channels
        (n,) names of what a nearest neighbour should not share, a name of its own for each video without one:
        ``analysis.splits.joined_groups`` of the videos without copies.
    copies
        Of ``analysis.duplicates.duplicate_groups``.
    facts
        Of ``analysis.probes.facts_of``, a row for each of ``ids``.

    Returns
    -------
    dict
        ``random_split`` (None: see ``beside_random_split``), ``copies`` (``shared_sounds``), ``same_channel``
        (``same_channel``), ``probes`` (``analysis.probes.probe_report``).
    """
    return {
        "random_split": None,
        "copies": shared_sounds(ids, fold_of, random_folds(y, len(np.unique(fold_of)), seed), copies),
        "same_channel": same_channel(X, y, channels, resamples, seed=seed),
        "probes": probe_report(facts, y, fold_of, n_categories, resamples),
    }


def beside_random_split(
    make: Callable[[], Any],
    X: Floats,
    y: Numbers,
    n_categories: int,
    fold_of: Numbers,
    grouped: Floats,
    resamples: Resamples,
    *,
    seed: int = 0,
    repeats: int = 1,
) -> dict[str, Json]:
    """Judge the same classifier under a random stratified split, as if every video stood for itself.

    It is trained anew for each of as many folds; where it spares videos for early stopping, it draws them at random
    too, as the usual protocol does.

    Parameters
    ----------
    grouped
        (n, k) out-of-fold probabilities of the evaluation that it is set beside.
    repeats
        Random splits, of whose probabilities the mean is judged: as many as ``grouped`` is the mean of.

    Returns
    -------
    dict
        ``accuracy`` and ``grouped`` (metrics of either split), ``gap`` (a metric: what the random split adds),
        ``compared`` (``analysis.comparison.compared``), ``sentence``.
    """
    alone = np.arange(len(y)).astype(str).astype(object)
    splits = [like_folds(y, fold_of, seed + repeat) for repeat in range(repeats)]
    told = [out_of_fold(make, X, y, alone, folds, n_categories)[0] for folds in splits]
    random: Floats = np.mean(told, axis=0, dtype=np.float32)
    against = compared(y, random, grouped, resamples)
    answer: dict[str, Any] = {
        "accuracy": mean_metric(right(random, y), resamples),
        "grouped": mean_metric(right(grouped, y), resamples),
        "gap": against["difference"],
        "compared": against,
    }
    gap = answer["gap"]
    verdict = (
        "that much is not what categories sound like, but channels and recordings that were heard before"
        if gap["low"] > 0
        else "that may be chance, so nothing says that channels are recognised"
    )
    said = (
        f"A random split would show {percent(answer['accuracy']['value'], 1)} instead of "
        f"{percent(answer['grouped']['value'], 1)} ({gap['value']:+.3f}, {gap['low']:+.3f} to {gap['high']:+.3f}): "
        f"{verdict}."
    )
    return {**answer, "sentence": said}


def like_folds(y: Numbers, fold_of: Numbers, seed: int) -> Numbers:
    """Deal single videos into folds as large as given ones, so that as much is learned from: (n,) int64, 0-based.

    Folds of about one size are ``random_folds``; others take their share of each category, and a category that falls
    into one of them as a whole gives a video to the next: there is always one to learn it from.
    """
    sizes = np.unique(fold_of, return_counts=True)[1]
    if sizes.max() <= ALIKE * sizes.min():
        return random_folds(y, len(sizes), seed)
    rng, ends = np.random.default_rng(seed), sizes.cumsum() / sizes.sum()
    dealt = np.zeros(len(y), dtype=np.int64)
    for category in np.unique(y):
        own = rng.permutation(np.flatnonzero(y == category))
        places = (np.arange(len(own)) + rng.random()) / len(own)
        dealt[own] = np.minimum(np.searchsorted(ends, places, side="right"), len(sizes) - 1)
        if len(set(dealt[own])) == 1:
            dealt[own[1:2]] = (dealt[own[1:2]] + 1) % len(sizes)
    return dealt


def random_folds(y: Numbers, folds: int, seed: int) -> Numbers:
    """Deal single videos into folds of about equal categories, whatever their groups: (n,) int64, 0-based."""
    rng = np.random.default_rng(seed)
    fold_of = np.zeros(len(y), dtype=np.int64)
    begin = 0
    for category in np.unique(y):
        own = rng.permutation(np.flatnonzero(y == category))
        fold_of[own] = (begin + np.arange(len(own))) % folds
        begin += len(own)
    return fold_of


def shared_sounds(ids: Sequence[str], fold_of: Numbers, random: Numbers, copies: pd.DataFrame) -> dict[str, Json]:
    """Count copies of one sound, and ids, that lie in several folds, and how many of them a random split would part.

    Returns
    -------
    dict
        ``groups`` of copies and the ``videos`` in them, ``parted`` groups and ``parted_at_random``, ``equal_ids``
        (ids in several folds: a video is one row, so any is a fault), ``sentence``.
    """
    folds: dict[str, set[int]] = {}
    for video_id, fold in zip(ids, fold_of, strict=True):
        folds.setdefault(video_id, set()).add(int(fold))
    row_of = {video_id: row for row, video_id in enumerate(ids)}
    inside = copies[copies["id"].isin(row_of)]
    found = [[row_of[one] for one in own] for _, own in inside.groupby("group")["id"] if len(own) > 1]
    parted, at_random = (sum(len(set(dealt[rows])) > 1 for rows in found) for dealt in (fold_of, random))
    equal = sum(len(several) > 1 for several in folds.values())
    said = _shared_sentence(len(found), parted, at_random, equal)
    answer: dict[str, Json] = {"groups": len(found), "videos": sum(map(len, found)), "parted": parted}
    return {
        **answer,
        "parted_at_random": at_random,
        "equal_ids": equal,
        "sentence": " ".join(filter(None, [said, hardly_compared(copies)])),
    }


def _shared_sentence(groups: int, parted: int, at_random: int, equal: int) -> str:
    repeated = f" {how_many(equal, 'id is', 'ids are')} in several folds: this is a fault." if equal else ""
    if not groups:
        return f"No two of the judged videos have the same sound.{repeated}"
    verb = "is" if parted == 1 else "are"
    return (
        f"Of {how_many(groups, 'group')} of copies {parted} {verb} parted by the folds; a random split would part "
        f"{at_random}.{repeated}"
    )


def same_channel(X: Floats, y: Numbers, channels: Names, resamples: Resamples, *, seed: int = 0) -> dict[str, Json]:
    """How often the nearest video (by cosine) is of the same channel.

    Asked are the videos that share a channel with another one; of more than 5,000 as many are drawn. What is found is
    among all.

    Returns
    -------
    dict
        ``n`` (asked), ``share`` (a metric; None where no channel has two videos), ``chance`` (of any other video),
        ``chance_in_category`` (of any other video of the same category: a channel often has only one), ``sentence``.
    """
    channel_of = numbered(channels)[1]
    sizes = np.bincount(channel_of)
    asked = np.flatnonzero(sizes[channel_of] > 1)
    if not len(asked):
        said = "No channel has two videos, so none can be recognised."
        return {"n": 0, "share": None, "chance": None, "chance_in_category": None, "sentence": said}
    if len(asked) > MOST_ASKED:
        asked = np.sort(np.random.default_rng(seed).choice(asked, MOST_ASKED, replace=False))
    same, where = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    same[asked] = channel_of[_nearest(X, asked)] == channel_of[asked]
    where[asked] = True
    found: Any = mean_metric(same, resamples, where)
    pair_of = channel_of * (int(y.max()) + 1) + y
    fellows = np.bincount(pair_of)[pair_of[asked]] - 1
    chance = float(((sizes[channel_of[asked]] - 1) / (len(y) - 1)).mean())
    inside = float((fellows / np.maximum(np.bincount(y)[y[asked]] - 1, 1)).mean())
    said = (
        f"Of {how_many(len(asked), 'video')} that share a channel with another one, {percent(found['value'])} "
        f"({percent(found['low'])} to {percent(found['high'])}) have their nearest neighbour in it; chance would give "
        f"{percent(chance, 1)}, within the category {percent(inside, 1)}."
    )
    answer: dict[str, Json] = {"n": len(asked), "share": found, "chance": chance, "chance_in_category": inside}
    return {**answer, "sentence": said}


def _nearest(X: Floats, asked: Numbers) -> Numbers:
    """Row of the nearest other video of each asked one, by cosine; some at a time, for the sake of memory."""
    unit = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    nearest = np.zeros(len(asked), dtype=np.int64)
    for start in range(0, len(asked), AT_ONCE):
        rows = asked[start : start + AT_ONCE]
        similar = unit[rows] @ unit.T
        similar[np.arange(len(rows)), rows] = -np.inf
        nearest[start : start + AT_ONCE] = similar.argmax(axis=1)
    return nearest
