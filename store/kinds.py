"""The kinds of index, by size, and how a segment of each is made from the vectors kept.

``f32``: the normalised vectors themselves. ``f16``: half the bytes, so scanned in about half the time. ``ivf``: 8 bits
a component, in lists around centroids of which a search looks into the nearest (Jegou, Douze, Schmid 2011, "Product
quantization for nearest neighbor search", section IV), as many as a recall of 0.95 needs.
"""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from store import vectors
from store.places import Block, Places, joined
from store.recall import QUERIES, HeldOut
from store.segment import Kept, Segment

_api: Any = faiss  # its stubs lack what its Python part adds
KINDS = ("f32", "f16", "ivf")
MOST_FLAT = 20_000
MOST_SCANNED = 500_000
TRAINED = 40  # vectors a list: as many as FAISS wants at least
_ROUNDS = 10
_SAMPLE = 4096
_log = logging.getLogger("quartzlens.store")


class Stopped(Exception):  # noqa: N818 - no error: somebody closed the store
    """The making of an index was given up."""


@dataclass(frozen=True, slots=True)
class Made:
    """A segment and the share of the ten nearest that it finds of held-out queries (1.0 where it misses none)."""

    segment: Segment
    recall: float


def kind_for(count: int) -> str:
    """The kind for so many vectors (docs/benchmarks.md, "search").

    >>> [kind_for(count) for count in (3_400, 100_000, 1_000_000)]
    ['f32', 'f16', 'ivf']
    """
    return "f32" if count <= MOST_FLAT else "f16" if count <= MOST_SCANNED else "ivf"


