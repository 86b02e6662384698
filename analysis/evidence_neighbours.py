"""What the neighbours of one video say: their vote, the nearest of both categories, and how far off the video lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evidence_background import Background, K
from analysis.neighbours import percentile
from quartzlens.records import Fragments
from store.vectors import normalised

NEAREST = 3
"""Neighbours of each of both categories."""
NEAREST_COLUMNS = ("side", "id", "category", "similarity", "percentile")
PAIR_COLUMNS = (
    "start_seconds",
    "end_seconds",
    "id",
    "category",
    "other_start_seconds",
    "other_end_seconds",
    "similarity",
)
LABEL, PREDICTION, BOTH, NEITHER, NOBODY = "label", "prediction", "both", "neither", "nobody"


@dataclass(frozen=True, slots=True)
class Vote:
    """What the ``K`` nearest labelled videos of other groups say.

    Attributes
    ----------
    shares
        Category -> its part of the vote (0..1), most first; only categories that have one. Neighbours weigh as much as
        they are similar (cosine, not below 0).
    neighbours
        How many voted.
    sides_with
        ``label``, ``prediction``, ``both`` (they agree), ``neither`` (a third category leads), or ``nobody`` (there are
        no neighbours, or none is similar at all).
    """

    shares: dict[str, float]
    neighbours: int
    sides_with: str


def voted(known: Background, row: int, category: str, predicted: str) -> Vote:
    """Let the nearest labelled videos of other groups vote on the video in a row of the background."""
    similarity, others = _others(known, row)
    labelled = (other for other in others if known.categories[other] is not None)
    others = np.fromiter(islice(labelled, K), dtype=np.int64)
    weights: dict[str, float] = {}
    for other in others:
        name = str(known.categories[other])
        weights[name] = weights.get(name, 0.0) + max(float(similarity[other]), 0.0)
    total = sum(weights.values())
    if not total:
        return Vote({}, len(others), NOBODY)
    shares = {name: weight / total for name, weight in sorted(weights.items(), key=lambda one: (-one[1], one[0]))}
    return Vote(shares, len(others), _side(next(iter(shares)), category, predicted))


def _side(first: str, category: str, predicted: str) -> str:
    if first == category:
        return BOTH if category == predicted else LABEL
    return PREDICTION if first == predicted else NEITHER


def outlier_percentile(known: Background, row: int) -> float:
    """Share of the collection's videos (0..100) that are nearer to their ``K``-th neighbour than this one; NaN: none.

    Neighbours of the video's own group do not count: a channel's videos are near each other, whatever is in them.
    """
    similarity, others = _others(known, row)
    if not len(others) or not len(known.distances):
        return float("nan")
    return percentile(known.distances, float(1.0 - similarity[others[:K][-1]]))


def nearest_of_both(known: Background, row: int, category: str, predicted: str) -> pd.DataFrame:
    """Find the nearest videos of the labelled and of the predicted category, of other groups, by cosine.

    Returns
    -------
    pandas.DataFrame
        ``side`` (``label`` or ``prediction``; ``both`` where these agree), ``id``, ``category``, ``similarity`` (cosine
        of the embeddings), ``percentile`` (as ``analysis.neighbours.neighbours_of`` has it): up to ``NEAREST`` a side,
        best first.
    """
    similarity = known.unit @ known.unit[row]
    sides = {category: BOTH} if category == predicted else {category: LABEL, predicted: PREDICTION}
    rows = []
    for name, side in sides.items():
        members = np.flatnonzero((known.categories == name) & known.apart(row))
        for other in members[np.argsort(-similarity[members], kind="stable")][:NEAREST]:
            near = float(similarity[other])
            rows.append((side, known.ids[other], name, near, percentile(known.pairs, near)))
    table = pd.DataFrame(rows, columns=list(NEAREST_COLUMNS), dtype=object)
    return table.astype({"similarity": "float64", "percentile": "float64"})


def best_pairs(fragments: Fragments, video_id: str, nearest: pd.DataFrame) -> pd.DataFrame:
    """Find, for each of these neighbours, the fragment that is most like a fragment of the video.

    Parameters
    ----------
    fragments
        Those of the video and of its neighbours.

    Returns
    -------
    pandas.DataFrame
        ``start_seconds``, ``end_seconds`` in the video; ``id``, ``category`` of the neighbour and
        ``other_start_seconds``, ``other_end_seconds`` in it; ``similarity``: exact cosine, which
        ranks as well as the one about the collection's mean (docs/results.md). Best first.
    """
    unit, owner = normalised(fragments.matrix), np.array(fragments.ids, dtype=object)
    own = np.flatnonzero(owner == video_id)
    rows = []
    for other, category in dict(zip(nearest["id"], nearest["category"], strict=True)).items():
        theirs = np.flatnonzero(owner == other)
        if len(own) and len(theirs):
            similarity = unit[own] @ unit[theirs].T
            a, b = np.unravel_index(int(similarity.argmax()), similarity.shape)
            times = (*_seconds(fragments.bounds[own[a]]), other, category, *_seconds(fragments.bounds[theirs[b]]))
            rows.append((*times, float(similarity[a, b])))
    table = pd.DataFrame(rows, columns=list(PAIR_COLUMNS), dtype=object)
    numbers = dict.fromkeys([name for name in PAIR_COLUMNS if name not in {"id", "category"}], "float64")
    return table.astype(numbers).sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def _seconds(bounds: Sequence[float]) -> tuple[float, float]:
    return float(bounds[0]), float(bounds[1])


def _others(known: Background, row: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Similarity (n,) of every video, and the rows of other groups, nearest first."""
    similarity: NDArray[np.float32] = known.unit @ known.unit[row]
    others = np.flatnonzero(known.apart(row))
    return similarity, others[np.argsort(-similarity[others], kind="stable")]
