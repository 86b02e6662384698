"""How well the category can be told from facts that are no sound: a leak that a classifier would use.

If all food videos come as Opus at 48 kHz, a classifier can hear the encoder instead of the kitchen. A small decision
tree is the judge, under the same folds: such facts tell by thresholds and names, not by sums.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.comparison import compared
from analysis.intervals import Resamples
from analysis.shares import mean_metric, right
from quartzlens.figures import percent
from quartzlens.records import Json, Video

START_COLUMNS = ("start_seconds", "start_second", "start_s", "start_time", "clip_start", "offset_seconds", "start")
"""Columns of a list that may say where in its source a video was cut out; the first that holds numbers is taken."""
PROBES: Mapping[str, tuple[str, ...]] = {
    "duration": ("source_seconds", "clip_seconds"),
    "loudness": ("loudness_dbfs",),
    "codec": ("codec",),
    "sample rate": ("sample_rate_hz",),
    "clip position": ("start_seconds",),
}
TOGETHER = "all together"
FAR = 0.1
"""A probe this far above the majority, for sure above it, is worth a warning."""
DEPTH, LEAST_LEAF, MOST_NAMES = 6, 5, 20

_NUMBERS = ("source_seconds", "clip_seconds", "loudness_dbfs", "sample_rate_hz", "start_seconds")


def facts_of(videos: Sequence[Video]) -> pd.DataFrame:
    """What is known of videos besides their sound, in their order.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``source_seconds`` (length of the whole source), ``clip_seconds`` (heard), ``loudness_dbfs``, ``codec``
        (None: not known), ``sample_rate_hz``, ``start_seconds`` (where in its source the list says that a video was
        cut out, by one of ``START_COLUMNS``); numbers are float64, NaN where not known.
    """
    column = next((name for name in START_COLUMNS if any(_number(video, name) is not None for video in videos)), "")
    rows = []
    for video in videos:
        heard: tuple[object, ...] = (None,) * 5
        if media := video.media:
            heard = media.source_seconds, media.clip_seconds, media.loudness_dbfs, media.sample_rate_hz, media.codec
        rows.append((video.id, *heard, _number(video, column)))
    names = ["id", "source_seconds", "clip_seconds", "loudness_dbfs", "sample_rate_hz", "codec", "start_seconds"]
    return pd.DataFrame(rows, columns=names, dtype=object).astype(dict.fromkeys(_NUMBERS, "float64"))


def _number(video: Video, column: str) -> float | None:
    try:
        value = float(video.extra.get(column, ""))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def probe_report(
    facts: pd.DataFrame,
    y: NDArray[np.int64],
    fold_of: NDArray[np.int64],
    n_categories: int,
    resamples: Resamples,
) -> list[Json]:
    """Tell the category from each fact alone and from all of them, out of fold.

    Parameters
    ----------
    facts
        As ``facts_of`` gives them, a row for each of ``y``.

    Returns
    -------
    list
        For each of ``PROBES`` and ``TOGETHER``: ``fact``, ``n_known`` (videos of which something is known),
        ``accuracy`` (a metric), ``majority`` (a metric: of always saying the category that is most frequent over all
        folds, which is hard on the probe: with few groups the training part's own is right less often), ``difference``
        (a metric), ``warning`` (whether it reaches far above the majority), ``sentence``. Where the fact is not known,
        or the same for all, there is nothing to tell by: ``accuracy`` and ``difference`` are None.
    """
    table = facts.reset_index(drop=True)
    frequent = (np.bincount(y, minlength=n_categories) / len(y)).astype(np.float32)
    majority = np.broadcast_to(frequent, (len(y), n_categories))
    usual = mean_metric(right(majority, y), resamples)
    report: list[Json] = []
    for fact, columns in {**PROBES, TOGETHER: tuple(name for names in PROBES.values() for name in names)}.items():
        known = table[list(columns)].notna().any(axis=1)
        answer: dict[str, Any] = {"fact": fact, "n_known": int(known.sum()), "accuracy": None, "majority": usual}
        answer |= {"difference": None, "warning": False}
        if table[list(columns)].drop_duplicates().shape[0] > 1:
            told = _told(table[list(columns)], y, fold_of, n_categories)
            answer["accuracy"] = mean_metric(right(told, y), resamples)
            answer["difference"] = compared(y, told, majority, resamples)["difference"]
            answer["warning"] = answer["difference"]["low"] > 0 and answer["difference"]["value"] >= FAR
        report.append({**answer, "sentence": _sentence(answer)})
    return report


def _sentence(answer: Mapping[str, Any]) -> str:
    """What one probe found, in plain words."""
    fact, accuracy, difference = answer["fact"], answer["accuracy"], answer["difference"]
    name = "Duration, loudness, codec, sample rate and clip position" if fact == TOGETHER else fact.capitalize()
    if not answer["n_known"]:
        return f"{name}: not known of any video, so nothing can be told by it."
    if accuracy is None:
        return f"{name}: the same for all videos, so nothing can be told by it."
    tells = (
        f"{name} alone tells the category of {percent(accuracy['value'])} of the videos "
        f"({percent(accuracy['low'])} to {percent(accuracy['high'])}; always the most frequent: "
        f"{percent(answer['majority']['value'])})"
    ).replace("position alone tells", "position together tell" if fact == TOGETHER else "position alone tells")
    if answer["warning"]:
        return f"{tells}. A classifier can use that instead of the sound: compare its figures with this one."
    if difference["low"] > 0:
        return f"{tells}: more than chance, but not far above."
    return f"{tells}: no more than chance explains."


def _told(
    table: pd.DataFrame, y: NDArray[np.int64], fold_of: NDArray[np.int64], n_categories: int
) -> NDArray[np.float32]:
    """Out-of-fold probabilities (n, k) by a tree that learns from some columns."""
    from sklearn.tree import DecisionTreeClassifier

    told = np.zeros((len(y), n_categories), dtype=np.float32)
    for fold in np.unique(fold_of):
        learn, held = fold_of != fold, fold_of == fold
        X = _encoded(table, learn)
        tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=LEAST_LEAF, random_state=0)
        tree.fit(X[learn], y[learn])
        told[np.ix_(held, tree.classes_)] = tree.predict_proba(X[held])
    return told


def _encoded(table: pd.DataFrame, learn: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Numbers as they are (a tree takes NaN), names as a column each, by what the training part has of them."""
    columns = []
    for name in table:
        if name in _NUMBERS:
            columns.append(table[name].to_numpy(dtype=np.float64))
            continue
        values = table[name].astype(str)
        columns += [
            (values == value).to_numpy(dtype=np.float64) for value in values[learn].value_counts().index[:MOST_NAMES]
        ]
    return np.column_stack(columns)
