"""The store in a folder, the default: SQLite is the one truth, FAISS indexes beside it are derived."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import CollectionError
from quartzlens.records import (
    BadRow,
    Embeddings,
    Fingerprint,
    Fragments,
    Info,
    Label,
    Neighbour,
    Result,
    Row,
    Run,
    Video,
)
from store import catalog, embedded, heard, indexed, ledgers, rules
from store import runs as kept_runs
from store.base import Ledger
from store.database import Database
from store.indexed import Stamp
from store.indexes import Indexes
from store.places import What

CATALOG = "catalog.sqlite"
INDEX = "index"
RUNS = "runs"


class LocalStore:
    """The contract of ``store.base.Store`` over ``folder``; safe for any number of threads and processes.

    Parameters
    ----------
    folder
        The collection's folder; it must be there.
    read_only
        Nothing is ever written, neither the catalog nor an index file.
    busy_seconds
        How long a write waits for another process's.

    Raises
    ------
    CollectionError
        The folder or catalog is missing, damaged, cannot be written, or is of a newer version.
    """

    def __init__(self, folder: Path, read_only: bool = False, *, busy_seconds: float = 30.0) -> None:
        if not folder.is_dir():
            message = f"There is no folder {folder}: make a collection with `quartzlens ingest SOURCE -c {folder}`."
            raise CollectionError(message)
        self.folder = folder
        self.read_only = read_only
        self._database = Database(folder / CATALOG, read_only=read_only, busy_seconds=busy_seconds)
        self._indexes = Indexes(self._database, folder / INDEX)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the catalog."""
        self.close()

    def close(self) -> None:
        """Close the catalog; the store cannot be used any more."""
        self._indexes.close()
        self._database.close()

    def add_rows(
        self, source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow], *, growing: bool = False
    ) -> None:
        """Make these the rows of ``source_list``, or add them where it is ``growing``, in one transaction."""
        rules.check_rows(source_list, rows, bad_rows)
        with self._database.writing() as connection:
            if growing:
                rows = rules.grown(catalog.rows_of(connection, source_list), rows)
            catalog.replace_rows(connection, source_list, rows, bad_rows)

    def videos(self, ids: Collection[str] | None = None) -> tuple[Video, ...]:
        """All videos in the order in which they came, or those of ``ids``."""
        with self._database.reading() as connection:
            return catalog.videos(connection, ids)

    def commit(self, results: Sequence[Result]) -> None:
        """Keep outcomes, media facts and all of ``Embedded`` of whole videos in one durable transaction."""
        kept = rules.checked(results)
        with self._database.writing() as connection:
            embedded.commit(connection, kept)

    def embedded_ids(self, fingerprint: Fingerprint) -> tuple[str, ...]:
        """Ids of the videos that have embeddings of a fingerprint, in the order of ``videos``."""
        with self._database.reading() as connection:
            return embedded.ids(connection, fingerprint)

    def embeddings(self, fingerprint: Fingerprint, ids: Collection[str] | None = None, block: str = "") -> Embeddings:
        """Pooled embeddings of a fingerprint, or a block's entries of the profile, in the order of ``videos``."""
        with self._database.reading() as connection:
            return embedded.embeddings(connection, fingerprint, ids, block)

    def fragments(
        self,
        fingerprint: Fingerprint,
        ids: Collection[str] | None = None,
        saying: str = "",
        most: int | None = None,
    ) -> Fragments:
        """Fragment embeddings in the order of ``videos``, then of time; with ``saying`` best match first by BM25."""
        with self._database.reading() as connection:
            return embedded.fragments(connection, fingerprint, ids, saying, most)

    def search(
        self,
        fingerprint: Fingerprint,
        queries: NDArray[np.float32],
        k: int,
        within: Collection[str] | None = None,
        *,
        fragments: bool = False,
    ) -> list[list[Neighbour]]:
        """Nearest videos or fragments by cosine of each query (q, d) float32, best first, ties as they came."""
        rules.check_queries(fingerprint, queries, k)
        what = What.FRAGMENTS if fragments else What.VIDEOS
        return self._indexes.search(fingerprint, queries, k, within, what)

    def make_index(self, fingerprint: Fingerprint, what: What, kind: str | None = None) -> Stamp | None:
        """Make a search index anew now, as ``store.indexes.Indexes.make``."""
        return self._indexes.make(fingerprint, what, kind)

    def index_stamp(self, fingerprint: Fingerprint, what: What) -> tuple[Stamp | None, int]:
        """What the index file of these vectors is, and how many vectors came since; (None, 0) where none is kept."""
        with self._database.reading() as connection:
            found = indexed.source(connection, fingerprint, what)
            stamp = indexed.stamp(connection, found[0]) if found else None
            return stamp, indexed.count(connection, found[0], stamp.revision) if found and stamp else 0

    def add_labels(self, labels: Sequence[Label], after: int | None = None) -> None:
        """Append to the label history, where it has ``after`` entries, in one transaction."""
        with self._database.writing() as connection:
            if after is not None:
                rules.check_length(after, catalog.count(connection, "labels"))
            catalog.add_labels(connection, labels)

    def labels(self) -> tuple[Label, ...]:
        """The whole label history in the order in which it was given."""
        with self._database.reading() as connection:
            return catalog.labels(connection)

    def remove(self, ids: Collection[str], *, runs: Collection[str] = ()) -> None:
        """Erase videos with their rows, labels, outcomes and embeddings, and runs with their files."""
        with self._database.writing() as connection:
            kept_runs.forget(connection, self.folder / RUNS, runs)
            catalog.erase(connection, catalog.sequence_of(connection, ids).values())
            if ids or not runs:
                heard.forget(connection)
        if runs:
            kept_runs.erase_forgotten(self._database, self.folder / RUNS)
        if ids or not runs:
            # Who makes an index reads all along, which keeps the log from being emptied.
            with self._indexes.giving_way():
                self._database.compact()

    def add_run(self, run: Run) -> None:
        """Keep a run with its files; whole or not at all."""
        kept_runs.add(self._database, self.folder / RUNS, run)

    def runs(self, run_id: str | None = None) -> tuple[Run, ...]:
        """All runs, oldest first, without their files; or the one of ``run_id`` with its files (empty if unknown)."""
        with self._database.reading() as connection:
            if run_id is None:
                return kept_runs.every(connection)
            return kept_runs.one(connection, self.folder / RUNS, run_id)

    def ledger(self) -> Ledger:
        """What the contract does not tell word for word."""
        with self._database.reading() as connection:
            return ledgers.read(connection)

    def take_over(self, ledger: Ledger) -> None:
        """Be what another store is, but for outcomes, embeddings and runs, in one transaction."""
        with self._database.writing() as connection:
            ledgers.write(connection, ledger)

    def info(self) -> Info:
        """Counts and encoders; cheap."""
        with self._database.reading() as connection:
            encoders = embedded.encoders(connection)
            return Info(
                encoders=tuple(encoder for encoder, _ in encoders),
                revisions={encoder.key: revision for encoder, revision in encoders},
                rows=catalog.count(connection, "list_rows"),
                bad_rows=catalog.bad_rows(connection),
                labels=catalog.count(connection, "labels"),
            )
