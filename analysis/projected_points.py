"""What a map is made of: the embeddings of videos or of fragments, and the neighbours that the store knows of each."""

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quartzlens.records import Fingerprint
from store.base import Store

MOST_VIDEOS = 100_000
MOST_FRAGMENTS = 20_000
QUERIES_AT_ONCE = 1024
OF_VIDEOS = ("id",)
OF_FRAGMENTS = ("id", "start_seconds", "end_seconds")
Progress: TypeAlias = Callable[[float, str], None]
"""Told how much is done (0..1) and what is being done now."""
Key: TypeAlias = tuple[str, float]


def unheard(_share: float, _doing: str) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The points of a map before it is laid out.

    Attributes
    ----------
    names
        ``id`` of each of the n points, of fragments also ``start_seconds`` and ``end_seconds`` (float64).
    matrix
        (n, d) float32 embeddings, not normalised.
    of
        How many there are in the collection: more than n where a map is of a draw.
    """

    names: pd.DataFrame
    matrix: NDArray[np.float32]
    of: int

    @property
    def fragments(self) -> bool:
        """Whether they are fragments."""
        return tuple(self.names.columns) == OF_FRAGMENTS

    @property
    def keys(self) -> list[Key]:
        """What tells each point from the others: its video, and where it begins (0 for whole videos)."""
        starts = self.names["start_seconds"].round(3) if self.fragments else [0.0] * len(self.names)
        return list(zip(self.names["id"], starts, strict=True))

    @property
    def digests(self) -> NDArray[np.int64]:
        """(n,) a checksum of each embedding: another one means that it was embedded anew."""
        return np.array([zlib.crc32(vector.tobytes()) for vector in self.matrix], dtype=np.int64)

    def part(self, rows: NDArray[np.int64]) -> "Points":
        """Only these points."""
        return Points(self.names.iloc[rows].reset_index(drop=True), self.matrix[rows], self.of)


def points_of(store: Store, fingerprint: Fingerprint, *, fragments: bool = False) -> Points:
    """Collect what there is to lay out, in the store's order.

    Of more than ``MOST_VIDEOS`` videos, or of videos with more than ``MOST_FRAGMENTS`` fragments, a fixed (seeded) draw
    of videos stands for all: it changes only with the collection.
    """
    if not fragments:
        whole = store.embeddings(fingerprint)
        all_of_them = Points(_named(whole.ids), whole.matrix, len(whole.ids))
        return all_of_them.part(_drawn(len(whole.ids), MOST_VIDEOS)) if len(whole.ids) > MOST_VIDEOS else all_of_them
    pieces = store.fragments(fingerprint)
    total, rows = len(pieces.ids), np.arange(len(pieces.ids))
    if total > MOST_FRAGMENTS:
        of_video = pd.factorize(np.array(pieces.ids, dtype=object))[0]
        n_videos = int(of_video.max()) + 1
        rows = np.flatnonzero(np.isin(of_video, _drawn(n_videos, max(1, n_videos * MOST_FRAGMENTS // total))))
    names = _named(pieces.ids)
    bounds = pieces.bounds.reshape(-1, 2).astype(np.float64)
    names["start_seconds"], names["end_seconds"] = bounds[:, 0], bounds[:, 1]
    return Points(names, pieces.matrix, total).part(rows)


def known_neighbours(
    store: Store, fingerprint: Fingerprint, points: Points, k: int, tell: Progress = unheard
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Neighbours of each point among the points, itself first: rows and cosine distances, both (n, k)."""
    row_of = {key: row for row, key in enumerate(points.keys)}
    within = None if points.of == len(row_of) else frozenset(points.names["id"])
    n = len(row_of)
    indices, distances = np.zeros((n, k), dtype=np.int64), np.zeros((n, k), dtype=np.float32)
    for start in range(0, n, QUERIES_AT_ONCE):
        tell(start / n, "finding neighbours")
        queries = points.matrix[start : start + QUERIES_AT_ONCE]
        found = nearest(store, fingerprint, queries, k, row_of, within, fragments=points.fragments)
        for row, (others, far) in enumerate(found, start):
            other = [(index, distance) for index, distance in zip(others, far, strict=True) if index != row]
            whole = [(row, 0.0), *other][:k]
            indices[row], distances[row] = [index for index, _ in whole], [distance for _, distance in whole]
    return indices, distances


def nearest(
    store: Store,
    fingerprint: Fingerprint,
    queries: NDArray[np.float32],
    k: int,
    row_of: dict[Key, int],
    within: Collection[str] | None,
    *,
    fragments: bool,
) -> Sequence[tuple[list[int], list[float]]]:
    """Rows and cosine distances of the ``k`` nearest points of each query, best first."""
    answers = []
    for found in store.search(fingerprint, queries, k, within=within, fragments=fragments):
        keys = [(near.video_id, round(near.bounds[0], 3) if near.bounds else 0.0) for near in found]
        answers.append(([row_of[key] for key in keys], [max(1.0 - near.similarity, 0.0) for near in found]))
    return answers


def _named(ids: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": pd.Series(list(ids), dtype="str")})


def _drawn(n: int, most: int) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(0).choice(n, most, replace=False)).astype(np.int64)
