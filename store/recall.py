"""How much an index finds: recall of the ten nearest, over queries that it did not learn from."""

import numpy as np
from numpy.typing import NDArray

from store.segment import Kept, Mask, Segment

QUERIES = 200
NEAREST = 10
ENOUGH = 0.96
"""A recall at which no more effort is made: 0.95 is promised, and two hundred queries tell it to 0.01 or so."""

_FIRST_EFFORT = 16
_MOST_EFFORT = 2048
_TIE = 1e-6
_GOLDEN = 0.6180339887498949


def held_out(count: int) -> NDArray[np.int64]:
    """Positions of the queries among so many vectors, ascending: spread evenly, and in step with nothing.

    Multiples of the golden ratio, whose fractions keep apart (Knuth, The Art of Computer Programming 3, 6.4); not
    drawn, so that an index file need not tell them.

    >>> held_out(12).tolist()
    [0, 1, 2, 5, 7, 10]
    """
    fractions = np.arange(min(QUERIES, count // 2)) * _GOLDEN % 1.0
    return np.unique((fractions * count).astype(np.int64))


def held_out_last(count: int) -> NDArray[np.int64]:
    """Positions of all vectors, (n,) int64: those of the queries after the others."""
    held = held_out(count)
    return np.concatenate([np.delete(np.arange(count), held), held])


class HeldOut:
    """Queries (q, d) float32, normalised, with the exact similarities of their ten nearest among other vectors.

    Queries must not be among the vectors of the index: a graph has links from each of its vectors to the nearest, and
    would find those of a stranger less well (measured: 0.99 against 0.89).
    """

    def __init__(self, queries: NDArray[np.float32]) -> None:
        self._queries = queries
        self._best = np.full((len(queries), NEAREST), -np.inf, np.float32)
        self._seen = 0

    def see(self, rows: NDArray[np.float32]) -> None:
        """Score the next normalised vectors (b, d), none of which is a query."""
        every = np.concatenate([self._best, self._queries @ rows.T], axis=1)
        self._best = np.partition(every, every.shape[1] - NEAREST, axis=1)[:, -NEAREST:]
        self._seen += len(rows)

    def recall(self, segment: Segment, kept: Kept, effort: int, allowed: Mask = None) -> float:
        """Share of the nearest that a segment over all that was seen (``allowed``) finds with such an effort."""
        nearest = min(NEAREST, self._seen)
        if not len(self._queries):
            return 1.0
        found = segment.nearest(self._queries, nearest, allowed, kept, effort)
        least = np.sort(self._best, axis=1)[:, -nearest] - _TIE
        right = sum(sum(score >= tenth for score, *_ in hits) for hits, tenth in zip(found, least, strict=True))
        return float(right / (nearest * len(self._queries)))

    def tuned(self, segment: Segment, kept: Kept) -> tuple[int, float]:
        """The least effort, by steps of a quarter more, with which enough is found, and the recall.

        0, with which all are scored, where no effort suffices: a graph may have parts to which no way leads.
        """
        effort = _FIRST_EFFORT
        while (recall := self.recall(segment, kept, effort)) < ENOUGH and effort < _MOST_EFFORT:
            effort += effort // 4
        return (effort, recall) if recall >= ENOUGH else (0, self.recall(segment, kept, 0))
