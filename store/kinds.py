"""The kinds of index, by size, and how a segment of each is made from the vectors kept.

``f32``: the normalised vectors themselves. ``f16``: half the bytes, so scanned in about half the time. ``hnsw``: 8 bits
a component, and a graph of near ones through which a search finds its way (Malkov, Yashunin 2020, "Efficient and robust
approximate nearest neighbor search using Hierarchical Navigable Small World graphs"), as far as a recall of 0.95 needs.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from store import vectors
from store.places import Block, Places, joined
from store.recall import HeldOut, held_out, held_out_last
from store.segment import Kept, Segment, codes_of, flat_rows

_api: Any = faiss  # its stubs lack what its Python part adds
KINDS = ("f32", "f16", "hnsw")
MOST_FLAT = 20_000
MOST_SCANNED = 500_000
_LINKS = 16  # of a vector to near ones, and twice as many on the ground: the paper's M
_CANDIDATES = 80  # while links are chosen: the paper's efConstruction
_SAMPLE = 4096
_ALIGNED = 64  # bytes: a line of the processor's cache
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
    ['f32', 'f16', 'hnsw']
    """
    return "f32" if count <= MOST_FLAT else "f16" if count <= MOST_SCANNED else "hnsw"


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
        drawn = _Drawn(self.count, self.dimension)
        for _, rows in self._sound("sampling"):
            drawn.see(rows)
        centre: NDArray[np.float32] = drawn.sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        return self._scanned(drawn, centre) if kind == "f16" else self._linked(drawn, centre)

    def _read(self, doing: str) -> Iterator[tuple[Places, NDArray[np.float32]]]:
        """Places and normalised vectors of each block; what is done is told every tenth of the way."""
        done = told = 0
        for block in self._blocks():
            if self._stopped():
                raise Stopped
            if not len(block.places):  # videos without fragments
                continue
            yield block.places, vectors.normalised(block.matrix)
            done += len(block.places)
            if self.count > MOST_FLAT and (tenth := 10 * done // self.count) > told:
                told = tenth
                _log.info("Search index: %s, %d of %d vectors.", doing, done, self.count)

    def _sound(self, doing: str) -> Iterator[tuple[Places, NDArray[np.float32]]]:
        """The same, with nothing in place of what was damaged on the disk: one such would spoil the codes of all."""
        for places, rows in self._read(doing):
            rows[~np.isfinite(rows).all(axis=1)] = 0.0
            yield places, rows

    def _flat(self) -> Segment:
        index = faiss.IndexFlatIP(self.dimension)
        places = []
        for these, rows in self._read("adding"):
            places.append(these)
            index.add(rows)
        return Segment("f32", joined(places), in_one_piece(index))

    def _graph(self, drawn: "_Drawn", centre: NDArray[np.float32]) -> Any:
        """An empty graph whose codes have a range for each dimension that holds all vectors."""
        _log.info("Search index: linking %d vectors to near ones.", self.count)
        index: Any = _api.IndexHNSWSQ(self.dimension, faiss.ScalarQuantizer.QT_8bit, _LINKS)
        index.hnsw.efConstruction = _CANDIDATES
        index.train(drawn.sample - centre)
        ranges = np.concatenate([drawn.low - centre, drawn.high - drawn.low])
        faiss.copy_array_to_vector(ranges, codes_of(index).sq.trained)
        return index

    def _told_apart(self, drawn: "_Drawn") -> Iterator[tuple[Places, NDArray[np.float32], NDArray[np.bool_]]]:
        """Places and normalised vectors of each block to add, and which of them are no queries."""
        at = 0
        for these, rows in self._sound("adding"):
            yield these, rows, drawn.others[at : at + len(rows)]
            at += len(rows)

    def _scanned(self, drawn: "_Drawn", centre: NDArray[np.float32]) -> Made:
        codes = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexScalarQuantizer(self.dimension, codes, faiss.METRIC_INNER_PRODUCT)
        queries, places, error = HeldOut(drawn.queries), [], 0.0
        for these, rows, others in self._told_apart(drawn):
            error = max(error, _add(index, rows - centre))
            queries.see(rows[others])
            places.append(these)
        segment = Segment("f16", joined(places), in_one_piece(index), centre, error)
        return Made(segment, queries.recall(segment, self._kept, 0, drawn.others))

    def _linked(self, drawn: "_Drawn", centre: NDArray[np.float32]) -> Made:
        """A graph of all but the queries, until it is known what effort finds enough of those; then they come last."""
        index, queries = self._graph(drawn, centre), HeldOut(drawn.queries)
        places, error = [], 0.0
        for these, rows, others in self._told_apart(drawn):
            error = max(error, _add(index, rows[others] - centre))
            queries.see(rows[others])
            places.append(these)
        every, order = joined(places), held_out_last(self.count)
        linked = Segment("hnsw", every.at(order[: index.ntotal]), index, centre, error)
        effort, recall = queries.tuned(linked, self._kept)
        error = max(error, _add(index, drawn.queries - centre))
        return Made(Segment("hnsw", every, in_one_piece(index), centre, error, effort, order), recall)


def in_one_piece(index: Any) -> Any:
    """The same index over memory of NumPy's: it asks for huge pages, with which a scan is a third faster."""
    return read(_api.serialize_index(index))


def read(content: NDArray[np.uint8]) -> Any:
    """The index in the bytes that ``faiss.write_index`` writes: its codes stay in them.

    The vectors of a flat one are moved to where NumPy may multiply them in place.
    """
    index = _in_place(content)
    if isinstance(index, faiss.IndexFlat) and index.ntotal and (at := flat_rows(index).ctypes.data) % _ALIGNED:
        room = np.empty(len(content) + _ALIGNED, np.uint8)
        first = -(room.ctypes.data + at - content.ctypes.data) % _ALIGNED
        moved = room[first : first + len(content)]
        moved[:] = content
        return _in_place(moved)
    return index


def _in_place(content: NDArray[np.uint8]) -> Any:
    reader = _api.ZeroCopyIOReader(_api.swig_ptr(content), len(content))
    index = _api.read_index(reader)
    index.referenced_objects = [content, reader]  # FAISS' own name for what must live as long
    return index


def _add(index: Any, rows: NDArray[np.float32]) -> float:
    """Add vectors (n, d) float32; the largest distance between one and its code."""
    index.add(rows)
    codes = codes_of(index).sq
    return float(np.linalg.norm(codes.decode(codes.compute_codes(rows)) - rows, axis=1).max(initial=0.0))


class _Drawn:
    """What is taken from normalised vectors that go by: queries, held out of a sample of the rest, and the ranges.

    Attributes
    ----------
    held
        Positions of the queries, ascending.
    others
        (n,) bool, which vectors are none of them.
    sample
        (s, d) float32, drawn evenly and seeded.
    low, high
        (d,) float32, the ends of each dimension.
    """

    def __init__(self, count: int, dimension: int) -> None:
        self.held = held_out(count)
        self.others = np.ones(count, dtype=bool)
        self.others[self.held] = False
        drawn = np.random.default_rng(0).permutation(np.flatnonzero(self.others))[:_SAMPLE]
        self._taken = np.zeros(count, dtype=bool)
        self._taken[drawn] = True
        self.sample = np.empty((len(drawn), dimension), np.float32)
        self._queries: list[NDArray[np.float32]] = []
        self.low, self.high = np.full(dimension, np.inf, np.float32), np.full(dimension, -np.inf, np.float32)
        self._at = self._filled = 0

    def see(self, rows: NDArray[np.float32]) -> None:
        """Take what is drawn from the next vectors (b, d)."""
        end = self._at + len(rows)
        chosen = rows[self._taken[self._at : end]]
        self.sample[self._filled : self._filled + len(chosen)] = chosen
        first, last = np.searchsorted(self.held, [self._at, end])
        self._queries.append(rows[self.held[first:last] - self._at])
        self.low, self.high = np.minimum(self.low, rows.min(axis=0)), np.maximum(self.high, rows.max(axis=0))
        self._at, self._filled = end, self._filled + len(chosen)

    @property
    def queries(self) -> NDArray[np.float32]:
        """The vectors held out, (q, d) float32."""
        return np.concatenate(self._queries)
