"""The store in Milvus: the contract over Milvus Lite, a folder of one process at a time, or a server that many share.

What one change promises. Contents are written first where nobody sees them, then the catalog's entries in one request.
Milvus Lite writes a request whole or not at all (up to 192 MiB of entries; beyond, a change may be cut off between
requests, each video whole, and the same command again completes it). Milvus has no transaction over requests, and of a
server it is not promised that all entries of a request are seen at one moment: there a batch of results is whole a
video, not as a batch. A batch that is refused keeps nothing on either. That nobody gave a label since the history was
read is seen just before the request: on a server another process may still come between the two.

Milvus Lite survives a killed process, not a power cut: it does not wait for the disk at each write. What was removed is
not seen any more, but its bytes stay in Milvus' files until its own compaction rewrites them.
"""

import logging
import math
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
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
from store import arrays, milvus_contents, milvus_runs, milvus_search, rules, vectors
from store.base import Ledger
from store.milvus_catalog import Change, following, rows_of
from store.milvus_changes import (
    erasure,
    label_entries,
    new_results,
    new_rows,
    taken_over,
    together,
    without_pending,
    without_runs,
)
from store.milvus_contents import CONTENTS, fragments_table, videos_table
from store.milvus_entries import Attempt, PendingEntry
from store.milvus_kept import KeptCatalog
from store.milvus_tables import Tables, is_server

_ABANDONED_SECONDS = 3600  # of a server another process may still be at it
_log = logging.getLogger("quartzlens.store")


