"""Tables in Milvus: opening a database, and the few calls that the store makes of it.

``pymilvus`` and ``milvus_lite`` are loaded when a database is opened, not before.
"""

import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quartzlens.errors import CollectionError
from store import milvus_folder

SEARCH_LIMIT = 16_384
"""Rows that Milvus gives for one search at most."""

TEXT = 60_000
"""Characters of a row's text: Milvus takes 65,535 bytes, and texts are ASCII."""

_LITE_BYTES = 192 << 20  # a request of Milvus Lite may have 256 MiB
_SERVER_BYTES = 48 << 20  # and one of a server 64 MB, where nobody configured more
_GET = 500  # rows asked for by their keys in one request
_PAGE = 4000
_SECONDS = 120.0
_UNAVAILABLE = 2  # pymilvus' code where no server answers
_COLUMNS = ("key", "kind", "number", "text")

Row = dict[str, Any]


def is_server(uri: str) -> bool:
    """Whether this is the address of a Milvus server rather than a path of Milvus Lite."""
    return uri.startswith(("http://", "https://"))


class Tables:
    """The tables of one database; each has rows of a key, a kind, a number, a text and a vector.

    Every write is seen by whoever reads after it. Milvus Lite takes one writer at a time: ``lock`` is shared by all
    that have the folder open in this process, and another process is refused.

    Parameters
    ----------
    uri
        A path of Milvus Lite (a folder, made where it is not there), or ``http[s]://HOST:PORT[/DATABASE]``. What
        authorises at a server is in the environment variable ``MILVUS_TOKEN`` (``user:password`` or an API key).

    Raises
    ------
    CollectionError
        The packages are not installed, no server answers, or another process has the folder open.
    """

    def __init__(self, uri: str) -> None:
        # Messages show no password.
        self.place = re.sub("//[^/@]*@", "//", uri) if is_server(uri) else str(Path(uri).resolve())
        self.lock = threading.RLock()
        self._path = None if is_server(uri) else Path(uri).resolve()
        self._request_bytes = _SERVER_BYTES if is_server(uri) else _LITE_BYTES
        self._api = _pymilvus()
        address = uri
        if self._path is not None:
            lite = milvus_folder.take(self._path)
            self.lock, address = lite.lock, lite.address
        try:
            with self._explained():
                self._client = self._api.MilvusClient(address, token=os.environ.get("MILVUS_TOKEN", ""), timeout=10)
        except CollectionError:
            self.close()
            raise
        self._loaded: set[str] = set()

    def close(self) -> None:
        """Let go of the database; harmless a second time."""
        path, self._path = self._path, None
        if path is not None:
            milvus_folder.give_back(path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what Milvus raises into a CollectionError that says what to do."""
        try:
            yield
        except self._api.MilvusException as error:
            if error.code == _UNAVAILABLE:
                advice = "no Milvus server answers there: start it, or correct the address in collection.toml"
            else:
                advice = "Milvus refused or failed; what was acknowledged before is kept, so try again"
            message = f"{self.place}: {advice} ({error.message})."
            raise CollectionError(message) from error

    def make(self, name: str, dimension: int = 2) -> None:
        """Make a table with vectors of this dimension, compared by inner product, where it is not there."""
        if name in self._loaded:
            return
        with self._explained():
            if not self._client.has_collection(name):
                self._client.create_collection(
                    name, schema=self._schema(dimension), consistency_level="Strong", num_shards=1
                )
            self._load(name)

    def _load(self, name: str) -> None:
        """Make a table ready to be read: index it, which a killed process may not have done, and load it."""
        if name in self._loaded:
            return
        if not self._client.list_indexes(name):
            index = self._client.prepare_index_params()
            index.add_index("vector", index_type="FLAT", metric_type="IP")
            # Waiting for an index of nothing would take half a second.
            self._client.create_index(name, index, sync=False)
        self._client.load_collection(name)
        self._loaded.add(name)

    def _schema(self, dimension: int) -> Any:
        kinds = self._api.DataType
        schema = self._api.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("key", kinds.VARCHAR, is_primary=True, max_length=100)
        schema.add_field("kind", kinds.VARCHAR, max_length=20)
        schema.add_field("number", kinds.INT64)
        schema.add_field("text", kinds.VARCHAR, max_length=65_535)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=dimension)
        return schema

    def has(self, name: str) -> bool:
        """Whether there is such a table."""
        with self._explained():
            return name in self._loaded or bool(self._client.has_collection(name))

    def upsert(self, name: str, rows: Sequence[Row]) -> None:
        """Write rows by their keys, in one request up to 192 MiB (a server: 48), whole or not at all in Milvus Lite."""
        with self._explained():
            for some in _portions(rows, self._request_bytes):
                self._client.upsert(name, some, timeout=_SECONDS)

    def get(self, name: str, keys: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """Rows by their keys; those that are not there are left out."""
        found: dict[str, Row] = {}
        with self._explained():
            self._load(name)
            for start in range(0, len(keys), _GET):
                some = list(keys[start : start + _GET])
                rows = self._client.get(
                    name, ids=some, output_fields=["key", *columns], timeout=_SECONDS, consistency_level="Strong"
                )
                found.update((row["key"], row) for row in rows)
        return found

    def all_keys(self, name: str) -> list[str]:
        """The keys of a table of few rows."""
        with self._explained():
            rows = self._client.query(
                name,
                filter="number >= 0",
                output_fields=["key"],
                limit=SEARCH_LIMIT,
                timeout=_SECONDS,
                consistency_level="Strong",
            )
        return [one["key"] for one in rows]

    def every(self, name: str) -> Iterator[Row]:
        """All rows of a table, without their vectors, in the order of their keys."""
        with self._explained():
            pages = self._client.query_iterator(
                name, batch_size=_PAGE, output_fields=list(_COLUMNS), timeout=_SECONDS, consistency_level="Strong"
            )
            while page := pages.next():
                yield from page
            pages.close()

    def nearest(self, name: str, query: Sequence[float], limit: int, condition: str) -> list[tuple[str, float]]:
        """Keys of the rows of highest inner product with a query, best first, and the products."""
        with self._explained():
            self._load(name)
            (hits,) = self._client.search(
                name,
                data=[query],
                anns_field="vector",
                filter=condition,
                limit=limit,
                output_fields=["key"],
                search_params={"metric_type": "IP"},
                timeout=_SECONDS,
                consistency_level="Strong",
            )
        return [
            (hit["entity"]["key"] if "key" in hit["entity"] else hit["key"], float(hit["distance"])) for hit in hits
        ]

    def delete(self, name: str, keys: Sequence[str], kind: str | None = None) -> None:
        """Erase rows by their keys, with ``kind`` only those that are of it; keys that are not there do no harm."""
        with self._explained():
            self._load(name)
            for start in range(0, len(keys), _GET):
                some = list(keys[start : start + _GET])
                if kind is None:
                    self._client.delete(name, ids=some, timeout=_SECONDS)
                else:
                    # Keys are hexadecimal digits, dashes and slashes: nothing that would need quoting.
                    condition = f'kind == "{kind}" and key in {json.dumps(some)}'
                    self._client.delete(name, filter=condition, timeout=_SECONDS)


def row(key: str, text: str = "", *, kind: str = "", number: int = 0, vector: Sequence[float] = (1.0, 0.0)) -> Row:
    """A row of a table; a table without anything to search has the same small vector in each, as Milvus wants one."""
    return {"key": key, "kind": kind, "number": number, "text": text, "vector": list(vector)}


def _portions(rows: Sequence[Row], limit: int) -> Iterator[list[Row]]:
    """The rows in portions that a request can carry."""
    some: list[Row] = []
    held = 0
    for one in rows:
        size = 200 + len(one["text"]) + 4 * len(one["vector"])
        if some and held + size > limit:
            yield some
            some, held = [], 0
        some.append(one)
        held += size
    if some:
        yield some


def _pymilvus() -> Any:
    try:
        import pymilvus
    except ImportError as error:
        message = f"The collection is in Milvus, and pymilvus is not installed: {milvus_folder.INSTALL}."
        raise CollectionError(message) from error
    for name in ("pymilvus", "milvus_lite"):  # what they log as errors is raised as well
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return pymilvus


def texts(text: str) -> list[str]:
    """An ASCII text in parts that fit into rows; one part where it is empty."""
    return [text[start : start + TEXT] for start in range(0, len(text), TEXT)] or [""]


def joined(rows: Mapping[str, Row], keys: Sequence[str], place: str) -> str:
    """The text whose parts are under ``keys``; CollectionError where one is gone."""
    gone = [key for key in keys if key not in rows]
    if gone:
        message = f"{place} is damaged, its row {gone[0]} is gone: restore it from a copy (`quartzlens copy`)."
        raise CollectionError(message)
    return "".join(rows[key]["text"] for key in keys)
