"""Nearest videos with their similarity, also as a percentile: averaged outputs of a ReLU crowd near cosine 1."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quartzlens.errors import UnknownVideoError, UsageError
from quartzlens.records import Fingerprint, Video
from store.base import Store

SAMPLE_VIDEOS = 500
COLUMNS = ("id", "title", "category", "channel", "similarity", "percentile")


def neighbours_of(
    store: Store,
    fingerprint: Fingerprint,
    query: str | NDArray[np.float32],
    k: int,
    category: str | None = None,
    *,
    leave_out_channel: str | None = None,
    leave_out: Collection[str] = (),
    pairs: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Find the nearest videos of a video of the collection, or of any embedding.

    Parameters
    ----------
    query
        A video's id (it is never its own neighbour), or an embedding (d,) float32.
    k
        How many at most; all that match where there are fewer.
    category, leave_out_channel
        Only videos of this category; none of this channel nor, where the query is an id, of its recording (extra
        column ``source_id``): both would be found for what they are, not for what they sound like.
    leave_out
        Ids that are not to be found: the copies of the query, for the same reason.
    pairs
        What ``pair_similarities`` gave, for callers that keep it.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title``, ``category``, ``channel`` (None where unknown), ``similarity`` (cosine), ``percentile``: the
        share of pairs of videos of the collection that are less similar, 0..100 ("nearer than 98 % of pairs"; NaN where
        there is no pair). Best first.

    Raises
    ------
    UnknownVideoError
        No video of that id has an embedding of ``fingerprint``.
    UsageError
        ``k`` is below 1.
    """
    if k < 1:
        raise UsageError(f"{k} neighbours were asked for: at least 1.")
    own = query if isinstance(query, str) else None
    vector = _embedding(store, fingerprint, query) if isinstance(query, str) else np.asarray(query, dtype=np.float32)
    within = None
    if category is not None or leave_out_channel is not None or leave_out:
        asked = store.videos([own]) if own is not None and leave_out_channel is not None else []
        recordings = {video.extra["source_id"] for video in asked if video.extra.get("source_id")}
        within = {video.id for video in store.videos() if _matches(video, category, leave_out_channel, recordings)}
        within -= set(leave_out)
    found = store.search(fingerprint, vector[None, :], k + (own is not None), within=within)[0]
    found = [neighbour for neighbour in found if neighbour.video_id != own][:k]
    videos = {video.id: video for video in store.videos([neighbour.video_id for neighbour in found])}
    pairs = pair_similarities(store, fingerprint) if pairs is None else pairs
    rows = []
    for neighbour in found:
        video, nearness = videos[neighbour.video_id], percentile(pairs, neighbour.similarity)
        rows.append((video.id, video.title, video.category, video.channel, neighbour.similarity, nearness))
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.astype({"similarity": "float64", "percentile": "float64"})


def pair_similarities(store: Store, fingerprint: Fingerprint) -> NDArray[np.float32]:
    """Similarities of the pairs of up to 500 videos, ascending: (pairs,) float32.

    All videos where there are no more, else a fixed (seeded) draw: it changes only with the collection.
    """
    embeddings = store.embeddings(fingerprint)
    matrix, n = embeddings.matrix, len(embeddings.ids)
    if n > SAMPLE_VIDEOS:
        matrix = matrix[np.sort(np.random.default_rng(0).choice(n, SAMPLE_VIDEOS, replace=False))]
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.sort((unit @ unit.T)[np.triu_indices(len(unit), k=1)])


def percentile(pairs: NDArray[np.float32], similarity: float) -> float:
    """Share of pairs that are less similar, 0..100; NaN where there is no pair.

    >>> percentile(np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32), 0.35)
    75.0
    """
    if not len(pairs):
        return float("nan")
    return float(100.0 * np.searchsorted(pairs, np.float32(similarity)) / len(pairs))


def _matches(video: Video, category: str | None, leave_out_channel: str | None, recordings: set[str]) -> bool:
    if leave_out_channel is not None and video.channel == leave_out_channel:
        return False
    return (category is None or video.category == category) and video.extra.get("source_id") not in recordings


def _embedding(store: Store, fingerprint: Fingerprint, video_id: str) -> NDArray[np.float32]:
    embeddings = store.embeddings(fingerprint, [video_id])
    if not embeddings.ids:
        raise UnknownVideoError(
            f"No video '{video_id}' has an embedding of {fingerprint}. "
            "Which ids there are: quartzlens status --list ok."
        )
    vector: NDArray[np.float32] = embeddings.matrix[0]
    return vector