class MilvusStore:
    """The contract of ``store.base.Store`` in Milvus; safe for threads, which take turns.

    One ingest at a time, as everywhere; other processes read and make short writes meanwhile where it is a server.

    Parameters
    ----------
    uri
        As of ``store.milvus_tables.Tables``.
    read_only
        Refuse whatever would write.

    Raises
    ------
    CollectionError
        As ``Tables``; or the catalog is of a newer version.
    """

    def __init__(self, uri: str, read_only: bool = False) -> None:
        self.uri = uri
        self._tables = Tables(uri)
        self._lock = self._tables.lock
        # Milvus Lite has no other writer, so that a commit which has not ended there never will.
        self._abandoned_seconds = _ABANDONED_SECONDS if is_server(uri) else -math.inf
        try:
            self._kept = KeptCatalog(self._tables, read_only)
        except CollectionError:
            self._tables.close()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Let go of the database."""
        self.close()

    def close(self) -> None:
        """Let go of the database; the store cannot be used any more."""
        with self._lock:
            self._kept.close()
            self._tables.close()

    def add_rows(
        self, source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow], *, growing: bool = False
    ) -> None:
        """Make these the rows of ``source_list``, or add them where it is ``growing``, in one request."""
        rules.check_rows(source_list, rows, bad_rows)
        with self._lock:
            catalog = self._kept.read()
            before = rows_of(catalog, source_list)
            if growing:
                rows = rules.grown(before, rows)
            given = {one.number: (one.video_id, one.label) for one in before}
            labels = rules.label_changes(source_list, given, rows)
            self._make(new_rows(catalog, source_list, rows, bad_rows, labels))

    def _make(self, change: Change) -> None:
        """Make a change, and take away what it leaves: where that fails, it is never seen and goes another time."""
        self._kept.write(change)
        try:
            self._kept.sweep(change)
        except CollectionError as error:
            _log.warning("What a change replaced was not taken away, which does no harm: %s", error)

    def videos(self, ids: Collection[str] | None = None) -> tuple[Video, ...]:
        """All videos in the order in which they came, or those of ``ids``."""
        with self._lock:
            return self._kept.read().shown(ids)

    def commit(self, results: Sequence[Result]) -> None:
        """Keep outcomes, media facts and all of ``Embedded``: contents first, then what makes them count."""
        kept = rules.checked(results)
        with self._lock:
            catalog = self._kept.read()
            rules.check_known((result.video_id for result in kept), catalog.videos)
            arrays.check_channels(kept, lambda encoder, block: catalog.channels.get((encoder.key, block)))
            self._kept.check_writable()
            pending, attempts = self._write_contents(kept)
            ids = {result.video_id for result in kept}
            catalog = self._kept.read()
            left = without_pending(catalog, ids, time.time() - self._abandoned_seconds, pending)
            self._make(together(new_results(catalog, kept, attempts), left))

    def _write_contents(self, results: Sequence[Result]) -> tuple[str, dict[tuple[str, str], Attempt]]:
        """Write embeddings where nobody sees them: the entry that notes it, and attempts by video and encoder."""
        last = {(one.video_id, one.embedded.fingerprint.key): one.embedded for one in results if one.embedded}
        written = {key: (*milvus_contents.prepared(one), one) for key, one in last.items()}
        if not written:
            return "", {}
        noted = tuple((video, attempt) for (video, _), (attempt, *_) in written.items())
        pending = PendingEntry(secrets.token_hex(8), time.time(), noted)
        self._kept.write(Change([pending]))
        self._tables.upsert(CONTENTS, [one for _, rows, _ in written.values() for one in rows])
        for encoder in {one.fingerprint for one in last.values()}:
            some = [
                milvus_contents.searchable(attempt, one)
                for attempt, _, one in written.values()
                if one.fingerprint == encoder
            ]
            self._tables.make(videos_table(encoder.key), encoder.dimension)
            self._tables.make(fragments_table(encoder.key), encoder.dimension)
            self._tables.upsert(fragments_table(encoder.key), [one for _, rows in some for one in rows])
            self._tables.upsert(videos_table(encoder.key), [one for one, _ in some])
        return pending.key, {key: attempt for key, (attempt, *_) in written.items()}

    def embedded_ids(self, fingerprint: Fingerprint) -> tuple[str, ...]:
        """Ids of the videos that have embeddings of a fingerprint, in the order of ``videos``."""
        with self._lock:
            return tuple(video_id for video_id, _ in self._kept.read().attempts(fingerprint.key, None))

    def embeddings(self, fingerprint: Fingerprint, ids: Collection[str] | None = None, block: str = "") -> Embeddings:
        """Pooled embeddings of a fingerprint, or a block's entries of the profile, in the order of ``videos``."""
        with self._lock:
            held = self._kept.read().attempts(fingerprint.key, ids)
            if block:
                return milvus_contents.profiles(self._tables, held, block)
            return milvus_contents.embeddings(self._tables, held, fingerprint.dimension)

    def fragments(
        self,
        fingerprint: Fingerprint,
        ids: Collection[str] | None = None,
        saying: str = "",
        most: int | None = None,
    ) -> Fragments:
        """Fragment embeddings in the order of ``videos``, then of time; with ``saying`` by its share of the words."""
        with self._lock:
            held = self._kept.read().attempts(fingerprint.key, ids)
            return milvus_contents.fragments(self._tables, fingerprint, held, saying, most)

    def search(
        self,
        fingerprint: Fingerprint,
        queries: NDArray[np.float32],
        k: int,
        within: Collection[str] | None = None,
        *,
        fragments: bool = False,
    ) -> list[list[Neighbour]]:
        """Nearest videos or fragments by cosine of each query (q, d) float32, best first, ties as they came; exact."""
        rules.check_queries(fingerprint, queries, k)
        with self._lock:
            catalog = self._kept.read()
            rules.check_held(fingerprint, catalog.held())
            held = catalog.attempts(fingerprint.key, within)
            numbers = [] if within is None else [one.number for _, one in held]
            table = (fragments_table if fragments else videos_table)(fingerprint.key)
            keys = [(video, at, key) for video, one in held for at, key in _keys(one, fragments)]
            places = {key: place for place, (_, _, key) in enumerate(keys)}
            found = [
                milvus_search.nearest(self._tables, table, query, k, places, numbers)
                for query in vectors.normalised(queries)
            ]
            if not fragments:
                return [[Neighbour(keys[place][0], score) for place, score in one] for one in found]
            names = {keys[place][0] for one in found for place, _ in one}
            bounds = self._bounds(fingerprint, [(video, one) for video, one in held if video in names])
        return [[Neighbour(keys[place][0], score, bounds[keys[place][:2]]) for place, score in one] for one in found]

    def _bounds(
        self, fingerprint: Fingerprint, held: Sequence[tuple[str, Attempt]]
    ) -> Mapping[tuple[str, int], tuple[float, float]]:
        """Where fragments begin and end, by video and place in it."""
        found = milvus_contents.fragments(self._tables, fingerprint, held)
        places = [(video, at) for video, one in held for at in range(one.fragments)]
        return {place: (start, end) for place, (start, end) in zip(places, found.bounds.tolist(), strict=True)}

    def add_labels(self, labels: Sequence[Label], after: int | None = None) -> None:
        """Append to the label history, where it has ``after`` entries, in one request."""
        with self._lock:
            catalog = self._kept.read()
            rules.check_length(after, len(catalog.labels))
            rules.check_known((label.video_id for label in labels), catalog.videos)
            self._make(Change(label_entries(catalog, labels)))

    def labels(self) -> tuple[Label, ...]:
        """The whole label history in the order in which it was given."""
        with self._lock:
            return tuple(one.label for one in self._kept.read().labels)

    def remove(self, ids: Collection[str], *, runs: Collection[str] = ()) -> None:
        """Erase videos with their rows, labels, outcomes and embeddings, and runs with their files.

        They are not seen any more from one moment on. Milvus' files hold bytes of them until it compacts itself.
        """
        with self._lock:
            catalog = self._kept.read()
            wanted = set(ids)
            left = without_pending(catalog, wanted, time.time() - self._abandoned_seconds)
            change = without_runs(catalog, together(erasure(catalog, wanted), left), frozenset(runs))
            self._kept.write(change)
            self._kept.sweep(change)

    def add_run(self, run: Run) -> None:
        """Keep a run: its files first, then the entry that makes it count."""
        rules.check_run(run)
        with self._lock:
            catalog = self._kept.read()
            if run.id in catalog.runs:
                raise rules.twice(run.id)
            self._kept.check_writable()
            entry = milvus_runs.write(self._tables, following(catalog.runs.values()), run)
            self._make(Change([entry]))

    def runs(self, run_id: str | None = None) -> tuple[Run, ...]:
        """All runs, oldest first, without their files; or the one of ``run_id`` with its files (empty if unknown)."""
        with self._lock:
            known = self._kept.read().runs
            if run_id is None:
                return tuple(one.run for one in known.values())
            return (milvus_runs.with_files(self._tables, known[run_id]),) if run_id in known else ()

    def ledger(self) -> Ledger:
        """What the contract does not tell word for word."""
        with self._lock:
            return self._kept.read().ledger()

    def take_over(self, ledger: Ledger) -> None:
        """Be what another store is, but for outcomes, embeddings and runs, in one request."""
        with self._lock:
            self._make(taken_over(self._kept.read(), ledger))

    def info(self) -> Info:
        """Counts and encoders."""
        with self._lock:
            return self._kept.read().info()


def _keys(attempt: Attempt, fragments: bool) -> list[tuple[int, str]]:
    """Keys of an attempt's rows for search, with the place of each in the video."""
    return list(enumerate(attempt.fragment_keys())) if fragments else [(0, str(attempt.number))]
