"""The search indexes of a folder's catalog: found on disk, caught up with the catalog, made anew beside the search.

A search answers from an unchanging snapshot that is caught up with the embeddings' revision first: what came since is
a segment of its own, what went is ruled out. Where much came, or another kind fits the size better, a new first segment
is made in a thread of its own and put in place when it is done; the old one answers meanwhile.
"""

import atexit
import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import CollectionError, LockedError
from quartzlens.records import Fingerprint, Neighbour
from store import embedded, index_file, indexed, kinds, rules
from store.caught_up import caught_up, maker_of, named
from store.database import Database
from store.indexed import Source, Stamp
from store.numbers import Numbers
from store.places import What
from store.snapshot import Snapshot

_FEW = 256  # so many vectors beside the first segment are no reason to make it anew
_SHARE = 8  # more than an eighth of all are
_MAKING = ".making"
_log = logging.getLogger("quartzlens.store")


class Indexes:
    """The indexes of all encoders, for videos and for fragments; safe for any number of threads and processes."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._snapshots: dict[tuple[str, What], Snapshot] = {}
        self._numbers = Numbers()
        self._locks: dict[tuple[str, What], threading.Lock] = {}
        self._making = threading.Lock()
        self._makers: dict[tuple[str, What], threading.Thread] = {}
        self._given_up: set[tuple[str, What]] = set()
        self._closed = threading.Event()
        self._giving_way = threading.Event()
        atexit.register(self.close)  # FAISS in a thread does not outlive the interpreter well

    def close(self) -> None:
        """Give up what is being made."""
        atexit.unregister(self.close)
        self._closed.set()
        for maker in list(self._makers.values()):
            maker.join()

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Nothing is made by this process meanwhile: what was begun is given up, and begun again by a later search."""
        self._giving_way.set()
        try:
            for maker in list(self._makers.values()):
                maker.join()
            yield
        finally:
            self._giving_way.clear()

    def _stopped(self) -> bool:
        return self._closed.is_set() or self._giving_way.is_set()

    def _lock_of(self, key: tuple[str, What]) -> threading.Lock:
        return self._locks.setdefault(key, threading.Lock())

    def search(
        self,
        fingerprint: Fingerprint,
        queries: NDArray[np.float32],
        k: int,
        within: Collection[str] | None,
        what: What,
    ) -> list[list[Neighbour]]:
        """As ``store.base.Store.search``."""
        with ExitStack() as stack:
            with self._lock_of((fingerprint.key, what)):
                # Begun under the lock, so that it sees no less than any snapshot made so far.
                connection = stack.enter_context(self._database.reading())
                found = indexed.source(connection, fingerprint, what)
                snapshot = None if found is None else self._current(connection, fingerprint, *found)
            if found is None or snapshot is None:
                rules.check_held(fingerprint, embedded.held(connection))
                return [[] for _ in queries]
            of = found[0]
            chosen = None if within is None else self._numbers.of(connection, within)
            kept = partial(indexed.vectors_at, connection, of)
            hits = snapshot.search(queries.astype(np.float32, copy=False), k, chosen, kept)
            return named(connection, of, hits)

    def _current(
        self, connection: sqlite3.Connection, fingerprint: Fingerprint, of: Source, revision: int, removed: int
    ) -> Snapshot | None:
        """The index of the embeddings as they are now; None where there are none."""
        key = (fingerprint.key, of.what)
        known = self._snapshots.get(key) or self._loaded(connection, of, revision)
        if known is None:
            known = self._first(connection, fingerprint, of, revision)
        elif known.revision != revision:
            known = caught_up(connection, of, known, revision, removed)
        if known is None or not len(known):
            self._snapshots.pop(key, None)
            return None
        self._snapshots[key] = known
        if self._due(known):
            self._begin(fingerprint, of.what)
        return known

    def _loaded(self, connection: sqlite3.Connection, of: Source, revision: int) -> Snapshot | None:
        stamp = indexed.stamp(connection, of)
        if stamp is None or stamp.revision > revision:
            return None
        return index_file.load(self._folder, stamp, of)

    def _first(
        self, connection: sqlite3.Connection, fingerprint: Fingerprint, of: Source, revision: int
    ) -> Snapshot | None:
        """A snapshot made from the catalog alone, by the quickest kind that scans; kept on disk where that may be."""
        count = indexed.count(connection, of)
        if count == 0:
            return None
        stamp = indexed.stamp(connection, of)
        chosen = stamp.kind if stamp is not None and stamp.chosen else ""
        kind = min(chosen or kinds.kind_for(count), "f16", key=kinds.KINDS.index)
        made = maker_of(connection, of, count).make(kind)
        snapshot = Snapshot(revision, revision, (made.segment,), (None,), chosen, made.recall)
        if not self._database.read_only and chosen in {"", kind}:
            self._keep_if_still(stamp, fingerprint, of, snapshot)
        return snapshot

    def _keep_if_still(self, stamp: Stamp | None, fingerprint: Fingerprint, of: Source, snapshot: Snapshot) -> None:
        """Keep an index, unless somebody made or chose another since ``stamp`` was read."""
        try:
            with self._alone(patient=False):
                with self._database.reading() as connection:
                    now = indexed.stamp(connection, of)
                if now == stamp:
                    self._keep(fingerprint, of, snapshot)
        except LockedError:
            pass  # who makes one keeps it
        except CollectionError as error:
            _log.warning("The search index was not kept and will be made again next time: %s", error)

    def _due(self, snapshot: Snapshot) -> bool:
        """Whether a new first segment is worth its while."""
        count = len(snapshot)
        wanted, kind = snapshot.chosen or kinds.kind_for(count), snapshot.segments[0].kind
        if self._database.read_only and wanted == "hnsw":
            return False  # it takes long to make, and nobody would keep it
        grown = kinds.KINDS.index(wanted) > kinds.KINDS.index(kind)
        return grown or snapshot.astray > max(_FEW, count // _SHARE)

    def _begin(self, fingerprint: Fingerprint, what: What) -> None:
        key = (fingerprint.key, what)
        busy = key in self._makers and self._makers[key].is_alive()
        if busy or key in self._given_up or self._stopped():
            return
        maker = threading.Thread(
            target=self._make_beside, args=(fingerprint, what), name="quartzlens-index", daemon=True
        )
        self._makers[key] = maker
        maker.start()

    def _make_beside(self, fingerprint: Fingerprint, what: What) -> None:
        """Make an index anew; one that cannot be kept is tried again by the next process, not by every search."""
        try:
            if not self._taken_over(fingerprint, what):
                self.make(fingerprint, what)
        except (kinds.Stopped, LockedError):
            return
        except (CollectionError, MemoryError, RuntimeError) as error:  # FAISS raises the last for what it cannot do
            self._given_up.add((fingerprint.key, what))
            _log.warning("The search index could not be made anew and answers as it was: %s", error)

    def _taken_over(self, fingerprint: Fingerprint, what: What) -> bool:
        """Whether another process made a newer first segment, which is searched in from now on."""
        key = (fingerprint.key, what)
        with self._database.reading() as connection:
            found, known = indexed.source(connection, fingerprint, what), self._snapshots.get(key)
            if found is None or known is None:
                return False
            stamp = indexed.stamp(connection, found[0])
            if stamp is None or stamp.revision <= known.made:
                return False
            newer = index_file.load(self._folder, stamp, found[0])
        if newer is not None:
            with self._lock_of(key):
                self._snapshots[key] = newer
        return newer is not None

    def make(self, fingerprint: Fingerprint, what: What, kind: str | None = None) -> Stamp | None:
        """Make the first segment anew, keep it and search in it from now on; its stamp, None where there is no vector.

        Parameters
        ----------
        kind
            Chosen by a person, and kept to from now on: one of ``kinds.KINDS``, or ``auto`` for the one that fits the
            size, which None is as well where nobody chose.

        Raises
        ------
        kinds.Stopped
            The store was closed, or videos are removed, meanwhile.
        LockedError
            Another process makes an index of this folder.
        CollectionError
            The index cannot be kept.
        """
        with self._alone(), self._database.reading() as connection:
            found = indexed.source(connection, fingerprint, what)
            count = indexed.count(connection, found[0]) if found else 0
            if found is None or count == 0:
                return None
            of, revision, _ = found
            stamp = indexed.stamp(connection, of)
            chosen = kind in kinds.KINDS or (kind is None and stamp is not None and stamp.chosen)
            wanted = kind if kind in kinds.KINDS else stamp.kind if chosen and stamp else kinds.kind_for(count)
            made = maker_of(connection, of, count, self._stopped).make(wanted)
            by_choice = wanted if chosen else ""
            snapshot = Snapshot(revision, revision, (made.segment,), (None,), by_choice, made.recall)
            kept = None if self._database.read_only else self._keep(fingerprint, of, snapshot)
        with self._lock_of((fingerprint.key, what)):
            self._snapshots[(fingerprint.key, what)] = snapshot
        return kept

    @contextmanager
    def _alone(self, *, patient: bool = True) -> Iterator[None]:
        """Make or keep an index while nobody else does in this folder; ``patient`` waits for threads of this process.

        Raises LockedError where another process, or without patience another thread, does.
        """
        message = f"Another process makes a search index in {self._folder}: wait until it is done."
        if not self._making.acquire(blocking=patient):
            raise LockedError(message)
        try:
            if self._database.read_only:
                yield
                return
            with self._lock_file() as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise LockedError(message) from error
                yield
        finally:
            self._making.release()

    @contextmanager
    def _lock_file(self) -> Iterator[int]:
        try:
            self._folder.mkdir(exist_ok=True)
            handle = os.open(self._folder / _MAKING, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            message = f"No index can be made in {self._folder}: {error.strerror}. It must be a folder to write to."
            raise CollectionError(message) from error
        try:
            yield handle
        finally:
            os.close(handle)

    def _keep(self, fingerprint: Fingerprint, of: Source, snapshot: Snapshot) -> Stamp:
        """Put the index on disk for the next process; the one before goes, and what a killed process left."""
        try:
            stamp = index_file.save(snapshot, self._folder, fingerprint.key, of.what)
        except OSError as error:
            message = f"No index can be written to {self._folder}: {error.strerror}. Check space and permissions."
            raise CollectionError(message) from error
        with self._database.writing() as connection:
            indexed.write_stamp(connection, of, stamp)
        for path in index_file.every(self._folder, fingerprint.key, of.what):
            if path.name != stamp.name and path.is_file():
                path.unlink(missing_ok=True)
        return stamp
