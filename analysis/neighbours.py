"""Nearest videos with their similarity, also as a percentile: averaged outputs of a ReLU crowd near cosine 1."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.draws import drawn
from analysis.evidence_parts import clock
from quartzlens.errors import UnknownVideoError, UsageError
from quartzlens.records import Fingerprint, Fragments
from store.base import Store
from store.vectors import finite

SAMPLE_VIDEOS = 500
COLUMNS = ("id", "title", "category", "channel", "similarity", "percentile")


@dataclass(frozen=True, slots=True)
class Moment:
    """A second of a video of the collection: the fragment that it is in is what is searched with."""

    video_id: str
    at_seconds: float


Query: TypeAlias = str | Moment | NDArray[np.float32]
"""A video's id, a moment of one, or an embedding (d,) float32 of something else."""


def neighbours_of(
    store: Store,
    fingerprint: Fingerprint,
    query: Query,
    k: int,
    within: Collection[str] | None = None,
    *,
    leave_out_channel: str | None = None,
    leave_out: Collection[str] = (),
    pairs: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Find the nearest videos of a video of the collection, of a moment of one, or of any embedding.

    Parameters
    ----------
    query
        A video's id or a moment of it (it is never its own neighbour), or an embedding (d,) float32.
    k
        How many at most; all that match where there are fewer.
    within
        Only these ids, such as ``analysis.matching.matching`` gives: exactly the k nearest among them.
    leave_out_channel
        None of this channel nor, where the query is of the collection, of its recording (extra column ``source_id``):
        both would be found for what they are, not for what they sound like.
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
        ``k`` is below 1, or the moment is in none of the video's fragments.
    """
    vector, own = resolved(store, fingerprint, query, k)
    if leave_out_channel is not None:
        within = _of_others(store, own, leave_out_channel, within)
    left = {*leave_out, *own}
    found = store.search(fingerprint, vector[None, :], k + len(left), within=within)[0]
    found = [neighbour for neighbour in found if neighbour.video_id not in left][:k]
    videos = {video.id: video for video in store.videos([neighbour.video_id for neighbour in found])}
    pairs = pair_similarities(store, fingerprint) if pairs is None else pairs
    rows = []
    for neighbour in found:
        video, nearness = videos[neighbour.video_id], percentile(pairs, neighbour.similarity)
        rows.append((video.id, video.title, video.category, video.channel, neighbour.similarity, nearness))
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.astype({"similarity": "float64", "percentile": "float64"})


def resolved(
    store: Store, fingerprint: Fingerprint, query: Query, k: int
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """What is searched with, (d,) float32, and the id that it is of, which is not to be found; raises as above."""
    if k < 1:
        raise UsageError(f"{k} neighbours were asked for: at least 1.")
    if isinstance(query, str):
        return _embedding(store, fingerprint, query), (query,)
    if isinstance(query, Moment):
        _embedding(store, fingerprint, query.video_id)
        fragments = store.fragments(fingerprint, [query.video_id])
        return fragment_at(fragments, query.at_seconds), (query.video_id,)
    return np.asarray(query, dtype=np.float32), ()


def fragment_at(fragments: Fragments, at_seconds: float) -> NDArray[np.float32]:
    """Embedding (d,) float32 of the fragment of one video that a second is in; of two the later one.

    Raises
    ------
    UsageError
        It is in none: the message says what was heard.
    """
    start, end = fragments.bounds.reshape(-1, 2).T
    inside = np.flatnonzero((start <= at_seconds) & (at_seconds <= end))
    if not len(inside):
        heard = f"{clock(start.min())} to {clock(end.max())} was heard" if len(start) else "it has no fragments"
        raise UsageError(f"Second {at_seconds:g} is in none of the video's fragments: {heard}.")
    vector: NDArray[np.float32] = fragments.matrix[inside[-1]]
    return vector


def pair_similarities(store: Store, fingerprint: Fingerprint) -> NDArray[np.float32]:
    """Similarities of the pairs of up to 500 videos, ascending: (pairs,) float32.

    All videos where there are no more, else a fixed (seeded) draw: it changes only with the collection. Damaged
    embeddings are in no pair.
    """
    matrix = store.embeddings(fingerprint, drawn(store.embedded_ids(fingerprint), SAMPLE_VIDEOS)).matrix
    matrix = matrix[finite(matrix)]
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


def _of_others(store: Store, own: Collection[str], channel: str, within: Collection[str] | None) -> set[str]:
    """Ids of other channels and of other recordings than those of the query."""
    recordings = {video.extra["source_id"] for video in store.videos(own) if video.extra.get("source_id")}
    allowed = None if within is None else frozenset(within)
    return {
        video.id
        for video in store.videos()
        if video.channel != channel
        and video.extra.get("source_id") not in recordings
        and (allowed is None or video.id in allowed)
    }


def _embedding(store: Store, fingerprint: Fingerprint, video_id: str) -> NDArray[np.float32]:
    embeddings = store.embeddings(fingerprint, [video_id])
    if not embeddings.ids:
        raise UnknownVideoError(
            f"No video '{video_id}' has an embedding of {fingerprint}. "
            "Which ids there are: quartzlens status --list ok."
        )
    vector: NDArray[np.float32] = embeddings.matrix[0]
    return vector
