"""``python -m benchmarks.searching WHAT WORK COUNT``: one measurement in a process of its own, as a line of JSON."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import search_steps
from benchmarks.engine_child import peak_bytes
from benchmarks.generated import (
    FINGERPRINT,
    K,
    category_of,
    collection,
    name,
    nearest,
    normalised,
    queries,
    recall,
    vectors,
)
from benchmarks.sizes import size
from benchmarks.timing import median_ratio

_ASKED = 100
_PRODUCT = "NumPy, X @ q alone"
_SCAN = "exact scan of float16 (FAISS)"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Facts = dict[str, Any]
Ask = Callable[[NDArray[np.float32]], set[str]]


def measured(what: str, work: Path, count: int) -> Facts:
    """What the child process found, with one thread; an index is made by all cores."""
    command = [sys.executable, "-m", "benchmarks.searching", what, str(work), str(count)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=_environment(what))
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def _environment(what: str) -> dict[str, str]:
    return {**os.environ, **({} if what == "made" else _ONE_THREAD)}


def exact(work: Path, count: int) -> Facts:
    """Exact searches of both kinds beside NumPy's and FAISS' own."""
    import faiss

    from store.local import LocalStore
    from store.places import What

    matrix = normalised(vectors(work, count))
    flat = faiss.IndexFlatIP(matrix.shape[1])
    flat.add(matrix)
    stores = {}
    for kind in ("f32", "f16"):  # a store keeps the index that it has
        stores[kind] = LocalStore(collection(work, count))
        stores[kind].make_index(FINGERPRINT, What.VIDEOS, kind)
    stores["f16"].make_index(FINGERPRINT, What.VIDEOS, "auto")
    asks: dict[str, Ask] = {
        _PRODUCT: lambda q: {str(len(matrix @ q))},
        "NumPy, with its ten best": lambda q: _ids(np.argpartition(matrix @ q, -K)[-K:]),
        "FAISS IndexFlatIP": lambda q: _ids(flat.search(q[None], K)[1][0]),
        "quartzlens f32": lambda q: _found(stores["f32"], q),
        "quartzlens f16": lambda q: _found(stores["f16"], q),
    }
    asked = queries(work, _ASKED)
    return _compared(asks, normalised(asked), dict.fromkeys(asks, nearest(work, count, asked)), _PRODUCT)


def large(work: Path, count: int) -> Facts:
    """A collection's search with and without filters beside an exact scan of all."""
    import faiss

    from store.local import LocalStore

    store = LocalStore(collection(work, count))
    rows = normalised(vectors(work, count))
    scan = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for start in range(0, count, 50_000):
        scan.add(rows[start : start + 50_000])
    del rows
    random = np.random.default_rng(0)
    parts: dict[str, NDArray[np.int64] | None] = {
        "all": None,
        "one category (10 %)": np.flatnonzero(category_of(work, count) == 0),
        "1 % at random": np.sort(random.choice(count, max(count // 100, K), replace=False)),
        "0.1 % at random": np.sort(random.choice(count, max(count // 1000, K), replace=False)),
    }
    asks: dict[str, Ask] = {_SCAN: lambda q: _ids(scan.search(q[None], K)[1][0])}
    asked = queries(work, _ASKED)
    true = {_SCAN: nearest(work, count, asked)}
    for label, at in parts.items():
        within = None if at is None else [name(position) for position in at]
        asks[label] = lambda q, within=within: _found(store, q, within)  # type: ignore[misc]
        true[label] = nearest(work, count, asked, at)
    return _compared(asks, normalised(asked), true, _SCAN)


def opened(work: Path, count: int) -> Facts:
    """Seconds from a closed collection to its first answer, and to one more; the peak of memory after many."""
    from store.local import LocalStore

    asked = queries(work, size(1000, 20))
    folder = collection(work, count)
    began = time.perf_counter()
    with LocalStore(folder) as store:
        _found(store, asked[0])
        first = time.perf_counter()
        found, took = [], []
        for query in asked:
            start = time.perf_counter()
            found.append(_found(store, query))
            took.append(time.perf_counter() - start)
    peak = peak_bytes()
    true = nearest(work, count, asked)
    return {
        "first": first - began,
        "p50": statistics.median(took),
        "p95": float(np.percentile(took, 95)),
        "peak": peak,
        "recall": recall(found, true),
    }


def steps(work: Path, count: int) -> Facts:
    """Seconds of each step of a search in a graph."""
    return search_steps.steps(work, count)


def made(work: Path, count: int) -> Facts:
    """Seconds and peak of memory of making the index that fits the size, and what it is; kept beside the collection.

    What was kept is given again while the index is there: a large one takes long to make.
    """
    from store.local import LocalStore
    from store.places import What

    kept = collection(work, count) / "made.json"
    if kept.is_file():
        with LocalStore(kept.parent) as store:
            stamp, behind = store.index_stamp(FINGERPRINT, What.VIDEOS)
        facts: Facts = json.loads(kept.read_text(encoding="utf-8"))
        if stamp is not None and (stamp.bytes, behind, stamp.chosen) == (facts["bytes"], 0, False):
            return facts
    with LocalStore(collection(work, count)) as store:
        before = peak_bytes()
        began = time.perf_counter()
        stamp = store.make_index(FINGERPRINT, What.VIDEOS, "auto")
        seconds = time.perf_counter() - began
    assert stamp is not None  # noqa: S101 -- there are vectors
    facts = {"kind": stamp.kind, "bytes": stamp.bytes, "recall": stamp.recall}
    facts |= {"seconds": seconds, "peak": peak_bytes(), "before": before}
    kept.write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _found(store: Any, query: NDArray[np.float32], within: list[str] | None = None) -> set[str]:
    return {hit.video_id for hit in store.search(FINGERPRINT, query[None], K, within)[0]}


def _ids(positions: NDArray[np.int64]) -> set[str]:
    return {name(int(position)) for position in positions}


def _compared(
    asks: Mapping[str, Ask], units: NDArray[np.float32], true: Mapping[str, list[set[str]]], base: str
) -> Facts:
    """Each query asked of all in turn: median, 95th percentile, median of the ratios to the base, recall."""
    took: dict[str, list[float]] = {label: [] for label in asks}
    found: dict[str, list[set[str]]] = {label: [] for label in asks}
    for ask in asks.values():
        ask(units[0])
    for number, query in enumerate(units):
        for label in list(asks)[:: 1 if number % 2 == 0 else -1]:
            began = time.perf_counter()
            answer = asks[label](query)
            took[label].append(time.perf_counter() - began)
            found[label].append(answer)
    return {
        label: {
            "p50": statistics.median(took[label]),
            "p95": float(np.percentile(took[label], 95)),
            "ratio": median_ratio(took[label], took[base]),
            "recall": recall(found[label], true[label]),
        }
        for label in asks
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))))
