"""Connections to a catalog's file, also for those who may read it and not write beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quartzlens.errors import CollectionError
from store.advice import is_busy

BUSY_SECONDS = 30.0
_Facts = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, and where SQLite was told that the file does not change, what it was before it was opened."""

    connection: sqlite3.Connection
    path: Path
    before: _Facts | None = None

    def close(self) -> None:
        """End what is under way.

        Raises
        ------
        CollectionError
            A file that was not to change did: whatever was read of it may be half of one state and half of another.
        """
        self.connection.close()
        # SQLite writes a log first: until that is read into the file, the file is one whole state.
        if self.before is not None and _facts(self.path) != self.before:
            message = f"{self.path} was being written while it was read: try again."
            raise CollectionError(message)


def connected(path: Path, mode: str, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection for any thread, without transactions of Python's own; ``mode`` as in SQLite's URIs."""
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )


def to_read(path: Path, busy_seconds: float = BUSY_SECONDS) -> Opened:
    """A connection that only reads. Raises sqlite3.DatabaseError where the file cannot be read.

    A WAL database needs helper files; in a folder that cannot be written it is declared unchanging. Such a connection
    notices nothing that others write: it is for one look, not to be kept.
    """
    connection = connected(path, "ro", busy_seconds)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        before = _facts(path)
        # With a log beside it "unchanging" would hide what the log holds.
        if before is None or not isinstance(error, sqlite3.OperationalError) or is_busy(error) or _has_log(path):
            raise
        return Opened(connected(path, "ro&immutable=1", busy_seconds), path, before)
    return Opened(connection, path)


@contextmanager
def reader(path: Path, busy_seconds: float = BUSY_SECONDS) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, whatever version the catalog is of, for one look.

    Raises
    ------
    sqlite3.DatabaseError
        The file cannot be read.
    CollectionError
        It was being written while it was read, by a user who may not write beside it.
    """
    opened = to_read(path.resolve(), busy_seconds)
    try:
        yield opened.connection
    finally:
        opened.close()


def which(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name, whatever is written to it; None where there is none."""
    facts = _facts(path)
    return facts and facts[:2]


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _facts(path: Path) -> _Facts | None:
    """What tells a file from what it was before a write; None where there is none."""
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    return None
