"""Where the time of one search in a graph goes: the store's own steps, timed while it answers."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.generated import FINGERPRINT, K, collection, queries
from benchmarks.timing import seconds_of

WHOLE = "all of it"
_ASKED = 300
_REST = "the rest: Python between these"


def steps(work: Path, count: int) -> dict[str, float]:
    """Median seconds of each step of a search of the ten nearest, and of the whole, over queries one by one."""
    from store import database, indexed, segment, vectors
    from store.local import LocalStore
    from store.places import What

    taken: dict[str, list[float]] = {}
    with LocalStore(collection(work, count)) as store, ExitStack() as stack:
        store.make_index(FINGERPRINT, What.VIDEOS, "hnsw")
        asked = queries(work, _ASKED)
        store.search(FINGERPRINT, asked[:1], K)
        for what, owner, name in (
            ("the walk through the graph (FAISS)", segment.Segment, "_scan"),
            ("vectors of the candidates (SQLite)", indexed, "vectors_at"),
            ("their lengths and cosines (float64)", vectors, "normalised"),
            ("their lengths and cosines (float64)", vectors, "similarities"),
            ("the embeddings' revision (SQLite)", indexed, "source"),
            ("ids of the videos found (SQLite)", indexed, "ids_of"),
            ("whether the catalog is still the file that was opened", database.Database, "_check_place"),
        ):
            stack.enter_context(_timed(owner, name, taken.setdefault(what, [])))
        found, whole = _asked_of(lambda query: store.search(FINGERPRINT, query[None], K), asked, taken)
        store.make_index(FINGERPRINT, What.VIDEOS, "auto")
    medians = {what: statistics.median(seconds) for what, seconds in found.items()}
    total = statistics.median(whole)
    return {**medians, _REST: total - sum(medians.values()), WHOLE: total}


def _asked_of(
    ask: Callable[[Any], object], asked: Any, taken: dict[str, list[float]]
) -> tuple[dict[str, list[float]], list[float]]:
    """For each query the seconds of each step, and of the whole."""
    found: dict[str, list[float]] = {what: [] for what in taken}
    whole = []
    for query in asked:
        for seconds in taken.values():
            seconds.clear()
        whole.append(seconds_of(partial(ask, query)))
        for what, seconds in taken.items():
            found[what].append(sum(seconds))
    return found, whole


@contextmanager
def _timed(owner: Any, name: str, taken: list[float]) -> Iterator[None]:
    """Note the seconds of each call of a function of a module or a class."""
    called = getattr(owner, name)

    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return called(*given, **named)
        finally:
            taken.append(time.perf_counter() - began)

    with patch.object(owner, name, timed):
        yield
