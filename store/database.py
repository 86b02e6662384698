"""Connections to the catalog: transactions, threads, and errors that say what to do."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from quartzlens.errors import CollectionError
from store import files, locks, schema

_FULL = "the disk is full: free some space and run the same command again; everything committed is kept"
_BUSY = "another process was writing for too long: wait for it, or stop it, and try again"
_DAMAGED = (
    "the catalog is damaged: restore catalog.sqlite from a backup, or move the folder away and ingest the list again "
    "(the files in media are not affected)"
)
_READ_ONLY = "the catalog cannot be written: make the folder and its files writable for this user"
_NO_ACCESS = "the disk or the file's permissions do not let the catalog be read or written: check both"

_ADVICE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # the memory that processes share is a file as well
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _NO_ACCESS,
    sqlite3.SQLITE_IOERR: _NO_ACCESS,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
}
_log = logging.getLogger("quartzlens.store")
_PRIMARY_CODE = 0xFF  # the low byte of SQLite's extended error codes


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what can be expected to go wrong with a database file into a CollectionError that says what to do.

    Mistakes in our own SQL (IntegrityError, ProgrammingError) pass as they are.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)  # absent where Python itself raised
        advice = _ADVICE.get(code, _ADVICE.get(code & _PRIMARY_CODE)) if code is not None else None
        if advice is None:
            raise
        message = f"{path}: {advice} ({error})."
        raise CollectionError(message) from error


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

    def __init__(self, path: Path, *, read_only: bool = False, busy_seconds: float = 30.0) -> None:
        self.path = path.resolve()
        self.read_only = read_only
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with explained(self.path):
            if read_only:
                with closing(self._open()) as connection:
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
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        if not self.read_only:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _open(self) -> sqlite3.Connection:
        if not self.read_only:
            return self._connect("rw")
        connection = self._connect("ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            # A WAL database in a folder that cannot be written needs its helper files, unless it is declared
            # unchanging; with a log beside it that would hide what the log holds.
            log = Path(f"{self.path}-wal")
            if not self.path.exists() or (log.exists() and log.stat().st_size > 0):
                raise
            return self._connect("ro&immutable=1")
        return connection

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                message = f"{self.path} was closed: open the collection again."
                raise CollectionError(message)
            if self._idle:
                return self._idle.pop()
        return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the catalog, whatever others write meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes become durable together at the end, or not at all.

        Raises
        ------
        CollectionError
            The catalog is opened for reading alone, the disk is full, the lock is not to be had, the file is damaged.
        """
        if self.read_only:
            message = f"{self.path} is opened for reading alone: {_READ_ONLY}."
            raise CollectionError(message)
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def compact(self) -> None:
        """Write the file anew without the bytes of what was deleted, and empty the log, which has them as well.

        Raises
        ------
        CollectionError
            The disk has no room for a second copy, or another process reads or writes for too long.
        """
        with explained(self.path), closing(self._open()) as connection:
            connection.execute("VACUUM")
            (in_the_way, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if in_the_way:
            message = (
                f"{self.path}-wal still has bytes of what was deleted, as another process was reading for too long: "
                "wait for it, or stop it, and remove again what was removed, which erases the rest."
            )
            raise CollectionError(message)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            connection = self._take()
            done = False
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
                done = True
            finally:
                if done:
                    self._give_back(connection)
                else:
                    connection.close()  # which takes back what was not committed

    def close(self) -> None:
        """Close idle connections now, and others when their transaction ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
