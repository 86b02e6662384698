"""The store in a folder, the default: SQLite is the one truth, FAISS indexes beside it are derived."""

import logging
import threading
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
from store import catalog, embedded, heard, index, rules, runs, vectors
from store.database import Database

CATALOG = "catalog.sqlite"
INDEX = "index"
RUNS = "runs"
_log = logging.getLogger("quartzlens.store")


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
        self._snapshots: dict[str, index.Snapshot] = {}
        self._making = threading.Lock()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the catalog."""
        self.close()

    def close(self) -> None:
        """Close the catalog; the store cannot be used any more."""
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

    def embeddings(self, fingerprint: Fingerprint, ids: Collection[str] | None = None, block: str = "") -> Embeddings:
        """Pooled embeddings of a fingerprint, or a block's entries of the profile, in the order of ``videos``."""
        with self._database.reading() as connection:
            return embedded.embeddings(connection, fingerprint, ids, block)

    def fragments(self, fingerprint: Fingerprint, ids: Collection[str] | None = None, saying: str = "") -> Fragments:
        """Fragment embeddings in the order of ``videos``, then of time; with ``saying`` best match first by BM25."""
        with self._database.reading() as connection:
            return embedded.fragments(connection, fingerprint, ids, saying)

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
        if fragments:
            return self._nearest_fragments(fingerprint, queries, k, within)
        with self._making:
            snapshot = self._snapshot(fingerprint)
        if snapshot is None:
            return [[] for _ in queries]
        return snapshot.search(queries.astype(np.float32, copy=False), k, within)

    def _nearest_fragments(
        self, fingerprint: Fingerprint, queries: NDArray[np.float32], k: int, within: Collection[str] | None
    ) -> list[list[Neighbour]]:
        with self._database.reading() as connection:
            rules.check_held(fingerprint, embedded.held(connection))
            held = embedded.fragments(connection, fingerprint, within)
        unit, bounds, answers = vectors.normalised(held.matrix), held.bounds.tolist(), []
        for query in vectors.normalised(queries):
            scores = vectors.similarities(unit, query)
            best = vectors.best(scores, k)
            answers.append([Neighbour(held.ids[i], float(scores[i]), (bounds[i][0], bounds[i][1])) for i in best])
        return answers

    def _snapshot(self, fingerprint: Fingerprint) -> index.Snapshot | None:
        """The index of the embeddings as they are now: the one in memory, else the file's, else a new one."""
        path = self.folder / INDEX / f"{fingerprint.key}.faiss"
        with self._database.reading() as connection:
            revision = embedded.revision(connection, fingerprint)
            known = self._snapshots.get(fingerprint.key)
            if known is not None and known.revision == revision:
                return known
            ids = embedded.embedded_ids(connection, fingerprint)
            if not ids:
                rules.check_held(fingerprint, embedded.held(connection))
                return None
            stamp = embedded.stamp(connection, fingerprint)
            found = index.load(path, stamp, revision, ids, fingerprint.dimension)
            snapshot = found or index.build(revision, embedded.embeddings(connection, fingerprint))
        self._snapshots[fingerprint.key] = snapshot
        if found is None and not self.read_only:
            self._save(fingerprint, snapshot, path)
        return snapshot

    def _save(self, fingerprint: Fingerprint, snapshot: index.Snapshot, path: Path) -> None:
        """Keep the index for the next process; where that fails the search goes on without."""
        try:
            stamp = index.save(snapshot, path)
            with self._database.writing() as connection:
                embedded.write_stamp(connection, fingerprint, stamp)
        except (OSError, CollectionError) as error:
            _log.warning("The search index was not kept and will be made again next time: %s", error)

    def add_labels(self, labels: Sequence[Label]) -> None:
        """Append to the label history, in one transaction."""
        with self._database.writing() as connection:
            catalog.add_labels(connection, labels)

    def labels(self) -> tuple[Label, ...]:
        """The whole label history in the order in which it was given."""
        with self._database.reading() as connection:
            return catalog.labels(connection)

    def remove(self, ids: Collection[str]) -> None:
        """Erase videos with their rows, labels, outcomes and embeddings; unknown ids are ignored."""
        with self._database.writing() as connection:
            catalog.erase(connection, catalog.sequence_of(connection, ids).values())
            heard.forget(connection)
        self._database.compact()

    def add_run(self, run: Run) -> None:
        """Keep a run with its files; whole or not at all."""
        runs.add(self._database, self.folder / RUNS, run)

    def runs(self, run_id: str | None = None) -> tuple[Run, ...]:
        """All runs, oldest first, without their files; or the one of ``run_id`` with its files (empty if unknown)."""
        with self._database.reading() as connection:
            if run_id is None:
                return runs.every(connection)
            return runs.one(connection, self.folder / RUNS, run_id)

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
