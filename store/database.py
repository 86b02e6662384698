"""Connections to the catalog: transactions, threads, and errors that say what to do."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from quartzlens.errors import CollectionError
from store import connections, files, locks, schema
from store.advice import READ_ONLY, explained, is_full
from store.connections import BUSY_SECONDS, Opened

_log = logging.getLogger("quartzlens.store")


class Database:
    """A catalog file, used from any number of threads: each transaction has a connection of its own from a pool.

    Parameters
    ----------
    path
        The file; made where it is missing, unless ``read_only``.
    read_only
        Never write, not even to bring an older catalog up to date.
    busy_seconds
        How long a transaction waits for another process's.
    """

    def __init__(self, path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path.resolve()
        self.read_only = read_only
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._idle: list[Opened] = []
        self._closed = False
        with explained(self.path):
            if read_only:
                self._which = connections.which(self.path)
                with connections.reader(self.path, busy_seconds) as connection:
                    schema.check_current(connection, self.path)
            else:
                self._create()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.close()

    def _create(self) -> None:
        with files.folder_lock(self.path.parent), closing(self._connect("rwc")) as connection:
            # The page size must be set before the first table is made; WAL stays with the file.
            connection.execute(f"PRAGMA page_size = {schema.PAGE_BYTES}")
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            if 0 < schema.version_of(connection) < len(schema.MIGRATIONS):
                self._bring_up_to_date(connection)
            else:
                schema.migrate(connection, self.path)
            self._which = connections.which(self.path)

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Migrate while nobody ingests, and say where the catalog lies as it was."""
        before = schema.version_of(connection)
        with locks.lock_of_migration(self.path.parent):
            copy = schema.migrate(connection, self.path)
        _log.warning(
            "%s was brought from version %d to %d; as it was it lies in %s, which can be deleted once all is well.",
            self.path,
            before,
            schema.version_of(connection),
            copy,
        )

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = connections.connected(self.path, mode, self._busy_seconds)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _take(self) -> Opened:
        with self._lock:
            if self._closed:
                message = f"{self.path} was closed: open the collection again."
                raise CollectionError(message)
            if self._idle:
                return self._idle.pop()
        if self.read_only:
            return connections.to_read(self.path, self._busy_seconds)
        return Opened(self._connect("rw"), self.path)

    def _gave_back(self, opened: Opened) -> bool:
        """Put a connection into the pool, if that may be: one to a file that was declared unchanging is of no use."""
        with self._lock:
            if self._closed or opened.before is not None:
                return False
            self._idle.append(opened)
            return True

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the catalog, whatever others write meanwhile.

        Raises
        ------
        CollectionError
            The file is damaged or cannot be read, or another one is in its place since it was opened.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes become durable together at the end, or not at all.

        Raises
        ------
        CollectionError
            The catalog is opened for reading alone, the disk is full, the lock is not to be had, the file is damaged,
            or another one is in its place since it was opened.
        """
        if self.read_only:
            message = f"{self.path} is opened for reading alone: {READ_ONLY}."
            raise CollectionError(message)
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def compact(self) -> None:
        """Write the file anew without the bytes of what was deleted, and empty the log, which has them as well.

        Raises
        ------
        CollectionError
            There is no room for the two copies that SQLite makes, or another process reads or writes for too long.
        """
        with explained(self.path), closing(self._connect("rw")) as connection:
            try:
                connection.execute("VACUUM")
            except sqlite3.OperationalError as error:
                if not is_full(error):
                    raise
                message = self._no_room(connection)
                raise CollectionError(message) from error
            (in_the_way, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if in_the_way:
            message = (
                f"{self.path}-wal still has bytes of what was deleted, as another process was reading for too long: "
                "wait for it, or stop it, and remove again what was removed, which erases the rest."
            )
            raise CollectionError(message)

    def _no_room(self, connection: sqlite3.Connection) -> str:
        sizes = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        (size,) = connection.execute(sizes).fetchone()
        return (
            f"{self.path} still has bytes of what was deleted, as there is no room to write it anew: that takes up to "
            f"{size / 1e6:,.0f} MB in {self.path.parent} and as much in SQLite's folder of temporary files (the "
            "first that is there of $SQLITE_TMPDIR, $TMPDIR and /var/tmp). Make room in both, and remove again what "
            "was removed, which erases the rest."
        )

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            opened, done = self._take(), False
            try:
                opened.connection.execute(begin)
                self._check_place()
                yield opened.connection
                opened.connection.execute("COMMIT")
                done = True
            finally:
                if not (done and self._gave_back(opened)):
                    opened.close()  # which takes back what was not committed

    def _check_place(self) -> None:
        """Once a transaction has begun: who holds the catalog's lock puts no other in its place meanwhile."""
        if connections.which(self.path) != self._which:
            message = (
                f"{self.path} is not the file that was opened any more: a repair or a restore put another one there. "
                "Nothing was written; open the collection again, in the dashboard by loading the page again."
            )
            raise CollectionError(message)

    def close(self) -> None:
        """Close idle connections now, and others when their transaction ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for opened in idle:
            opened.close()
