"""Files that are written whole or not at all, and that outlive a power cut."""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

_LEFT = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.tmp", re.DOTALL)


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Raw(RawIOBase):
    """A new file whose every write is a call of ``os.write``."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._handle

    def write(self, content: bytes | memoryview) -> int:  # type: ignore[override]
        return os.write(self._handle, content)

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._handle)


def _new(path: Path) -> BinaryIO:
    raw: Any = _Raw(path)
    return BufferedWriter(raw)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk; its name may still be lost (``sync_folder``)."""
    with _new(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Wait until what was written to a file is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copied(path: Path, target: Path) -> None:
    """Copy a file, durable, its time of change with it; its name may still be lost (``sync_folder``)."""
    shutil.copyfile(path, target)
    shutil.copystat(path, target)
    sync_file(target)


def linked(path: Path, target: Path) -> None:
    """A second name for a file that is never changed in place, or a copy where the disk has no second names."""
    try:
        target.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        copied(path, target)


def aside(path: Path) -> Path:
    """A hidden name beside ``path`` that no other writer uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def asides(path: Path) -> list[Path]:
    """What lies beside ``path`` under a name of ``aside`` for it."""
    found = (one for one in path.parent.glob(".*.tmp") if _LEFT.fullmatch(one.name))
    return sorted(one for one in found if one.name.rsplit(".", 2)[0] == f".{path.name}")


def is_left(path: Path) -> bool:
    """Whether a name is one of ``aside`` whose process has ended: nobody will finish what lies there."""
    found = _LEFT.fullmatch(path.name)
    return found is not None and not is_alive(int(found[1]))


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number on this machine."""
    return Path(f"/proc/{pid}").exists()


def erase(path: Path) -> None:
    """Delete a file, or a folder with all that is in it; one that is gone already is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Delete what is of no use any more; where that fails it stays, and a repair finds it."""
    with suppress(OSError):
        erase(path)


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, as ``replacing`` does."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, put at ``path`` at the end: a reader, or a crash, sees the old file or the new one, whole.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written; the old file is untouched.
    """
    temporary = aside(path)
    try:
        with _new(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        forget(temporary)
    sync_folder(path.parent)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a short lock on the folder itself, so that two processes do not make the same thing; waits for its turn."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
