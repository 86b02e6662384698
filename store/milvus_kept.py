"""The catalog in Milvus: read whole, kept in memory while nobody changes it, changed in one request.

Every store that writes has a stamp in the catalog, which moves with its every change in the same request; a small table
names the stamps that there are. While all are as they were, the catalog in memory is the one in Milvus.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from quartzlens.errors import CollectionError
from store import milvus_contents, milvus_entries, milvus_runs
from store.milvus_catalog import Catalog, Change
from store.milvus_entries import GONE, STAMP, Entry
from store.milvus_tables import Row, Tables, row

CATALOG = "quartzlens_catalog"
WRITERS = "quartzlens_writers"
VERSION = 2  # of 1 no label has a person or a note, and all else is the same
_VERSION_KEY = "version"
_CLOSED_KEY = "closed"  # the stamp of all stores that wrote and are closed
_TRIES = 20


@dataclass(slots=True)
class _Held:
    """What was read: the stamps of then, the entries, and keys of rows that are waste."""

    stamps: dict[str, str]
    catalog: Catalog = field(default_factory=Catalog)
    waste: list[str] = field(default_factory=list)


class KeptCatalog:
    """The catalog of one store; the caller holds the lock of ``tables``."""

    def __init__(self, tables: Tables, read_only: bool) -> None:
        self._tables = tables
        self._read_only = read_only
        self._stamp = f"s{secrets.token_hex(8)}"
        self._wrote = False
        self._held: _Held | None = None
        if read_only and not tables.has(CATALOG):
            message = f"There is no collection in {tables.place}, and it is opened for reading alone."
            raise CollectionError(message)
        for name in (WRITERS, milvus_contents.CONTENTS, CATALOG):
            tables.make(name)
        self._check_version()

    def _check_version(self) -> None:
        found = self._tables.get(CATALOG, [_VERSION_KEY], ["number"])
        version = found[_VERSION_KEY]["number"] if found else 0
        if version < VERSION and not self._read_only:
            self._tables.upsert(CATALOG, [row(_VERSION_KEY, kind="version", number=VERSION)])
        if version > VERSION:
            message = (
                f"{self._tables.place} is of version {version}, and this quartzlens reads versions up to {VERSION}: "
                "open it with the newer quartzlens that wrote it, or update this one."
            )
            raise CollectionError(message)

    def close(self) -> None:
        """Take this store's stamp away; the common one moves, which tells those who never saw it of its changes."""
        if self._wrote:
            with suppress(CollectionError):
                self._tables.upsert(CATALOG, [row(_CLOSED_KEY, secrets.token_hex(8), kind=STAMP)])
                self._tables.delete(CATALOG, [self._stamp])
                self._tables.delete(WRITERS, [self._stamp])
        self._wrote, self._held = False, None

    def read(self) -> Catalog:
        """The catalog as it is now."""
        return self._current().catalog

    def _stamps(self) -> dict[str, str]:
        names = [_CLOSED_KEY, *self._tables.all_keys(WRITERS)]
        return {key: one["text"] for key, one in self._tables.get(CATALOG, names, ["text"]).items()}

    def _current(self) -> _Held:
        stamps = self._stamps()
        if self._held is not None and self._held.stamps == stamps:
            return self._held
        for _ in range(_TRIES):
            rows = {one["key"]: one for one in self._tables.every(CATALOG)}
            before, stamps = stamps, self._stamps()
            # Where they differ somebody was writing meanwhile, and parts of two moments were read.
            if before == stamps:
                entries, waste = milvus_entries.read(rows, self._tables.place)
                self._held = _Held(stamps, Catalog(entries), waste)
                return self._held
        message = f"{self._tables.place} was changed too often while it was read: try again."
        raise CollectionError(message)

    def check_writable(self) -> None:
        """Raise CollectionError where nothing may be written."""
        if self._read_only:
            message = f"{self._tables.place} is opened for reading alone: the collection's folder cannot be written."
            raise CollectionError(message)

    def write(self, change: Change) -> None:
        """Make a change, seen at once; ``sweep`` takes away what it leaves.

        Raises
        ------
        CollectionError
            Nothing may be written, or Milvus failed: what is read next tells whether the change was made.
        """
        self.check_writable()
        if not change.put and not change.gone:
            return
        held, self._held = self._current(), None
        rows: list[Row] = []
        gone = [key for entry in change.gone for key in _keys(held, entry)]
        for entry in change.put:
            new = milvus_entries.rows_of(entry)
            gone += _keys(held, entry)[len(new) :]
            rows += new
        stamp = secrets.token_hex(8)
        if not self._wrote:
            self._tables.upsert(WRITERS, [row(self._stamp)])
            self._wrote = True
        every = [*rows, *(row(key, kind=GONE) for key in gone), row(self._stamp, stamp, kind=STAMP)]
        self._tables.upsert(CATALOG, every)
        taken = {one["key"] for one in rows}
        waste = [key for key in (*held.waste, *gone) if key not in taken]
        self._held = _Held({**held.stamps, self._stamp: stamp}, held.catalog.after(change), waste)

    def sweep(self, change: Change) -> None:
        """Take away the rows that a change left behind, which nobody sees.

        Raises
        ------
        CollectionError
            Milvus failed; those of the catalog go with the next sweep.
        """
        if self._held is not None and self._held.waste:
            # With the condition, as another process may have given such a key to a new entry since.
            self._tables.delete(CATALOG, self._held.waste, GONE)
            self._held.waste = []
        milvus_contents.erase(self._tables, change.waste)
        milvus_runs.erase(self._tables, change.files)


def _keys(held: _Held, entry: Entry) -> Sequence[str]:
    """Keys of the rows that an entry has now."""
    known = held.catalog.entries.get(entry.key)
    return [] if known is None else [one["key"] for one in milvus_entries.rows_of(known)]
