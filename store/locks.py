"""The one lock of ingest, reembed, repair and migration."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quartzlens.errors import CollectionError, LockedError
from store import files, rules

LOCK = "ingest.lock"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds, or held, the lock of a collection."""

    pid: int
    started_at: str

    def __str__(self) -> str:
        """Itself in words."""
        return f"process {self.pid}, started {self.started_at}"


@contextmanager
def ingest_lock(folder: Path) -> Iterator[None]:
    """Hold the one lock of ingest, reembed, repair and migration. It goes with its process, however that ends.

    Raises
    ------
    LockedError
        Another process holds it; the message names its pid and when it started.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        message = f"{folder} cannot be locked: {error.strerror}. It must be there and writable for this user."
        raise CollectionError(message) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            found = _read(handle)
            message = f"{folder} is in use by {found or 'another process'}: wait until it is done, or stop it."
            raise LockedError(message) from error
        with suppress(OSError):  # on a full disk it is a lock without an entry
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"pid": os.getpid(), "started_at": rules.now()}).encode(), 0)
        yield
        with suppress(OSError):
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def lock_of_migration(folder: Path) -> Iterator[None]:
    """The lock while a catalog is brought up to date; a process that holds it already goes on with it.

    Raises
    ------
    LockedError
        Another process holds it.
    """
    now = holder(folder)
    if now is not None and now.pid == os.getpid():
        yield
        return
    with ingest_lock(folder):
        yield


def holder(folder: Path) -> Holder | None:
    """Who holds the lock of a collection, as far as its entry tells; None where that process has ended."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        found = _read(handle)
    finally:
        os.close(handle)
    return found if found is not None and files.is_alive(found.pid) else None


def _read(handle: int) -> Holder | None:
    """The entry of the lock's file; None where it may just be being written."""
    try:
        entry = json.loads(os.pread(handle, 1000, 0))
        return Holder(int(entry["pid"]), str(entry["started_at"]))
    except (ValueError, KeyError, TypeError):
        return None
