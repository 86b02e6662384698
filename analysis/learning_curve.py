"""Is more data worth it: accuracy against the number of videos that were learned from."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.classifier import probabilities
from analysis.intervals import Resamples
from analysis.out_of_fold import fold_models
from analysis.shares import mean_metric
from analysis.splits import numbered
from quartzlens.records import Json

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Of each training part: every step doubles it."""
DRAWS = 3
LEAST_STEP = 1.2
"""A size that is not this many times the one before it tells nothing new."""

Floats = NDArray[np.float32]
OnRefused = Callable[[float, str], None]


def learning_curve(
    make: Callable[[], Any],
    X: Floats,
    y: NDArray[np.int64],
    groups: NDArray[np.object_],
    fold_of: NDArray[np.int64],
    n_categories: int,
    resamples: Resamples,
    *,
    seed: int = 0,
    shares: Sequence[float] = SHARES,
    draws: int = DRAWS,
    on_refused: OnRefused = lambda *_: None,
) -> list[Json]:
    """Judge the same folds by models that learned from a part of what they could.

    Whole groups are drawn, about the same share of each category, and one of each at least. Figures are means over the
    draws. All folds are judged at each size, so that sizes are compared on the same videos.

    Parameters
    ----------
    make
        Makes an untrained classifier; about ``len(shares) * draws`` times the number of folds are trained.
    shares
        Of the training part, ascending, the last of them 1. Each should be twice the one before it.
    on_refused
        Told the size (videos) and the complaint where an estimator raises ValueError, as some do that split what they
        learn from: the size is left out. What it says of the whole training part is raised.

    Returns
    -------
    list
        A row for each size, ascending: ``share``, ``n`` (videos that were learned from, mean over folds and draws),
        ``groups`` (likewise), ``draws``, ``accuracy`` (a metric), ``gain`` (a metric: over the size before it, on the
        same videos; None for the first). Sizes that come out about the same, as one group of each category is all that
        a share buys, are one row.
    """
    rows: list[Json] = []
    before: tuple[float, NDArray[np.float64]] | None = None
    for share in shares:
        times = draws if share < 1 else 1
        parts = [_parts(y, groups, fold_of, share, (seed, draw)) for draw in range(times)]
        n = float(np.mean([part.sum() for drawn in parts for part in drawn.values()]))
        if before is not None and n < LEAST_STEP * before[0]:
            continue
        try:
            right = np.mean([_right(make, X, y, groups, fold_of, n_categories, drawn) for drawn in parts], axis=0)
        except ValueError as error:
            if share >= 1:
                raise
            on_refused(n, str(error))
            continue
        row: dict[str, Json] = {
            "share": float(share),
            "n": n,
            "groups": float(np.mean([len(set(groups[part])) for drawn in parts for part in drawn.values()])),
            "draws": times,
            "accuracy": mean_metric(right, resamples),
            "gain": None if before is None else mean_metric(right - before[1], resamples, lowest=-1.0),
        }
        rows.append(row)
        before = n, right
    return rows


def learning_sentence(curve: Sequence[Any]) -> str:
    """Whether more videos are worth it, by the gain of the last step of a ``learning_curve``; empty for no step."""
    if len(curve) < 2:
        return ""
    half, whole = curve[-2:]
    gain = whole["gain"]
    said = (
        f"From {half['n']:,.0f} to {whole['n']:,.0f} training videos accuracy went from "
        f"{half['accuracy']['value']:.3f} to {whole['accuracy']['value']:.3f} "
        f"({gain['value']:+.3f}, {gain['low']:+.3f} to {gain['high']:+.3f})"
    )
    if gain["low"] > 0:
        return f"{said}: more videos are worth it. {_next(curve)}"
    if gain["high"] < 0:
        return f"{said}: more videos of this kind made it worse, so look at what was added, not at how much."
    left = round(1 - whole["accuracy"]["value"], 2)
    more = f" As many videos again would hardly bring more than {min(gain['high'], left):.2f}." if left else ""
    return f"{said}: that may be chance.{more}"


def refused_sentence(refused: Sequence[tuple[float, str]]) -> str:
    """Sizes that a ``learning_curve`` left out, with the last complaint; empty for none.

    >>> refused_sentence([(6.0, "too few"), (12.5, "still too few")])
    'The classifier cannot learn from 6, 12 training videos, so these sizes are left out (still too few).'
    """
    if not refused:
        return ""
    sizes = list(dict.fromkeys(f"{n:,.0f}" for n, _ in refused))
    these = "this size is" if len(sizes) == 1 else "these sizes are"
    why = " ".join(refused[-1][1].split()).rstrip(".")
    return f"The classifier cannot learn from {', '.join(sizes)} training videos, so {these} left out ({why})."


def _next(curve: Sequence[Any]) -> str:
    """What as many videos again would bring if errors went on to fall by the power law through the last two sizes."""
    half, whole = ((one["n"], 1 - one["accuracy"]["value"]) for one in curve[-2:])
    fall = (whole[1] / half[1]) ** (np.log(2) / np.log(whole[0] / half[0])) if half[1] > 0 else 1.0
    more = whole[1] * (1 - float(fall))
    return f"As many again would bring at most about {more:+.3f}, if errors go on to fall by a power law."


def _parts(
    y: NDArray[np.int64], groups: NDArray[np.object_], fold_of: NDArray[np.int64], share: float, seed: tuple[int, int]
) -> dict[int, NDArray[np.bool_]]:
    """What the model of each fold learns from: (n,) bool."""
    return {
        int(fold): _drawn(y, groups, fold_of != fold, share, (*seed, int(at)))
        for at, fold in enumerate(np.unique(fold_of))
    }


def _drawn(
    y: NDArray[np.int64], groups: NDArray[np.object_], learn: NDArray[np.bool_], share: float, seed: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Whole groups, in a seeded order, until every category has its share: (n,) bool, a part of ``learn``."""
    if share >= 1:
        return learn
    names, group_of = numbered(groups[learn])
    counts = np.zeros((len(names), int(y.max()) + 1), dtype=np.int64)
    np.add.at(counts, (group_of, y[learn]), 1)
    wanted = share * counts.sum(axis=0)
    has, taken = np.zeros_like(wanted), np.zeros(len(names), dtype=bool)
    for group in np.random.default_rng(seed).permutation(len(names)):
        if bool(((counts[group] > 0) & (has < wanted)).any()):
            taken[group] = True
            has += counts[group]
    part = np.zeros_like(learn)
    part[learn] = taken[group_of]
    return part


def _right(
    make: Callable[[], Any],
    X: Floats,
    y: NDArray[np.int64],
    groups: NDArray[np.object_],
    fold_of: NDArray[np.int64],
    n_categories: int,
    parts: dict[int, NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Whether each video is told right by the model of its fold: (n,) zeros and ones."""
    right = np.zeros(len(y))
    for fold, model in fold_models(make, X, y, groups, fold_of, parts=parts):
        held = fold_of == fold
        right[held] = probabilities(model, X[held], n_categories).argmax(axis=1) == y[held]
    return right