def lists_for(count: int) -> int:
    """The lists of an IVF index: the power of two next to four times the root of the count, if enough train each.

    >>> lists_for(1_000_000), lists_for(1_000)
    (4096, 25)
    """
    return max(min(int(2 ** round(math.log2(4 * math.sqrt(count)))), count // TRAINED), 1)


class Maker:
    """Makes segments from blocks of vectors that can be read again and again.

    Parameters
    ----------
    count
        How many vectors the blocks have in all.
    blocks
        Reads them, in the order of places.
    kept
        Reads some, by their places.
    stopped
        Tells whether to give up, asked before each block.
    """

    def __init__(
        self,
        count: int,
        dimension: int,
        blocks: Callable[[], Iterator[Block]],
        kept: Kept,
        stopped: Callable[[], bool] = bool,
    ) -> None:
        self.count = count
        self.dimension = dimension
        self._blocks = blocks
        self._kept = kept
        self._stopped = stopped

    def make(self, kind: str) -> Made:
        """A segment of a kind. Raises ``Stopped`` where that was asked for meanwhile."""
        if kind == "f32":
            return Made(self._flat(), 1.0)
        drawn = _Drawn(self.count, _SAMPLE if kind == "f16" else TRAINED * lists_for(self.count), self.dimension)
        for _, rows in self._read("sampling"):
            drawn.see(rows)
        centre: NDArray[np.float32] = drawn.sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        drawn.sample -= centre
        index = self._half(drawn.sample) if kind == "f16" else self._lists(drawn, centre)
        return self._coded(kind, index, centre, drawn.held_out())

    def _read(self, doing: str) -> Iterator[tuple[Places, NDArray[np.float32]]]:
        """Places and normalised vectors of each block; what is done is told every tenth of the way."""
        done = told = 0
        for block in self._blocks():
            if self._stopped():
                raise Stopped
            yield block.places, vectors.normalised(block.matrix)
            done += len(block.places)
            if self.count > MOST_FLAT and (tenth := 10 * done // self.count) > told:
                told = tenth
                _log.info("Search index: %s, %d of %d vectors.", doing, done, self.count)

    def _flat(self) -> Segment:
        index = faiss.IndexFlatIP(self.dimension)
        places = []
        for these, rows in self._read("adding"):
            places.append(these)
            index.add(rows)
        return Segment("f32", joined(places), in_one_piece(index))

    def _half(self, chosen: NDArray[np.float32]) -> faiss.Index:
        codes = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexScalarQuantizer(self.dimension, codes, faiss.METRIC_INNER_PRODUCT)
        index.train(chosen[:1])
        return index

    def _lists(self, drawn: "_Drawn", centre: NDArray[np.float32]) -> faiss.Index:
        """An empty IVF index: centroids of the sample, and a range for each dimension that holds all vectors."""
        chosen, lists = drawn.sample, lists_for(self.count)
        _log.info("Search index: grouping %d vectors around %d centroids.", len(chosen), lists)
        quantizer = faiss.IndexFlatL2(self.dimension)
        quantizer.add(self._centroids(chosen, lists))
        codes = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexIVFScalarQuantizer(quantizer, self.dimension, lists, codes, faiss.METRIC_L2, False)
        index.train(chosen)
        faiss.copy_array_to_vector(np.concatenate([drawn.low - centre, drawn.high - drawn.low]), index.sq.trained)
        drawn.sample = chosen[:0]
        return index

    def _centroids(self, chosen: NDArray[np.float32], lists: int) -> NDArray[np.float32]:
        """Centroids (lists, d) float32 by k-means, a round at a time so that it can be given up."""
        centroids: Any = None
        for _ in range(_ROUNDS):
            if self._stopped():
                raise Stopped
            clustering = faiss.Kmeans(self.dimension, lists, niter=1, seed=0, min_points_per_centroid=1)
            clustering.train(chosen, init_centroids=centroids)
            centroids = clustering.centroids
        found: NDArray[np.float32] = centroids
        return found

    def _coded(self, kind: str, index: Any, centre: NDArray[np.float32], held_out: HeldOut) -> Made:
        places: list[Places] = []
        error = 0.0
        for these, rows in self._read("adding"):
            held_out.see(rows)
            moved = rows - centre
            index.add(moved)
            places.append(these)
            error = max(error, _error(index, moved))
        if kind == "f16":
            segment = Segment(kind, joined(places), in_one_piece(index), centre, error)
            return Made(segment, held_out.recall(segment, self._kept, 0))
        segment = Segment(kind, joined(places), index, centre, error)
        probes, recall = held_out.tuned(segment, self._kept, index.nlist)
        return Made(Segment(kind, segment.places, index, centre, error, probes), recall)


def in_one_piece(index: Any) -> Any:
    """The same exhaustive index over memory of NumPy's: it asks for huge pages, with which a scan is a third faster."""
    return read(_api.serialize_index(index))


def read(content: NDArray[np.uint8]) -> Any:
    """The index in the bytes that ``faiss.write_index`` writes: an exhaustive one stays in them, uncopied."""
    reader = _api.ZeroCopyIOReader(_api.swig_ptr(content), len(content))
    index = _api.read_index(reader)
    index.referenced_objects = [content, reader]  # FAISS' own name for what must live as long
    return index


def _error(index: Any, rows: NDArray[np.float32]) -> float:
    """The largest distance between a vector (n, d) float32 and its code."""
    codes = index.sq.compute_codes(rows)
    return float(np.linalg.norm(index.sq.decode(codes) - rows, axis=1).max(initial=0.0))


class _Drawn:
    """What is drawn (evenly, seeded) from normalised vectors that go by: a sample, held-out queries, the ranges."""

    def __init__(self, count: int, most: int, dimension: int) -> None:
        drawn = np.random.default_rng(0).permutation(count)
        held = min(QUERIES, count // 2)
        self._held = np.sort(drawn[:held])
        self._taken = np.zeros(count, dtype=bool)
        self._taken[drawn[held:][:most]] = True
        self.sample = np.empty((int(self._taken.sum()), dimension), np.float32)
        self._queries: list[NDArray[np.float32]] = []
        self.low, self.high = np.full(dimension, np.inf, np.float32), np.full(dimension, -np.inf, np.float32)
        self._at = self._filled = 0

    def see(self, rows: NDArray[np.float32]) -> None:
        """Take what is drawn from the next vectors (b, d)."""
        end = self._at + len(rows)
        chosen = rows[self._taken[self._at : end]]
        self.sample[self._filled : self._filled + len(chosen)] = chosen
        first, last = np.searchsorted(self._held, [self._at, end])
        self._queries.append(rows[self._held[first:last] - self._at])
        self.low, self.high = np.minimum(self.low, rows.min(axis=0)), np.maximum(self.high, rows.max(axis=0))
        self._at, self._filled = end, self._filled + len(chosen)

    def held_out(self) -> HeldOut:
        """The queries, which are in no sample."""
        return HeldOut(self._held, np.concatenate(self._queries))
