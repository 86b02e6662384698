"""Search in Milvus: candidates by its inner product, then scored and put in order as every backend does.

A row counts where the catalog names it, so that what a killed commit left is never an answer. Milvus' float32 products
may be off by a little: as many candidates are taken as prove that no other is nearer, or all where its limit is met.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import CollectionError
from store import vectors
from store.milvus_tables import SEARCH_LIMIT, Tables

_MORE = 32
_SLACK = 1e-5
_FEW = 1000  # numbers of attempts that a condition may name; above, what does not match is passed over
_BLOCK = 4096


def nearest(
    tables: Tables, table: str, query: NDArray[np.float32], k: int, places: Mapping[str, int], numbers: Sequence[int]
) -> list[tuple[int, float]]:
    """The k rows of highest similarity with a normalised query (d,): place and similarity, ties by place; exact.

    ``places`` are those of the rows that count, by their keys; ``numbers`` the attempts to look among, none for all.
    """
    wanted = min(k, len(places))
    if not wanted:
        return []
    condition = f"number in [{','.join(map(str, numbers))}]" if 0 < len(numbers) <= _FEW else ""
    keys = _candidates(tables, table, query, wanted, places, condition)
    order = sorted(keys, key=places.__getitem__)
    scores = np.concatenate(
        [_scores(tables, table, query, order[at : at + _BLOCK]) for at in range(0, len(order), _BLOCK)]
    )
    return [(places[order[i]], float(scores[i])) for i in vectors.best(scores, wanted)]


def _candidates(
    tables: Tables,
    table: str,
    query: NDArray[np.float32],
    wanted: int,
    places: Mapping[str, int],
    condition: str,
) -> Sequence[str]:
    """Rows among which the wanted ones surely are."""
    limit = min(wanted + _MORE, SEARCH_LIMIT)
    while True:
        hits = tables.nearest(table, query.tolist(), limit, condition)
        found = [(key, score) for key, score in hits if key in places]
        # Those left out are no nearer than the last hit.
        if len(found) >= wanted and hits[-1][1] < found[wanted - 1][1] - 2 * _SLACK:
            return [key for key, _ in found]
        if len(found) == len(places):
            return [key for key, _ in found]
        if limit == SEARCH_LIMIT or len(hits) < limit:
            return list(places)
        limit = min(limit * 4, SEARCH_LIMIT)


def _scores(tables: Tables, table: str, query: NDArray[np.float32], keys: Sequence[str]) -> NDArray[np.float64]:
    rows = tables.get(table, keys, ["vector"])
    if len(rows) < len(keys):
        message = (
            f"{tables.place} is damaged, {len(keys) - len(rows)} vectors of the table {table} are gone: "
            "restore it from a copy (`quartzlens copy`)."
        )
        raise CollectionError(message)
    return vectors.similarities(np.array([rows[key]["vector"] for key in keys], dtype=np.float32), query)
