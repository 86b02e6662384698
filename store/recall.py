"""How much an index finds: recall of the ten nearest, over queries that it did not learn from."""

import numpy as np
from numpy.typing import NDArray

from store.segment import Kept, Segment

QUERIES = 200
NEAREST = 10
ENOUGH = 0.96
"""A recall at which no more lists are looked into: 0.95 is promised, and two hundred queries tell it to 0.01 or so."""

_FIRST_PROBES = 8
_TIE = 1e-6


class HeldOut:
    """Queries that are vectors of the collection themselves, with the exact similarity of their tenth neighbour.

    Parameters
    ----------
    positions
        (q,) where the queries are among the vectors: none is its own neighbour.
    queries
        (q, d) float32, normalised.
    """

    def __init__(self, positions: NDArray[np.int64], queries: NDArray[np.float32]) -> None:
        self._positions = positions
        self._queries = queries
        self._best = np.full((len(queries), NEAREST), -np.inf, np.float32)
        self._seen = 0

    def see(self, rows: NDArray[np.float32]) -> None:
        """Score the next normalised vectors (b, d)."""
        scores = self._queries @ rows.T
        own = np.flatnonzero((self._positions >= self._seen) & (self._positions < self._seen + len(rows)))
        scores[own, self._positions[own] - self._seen] = -np.inf
        every = np.concatenate([self._best, scores], axis=1)
        self._best = np.partition(every, every.shape[1] - NEAREST, axis=1)[:, -NEAREST:]
        self._seen += len(rows)

    def recall(self, segment: Segment, kept: Kept, probes: int) -> float:
        """Share of the nearest that a segment over all that was seen finds, looking into so many lists."""
        nearest = min(NEAREST, self._seen - 1)
        if not len(self._queries):
            return 1.0
        found = segment.nearest(self._queries, nearest + 1, None, kept, probes)
        least = np.sort(self._best, axis=1)[:, -nearest] - _TIE
        right = 0
        for position, hits, tenth in zip(self._positions, found, least, strict=True):
            own = (segment.places.owners[position], segment.places.numbers[position])
            right += min(nearest, sum(score >= tenth for score, *place in hits if tuple(place) != own))
        return right / (nearest * len(self._queries))

    def tuned(self, segment: Segment, kept: Kept, lists: int) -> tuple[int, float]:
        """The fewest lists, by steps of a half more, in which enough is found, and the recall."""
        probes = min(_FIRST_PROBES, lists)
        while (recall := self.recall(segment, kept, probes)) < ENOUGH and probes < lists:
            probes = min(probes + probes // 2, lists)
        return probes, recall
