"""A part of an index, which never changes: vectors in FAISS, and an exact answer from what FAISS proposes.

FAISS scores codes, in float32. How far a code lies from its vector is known, so what FAISS says of the last candidate
bounds the similarity of all that it left out: candidates are scored anew from the vectors kept, and more are asked for
until nothing that was left out can be among the k best.

``f32`` has the normalised vectors x themselves, by inner product with the query q. In the others are codes of x less
the mean m of all (``centre``), which are finer for it. ``f16``, by inner product: cos = q.(x - m) + q.m, wrong by no
more than the code's own distance from its vector (``error``), as q has length 1. ``hnsw``, by distance from q - m: the
distance is that of q and x, wrong by no more than ``error`` (triangle inequality), and cos = 1 - d^2 / 2.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

from store import gpu, vectors
from store.places import Places
from store.products import Part, highest

Mask: TypeAlias = "NDArray[np.bool_] | None"
Kept: TypeAlias = Callable[[Places], NDArray[np.float32]]
"""The vectors of places as kept, (n, d) float32."""
Hit: TypeAlias = tuple[float, int, int]
"""Similarity, the video's number in the catalog, the fragment's in the video."""

_MORE = 32  # candidates than asked for: so many prove most answers at the first look, and put right any blur
_SLACK = 1e-5  # of a cosine that FAISS sums in float32, and of the rounding of similarities
_SQUARE_SLACK = 4e-6  # of a squared distance of vectors up to length 2
_BLOCK = 4096
_AT_ONCE = 512  # queries that are multiplied: each takes some tens of kilobytes for it
_MANY = 16  # queries, from which on decoding f16 once for all takes less time than FAISS' scan for each


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What is looked for: how many of the matching ones, and with what effort (0: all are scored)."""

    wanted: int
    matching: int
    allowed: Mask
    kept: Kept
    effort: int


