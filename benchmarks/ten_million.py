"""Ten million vectors by simulation: the same graph over the 128 principal components that the vectors were drawn in.

1,024 dimensions of ten million take 12 GB and hours to link. What a graph does with them depends on how near they are
to one another, which the 128 dimensions that the mixture is of tell as well, with two more: one for where the mixture's
centre lies aside of them, one for the length of the noise. Takes two or three hours of two cores and 12 GB of memory.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.generated import K
from benchmarks.report import Table
from benchmarks.sizes import size
from benchmarks.vectors import Mixture, mixture
from store import kinds
from store.places import Block, Places
from store.segment import more_candidates

_ASKED = 300
_BLOCK = 100_000
_COLUMNS = ("vectors", "made in, s", "effort", "own recall", "recall@10", "distances a search", "p50, ms", "graph, MB")


def tables(work: Path) -> list[Table]:
    """The same at three sizes, of which the first two can be compared with whole vectors."""
    counts = [size(full, quick) for full, quick in ((100_000, 500), (1_000_000, 1_000), (10_000_000, 2_000))]
    rows = [_row(mixture(work), count) for count in counts]
    note = (
        "Generated vectors in the space of the mixture's 128 principal components, length 1; the index made by all "
        "cores as `store/kinds.py` makes it, effort chosen by it, one search at a time by one thread, queries apart. "
        "What whole vectors need for the same distances is measured in the parts search and million."
    )
    return [Table("Ten million vectors, simulated", note, _COLUMNS, rows)]


def _row(source: Mixture, count: int) -> tuple[str, ...]:
    rows, queries = _drawn(source, count, 1), _drawn(source, _ASKED, 2)
    began = time.perf_counter()
    made = _made(rows)
    seconds = time.perf_counter() - began
    found, took, distances = _searched(made, rows, queries)
    right = sum(len(one & other) for one, other in zip(found, _nearest(rows, queries), strict=True)) / (K * _ASKED)
    links = made.segment.index.hnsw.neighbors.size() * 4 / 2**20  # type: ignore[attr-defined]
    shown = (f"{made.recall:.4f}", f"{right:.4f}", f"{distances:,.0f}", f"{1000 * took:.2f}", f"{links:,.0f}")
    return f"{count:,}", f"{seconds:,.0f}", str(made.segment.effort), *shown


def _drawn(source: Mixture, count: int, seed: int) -> NDArray[np.float32]:
    """Vectors (count, 130) float32 of length 1."""
    random, kept = np.random.default_rng(seed), source.components.shape[0]
    inside = source.components @ source.centre
    aside = np.linalg.norm(source.centre - inside @ source.components)
    drawn = np.empty((count, kept + 2), np.float32)
    shares = source.weights / source.weights.sum(dtype=np.float64)
    for start in range(0, count, _BLOCK):
        some = drawn[start : start + _BLOCK]
        which = random.choice(len(shares), len(some), p=shares)
        normal = random.standard_normal((len(some), kept), dtype=np.float32)
        some[:, :kept] = source.means[which] + normal * source.deviations[which] + inside
        some[:, kept] = aside
        some[:, kept + 1] = np.linalg.norm(source.noise)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    return drawn


def _made(rows: NDArray[np.float32]) -> kinds.Made:
    def blocks() -> Any:
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            yield Block(Places(np.arange(start, start + len(part)), np.zeros(len(part), np.int32)), part)

    return kinds.Maker(*rows.shape, blocks, lambda places: rows[places.owners]).make("hnsw")


def _searched(
    made: kinds.Made, rows: NDArray[np.float32], queries: NDArray[np.float32]
) -> tuple[list[set[int]], float, float]:
    """What is found and scored anew, median seconds of the graph alone, and mean distances computed."""
    import faiss

    segment: Any = made.segment
    several = K + more_candidates(K, segment.effort)
    asked: Any = faiss.SearchParametersHNSW(efSearch=max(segment.effort, several))  # type: ignore[call-arg]
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    faiss.cvar.hnsw_stats.reset()
    found, took = [], []
    for query in queries:
        began = time.perf_counter()
        (places,) = segment.index.search((query - segment.centre)[None], several, params=asked)[1]
        took.append(time.perf_counter() - began)
        places = segment.order[places[places >= 0]]
        found.append(set(places[np.argsort(-(rows[places] @ query))[:K]].tolist()))
    faiss.omp_set_num_threads(threads)
    return found, float(np.median(took)), faiss.cvar.hnsw_stats.ndis / len(queries)


def _nearest(rows: NDArray[np.float32], queries: NDArray[np.float32]) -> list[set[int]]:
    best = [np.zeros(0, np.int64)] * len(queries)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK] @ queries.T
        near = start + np.argpartition(-part, K, axis=0)[:K].T
        best = [np.concatenate([one, more]) for one, more in zip(best, near, strict=True)]
    scored = [places[np.argsort(-(rows[places] @ query))[:K]] for places, query in zip(best, queries, strict=True)]
    return [set(places.tolist()) for places in scored]
