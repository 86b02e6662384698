"""What to do about what can be expected to go wrong with a catalog's file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quartzlens.errors import CollectionError

READ_ONLY = "the catalog cannot be written: make the folder and its files writable for this user"
_FULL = "the disk is full: free some space and run the same command again; everything committed is kept"
_BUSY = "another process was writing for too long: wait for it, or stop it, and try again"
_DAMAGED = (
    "the catalog is damaged: restore catalog.sqlite from a backup, or move the folder away and ingest the list again "
    "(the files in media are not affected)"
)
_NO_ACCESS = "the disk or the file's permissions do not let the catalog be read or written: check both"

_ADVICE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # the memory that processes share is a file as well
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _NO_ACCESS,
    sqlite3.SQLITE_IOERR: _NO_ACCESS,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}  # a bad sector: the rest can be read
_PRIMARY_CODE = 0xFF  # the low byte of SQLite's extended error codes


@contextmanager
def explained(path: Path, *, damage: bool = True) -> Iterator[None]:
    """Turn what can be expected to go wrong with a database file into a CollectionError that says what to do.

    Mistakes in our own SQL (IntegrityError, ProgrammingError) pass as they are; so does damage where ``damage`` is
    false, for those who look for it.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        advice = _advice(error)
        if advice is None or not (damage or is_in_the_way(error)):
            raise
        message = f"{path}: {advice} ({error})."
        raise CollectionError(message) from error


def _code(error: sqlite3.DatabaseError) -> int | None:
    return getattr(error, "sqlite_errorcode", None)  # absent where Python itself raised


def _advice(error: sqlite3.DatabaseError) -> str | None:
    code = _code(error)
    return None if code is None else _ADVICE.get(code, _ADVICE.get(code & _PRIMARY_CODE))


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Whether another process is in the way, and nothing else."""
    return _advice(error) == _BUSY


def is_full(error: sqlite3.DatabaseError) -> bool:
    """Whether there was no room on some disk."""
    return _advice(error) == _FULL


def is_in_the_way(error: sqlite3.DatabaseError) -> bool:
    """Whether rights, the disk or another process keep from the file, which tells nothing of what it holds."""
    return _code(error) not in _UNREADABLE and _advice(error) not in {None, _DAMAGED}