class Segment:
    """Vectors of ``places`` in a FAISS index, in their order. Safe for any number of threads.

    Parameters
    ----------
    kind
        ``f32``, ``f16`` or ``hnsw``, as in ``store.kinds``.
    centre
        (d,) float32, what was taken from the normalised vectors before they were coded; None for the vectors
        themselves.
    error
        The largest distance between a vector and its code.
    effort
        Candidates that a graph keeps in sight (the paper's ef) in a search that need not be exact; 0 in other kinds.
    order
        (n,) int64, which of ``places`` each vector of the index is of; None where they are in their order.
    """

    def __init__(
        self,
        kind: str,
        places: Places,
        index: faiss.Index,
        centre: NDArray[np.float32] | None = None,
        error: float = 0.0,
        effort: int = 0,
        order: NDArray[np.int64] | None = None,
    ) -> None:
        self.kind = kind
        self.places = places
        self.index = index
        self.centre = centre
        self.error = error
        self.effort = effort
        self.order = order
        self._codes = codes_of(index)
        self._on_card, self._slack = gpu.first_look(index)

    def __len__(self) -> int:
        return len(self.places)

    def nearest(
        self, queries: NDArray[np.float32], k: int, allowed: Mask, kept: Kept, effort: int = 0
    ) -> list[list[Hit]]:
        """The nearest of each normalised query (q, d) float32, best first, ties in the order of places.

        ``allowed`` (n,) says which may be found, and min(k, their number) are, but for what was damaged on the disk.
        They are the nearest exactly, unless ``effort`` says with how much of it to find one's way through a graph.
        """
        matching = len(self) if allowed is None else int(np.count_nonzero(allowed))
        wanted = min(k, matching)
        if wanted == 0 or not len(queries):
            return [[] for _ in queries]
        search = _Search(wanted, matching, allowed, kept, effort)
        several = min(wanted + (more_candidates(wanted, effort) if effort else _MORE), matching)
        scores, positions = self._first_look(queries, several, search)
        return [
            self._settled(query, search, scores[i], positions[i]) if query.any() else self._first(query, search)
            for i, query in enumerate(queries)
        ]

    def _first(self, query: NDArray[np.float32], search: _Search) -> list[Hit]:
        """Those to which nothing is as near as anything else, in their order."""
        positions = np.arange(len(self)) if search.allowed is None else np.flatnonzero(search.allowed)
        hits: list[Hit] = []
        while len(hits) < search.wanted and len(positions):
            several, positions = np.split(positions, [search.wanted + _MORE])
            whole, similar = self._exact(query, several, search.kept)
            hits += self._hits(similar, whole)
        return hits[: search.wanted]

    def _hits(self, scores: NDArray[np.float64], positions: NDArray[np.int64]) -> list[Hit]:
        places = self.places.at(positions)
        return list(zip(scores.tolist(), places.owners.tolist(), places.numbers.tolist(), strict=True))

    def _settled(
        self, query: NDArray[np.float32], search: _Search, scores: gpu.Scores, positions: gpu.Positions
    ) -> list[Hit]:
        """The best of the candidates, once those left out are surely farther than the last one wanted."""
        effort, by_card = search.effort, self._slack > 0
        while True:
            found = np.sort(positions[positions >= 0])  # a graph whose ways end leaves places empty
            found, similar = self._exact(query, found, search.kept)
            best = vectors.best(similar, search.wanted)
            every = not effort and not by_card and len(positions) >= search.matching
            if every or (
                len(best) == search.wanted and (effort or self._at_most(query, float(scores[-1])) < similar[best[-1]])
            ):
                return self._hits(similar[best], found[best])
            effort, by_card = 0, False
            several = min(max(len(positions) * 4, search.wanted + _MORE), search.matching)
            more_scores, more = self._scan(query[None], several, search.allowed, effort)
            scores, positions = more_scores[0], more[0]

    def _at_most(self, query: NDArray[np.float32], score: float) -> float:
        """The largest cosine that a vector can have to which FAISS gives this score or a worse one."""
        if self.kind != "hnsw":
            middle = 0.0 if self.centre is None else float(self.centre @ query)
            return score + middle + self.error + _SLACK + self._slack
        square = score - _SQUARE_SLACK - self._slack
        distance = max(math.sqrt(max(square, 0.0)) - self.error, 0.0)
        return 1.0 - distance**2 / 2.0 + _SLACK / 10

    def _exact(
        self, query: NDArray[np.float32], positions: NDArray[np.int64], kept: Kept
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Positions of those that were not damaged on the disk, in their order, and the cosine of each."""
        parts = [positions[start : start + _BLOCK] for start in range(0, len(positions), _BLOCK)]
        similar = np.concatenate(
            [np.empty(0), *(vectors.similarities(self._vectors(part, kept), query) for part in parts)]
        )
        whole = ~np.isnan(similar)
        return positions[whole], similar[whole]

    def _vectors(self, positions: NDArray[np.int64], kept: Kept) -> NDArray[np.float32]:
        """The normalised vectors at these positions: a flat segment has them itself."""
        if self.centre is None:
            return self._flat[positions]
        return vectors.normalised(kept(self.places.at(positions)))

    def _first_look(self, queries: NDArray[np.float32], k: int, search: _Search) -> tuple[gpu.Scores, gpu.Positions]:
        plain = search.allowed is None and search.effort == self.effort
        found = self._on_card(self._moved(queries), k) if plain else None
        return self._placed(*found) if found else self._scan(queries, k, search.allowed, search.effort)

    def _moved(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        return queries if self.centre is None or self.kind != "hnsw" else queries - self.centre

    def _scan(
        self, queries: NDArray[np.float32], k: int, allowed: Mask, effort: int
    ) -> tuple[gpu.Scores, gpu.Positions]:
        """The k nearest codes of those allowed, on the CPU; ``effort`` 0 scores all."""
        plain = self.centre is None and allowed is None
        if self.kind != "hnsw" and (plain or len(queries) >= _MANY):
            some = [queries[start : start + _AT_ONCE] for start in range(0, len(queries), _AT_ONCE)]
            scores, positions = zip(*(highest(self._parts(allowed), one, k) for one in some), strict=True)
            return np.concatenate(scores), np.concatenate(positions)
        # FAISS' stubs know the C++ constructors, not the Python ones that its documentation names.
        api: Any = faiss
        moved = self._moved(queries)
        found: tuple[gpu.Scores, gpu.Positions]
        only = None
        if allowed is not None:
            allowed = allowed if self.order is None else allowed[self.order]
            only = api.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if effort:
            found = self.index.search(moved, k, params=api.SearchParametersHNSW(sel=only, efSearch=max(effort, k)))
        else:
            found = self._codes.search(moved, k, params=None if only is None else api.SearchParameters(sel=only))
        return self._placed(*found)

    def _parts(self, allowed: Mask) -> Iterator[Part]:
        """The vectors of those allowed, as the index has them, some at a time."""
        for start in range(0, len(self), _BLOCK):
            end = min(start + _BLOCK, len(self))
            if allowed is None:
                rows = self._flat[start:end] if self.centre is None else self.index.reconstruct_n(start, end - start)
                yield np.arange(start, end), rows
            elif len(at := start + np.flatnonzero(allowed[start:end])):
                yield at, self._flat[at] if self.centre is None else self.index.reconstruct_batch(at)

    @cached_property
    def _flat(self) -> NDArray[np.float32]:
        return flat_rows(self.index)

    def _placed(self, scores: gpu.Scores, numbers: gpu.Positions) -> tuple[gpu.Scores, gpu.Positions]:
        """The same with positions among the places; -1, where FAISS found no more, stays."""
        return scores, numbers if self.order is None else np.where(numbers >= 0, self.order[numbers], -1)


def more_candidates(wanted: int, effort: int) -> int:
    """How many candidates more than ``wanted`` put right what 8 bits blur, after a walk with this ``effort``.

    Each is read from the catalog, which takes as long as ten steps in the graph. Of 100,000 vectors two more found what
    ten more did (0.9694 of the ten nearest), one more 0.9690. Where codes are coarser, recall is less and the effort
    that suffices more, so that it goes along, up to a limit.
    """
    return max(wanted // 4, min(effort // 8, _MORE)) + 2


def flat_rows(index: Any) -> NDArray[np.float32]:
    """The vectors (n, d) of a flat index, in its own memory."""
    api: Any = faiss  # its stubs lack what its Python part adds
    rows: NDArray[np.float32] = api.rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
    return rows.reshape(-1, index.d)


def codes_of(index: Any) -> Any:
    """The exhaustive index of the codes alone: a graph has one within, the others are one."""
    return faiss.downcast_index(index.storage) if isinstance(index, faiss.IndexHNSW) else index
