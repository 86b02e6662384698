"""What evidence needs of the whole collection, computed once for an evaluation and kept by who asks often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.draws import drawn
from analysis.duplicates import duplicate_groups
from analysis.evaluation import Evaluation
from analysis.evidence_change import widest_directions
from analysis.label_quality import label_quality
from analysis.neighbours import pair_similarities
from analysis.splits import alone, groups_by_id, numbered
from quartzlens.records import Embeddings, Fingerprint, Video
from store.base import Store
from store.vectors import finite, normalised, undamaged

K = 10
"""Neighbours that vote, and the neighbour whose distance tells how far off a video lies."""
SAMPLE_VIDEOS, SAMPLE_FRAGMENTS_OF = 2000, 500
_ROWS_AT_ONCE = 256

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A collection as one evaluation saw it; it changes with the embeddings, the channels, and the evaluation.

    Attributes
    ----------
    ids
        n ids of the embedded videos, in the order of the store, without those whose embedding is damaged; ``row_of``
        gives their rows.
    unit
        (n, d) float32 embeddings, L2-normalised.
    groups
        (n, 2) int64: numbers of today's groups (one channel, recording or sound, ``analysis.splits``), and of those
        that the evaluation kept together, by whatever column. Two videos are of one group where either is the same.
    categories
        (n,) objects: the label that the evaluation saw; None where it did not judge the video.
    directions
        (d, p) float32: the widest directions of the fragments of up to 500 videos (``analysis.evidence_change``).
    pairs
        What ``analysis.neighbours.pair_similarities`` gave.
    distances
        Ascending (m,) float32: how far up to 2,000 videos are from their ``K``-th neighbour.
    quality
        Id -> label quality (``analysis.label_quality``) of each video that was judged.
    copies
        What ``analysis.duplicates.duplicate_groups`` gave.
    """

    ids: tuple[str, ...]
    row_of: Mapping[str, int]
    unit: Floats
    groups: NDArray[np.int64]
    categories: NDArray[np.object_]
    directions: Floats
    pairs: Floats
    distances: Floats
    quality: Mapping[str, float]
    copies: pd.DataFrame

    def apart(self, row: int) -> NDArray[np.bool_]:
        """Which videos are of other groups than the one in a row: (n,)."""
        apart: NDArray[np.bool_] = (self.groups != self.groups[row]).all(axis=1)
        return apart


def background(
    store: Store,
    fingerprint: Fingerprint,
    evaluation: Evaluation,
    copies: pd.DataFrame | None = None,
    videos: Sequence[Video] | None = None,
) -> Background:
    """Compute what all evidence of an evaluation shares.

    Parameters
    ----------
    copies
        What ``duplicate_groups`` gave, for callers that keep it.
    videos
        What the store's ``videos`` gave, likewise.
    """
    copies = duplicate_groups(store, fingerprint) if copies is None else copies
    sound_of = dict(zip(copies["id"], copies["group"], strict=True))
    group_of = groups_by_id(store.videos() if videos is None else videos, sound_of)
    embeddings = _whole(store.embeddings(fingerprint))
    label_of = dict(zip(evaluation.predictions["id"], evaluation.predictions["category"], strict=True))
    today = np.array([group_of[video_id] for video_id in embeddings.ids], dtype=object)
    groups = np.column_stack([numbered(today)[1], numbered(_kept_groups(embeddings.ids, evaluation.folds))[1]])
    unit = normalised(embeddings.matrix, out=embeddings.matrix)
    return Background(
        embeddings.ids,
        {video_id: row for row, video_id in enumerate(embeddings.ids)},
        unit,
        groups,
        np.array([label_of.get(video_id) for video_id in embeddings.ids], dtype=object),
        widest_directions(_some_fragments(store, fingerprint, embeddings.ids)),
        pair_similarities(store, fingerprint),
        kth_distances(unit, groups),
        label_quality(evaluation),
        copies,
    )


def kth_distances(unit: Floats, groups: NDArray[np.int64]) -> Floats:
    """Distance (1 - cosine) of up to 2,000 videos to their ``K``-th neighbour of other groups: ascending (m,).

    ``groups`` are as in ``Background``. Videos without one are left out; with fewer than ``K`` the last counts.
    """
    n = len(unit)
    rows = np.arange(n)
    if n > SAMPLE_VIDEOS:
        rows = np.sort(np.random.default_rng(0).choice(n, SAMPLE_VIDEOS, replace=False))
    found = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        similarity = unit[some] @ unit.T
        for numbers in groups.T:
            similarity[numbers[some][:, None] == numbers[None, :]] = -np.inf
        k = min(K, n)
        nearest = -np.sort(-np.partition(similarity, n - k, axis=1)[:, n - k :], axis=1)
        others = np.minimum(np.isfinite(nearest).sum(axis=1), k)
        has = np.flatnonzero(others > 0)
        found.append(1.0 - nearest[has, others[has] - 1])
    return np.sort(np.concatenate(found)).astype(np.float32)


def _whole(embeddings: Embeddings) -> Embeddings:
    """Those that are not damaged."""
    rows = np.flatnonzero(finite(embeddings.matrix))
    if len(rows) == len(embeddings.ids):
        return embeddings
    return Embeddings(tuple(embeddings.ids[row] for row in rows), embeddings.matrix[rows])


def _kept_groups(ids: Sequence[str], folds: pd.DataFrame) -> NDArray[np.object_]:
    """What the run kept together: (n,); videos that it did not judge stand for themselves."""
    kept = {} if folds.empty else dict(zip(folds["id"], folds["group"], strict=True))
    return np.array([kept.get(video_id, alone(video_id)) for video_id in ids], dtype=object)


def _some_fragments(store: Store, fingerprint: Fingerprint, ids: tuple[str, ...]) -> Floats:
    """Fragments (f, d) of a fixed draw of videos."""
    matrix = undamaged(store.fragments(fingerprint, drawn(ids, SAMPLE_FRAGMENTS_OF))).matrix
    return matrix if len(matrix) else np.zeros((0, fingerprint.dimension), dtype=np.float32)
