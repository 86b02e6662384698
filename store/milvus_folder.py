"""Folders of Milvus Lite: each is open once in a process, and in one process at a time."""

import fcntl
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from quartzlens.errors import CollectionError

INSTALL = "pip install -c constraints.txt -e '.[milvus]'"


@dataclass(slots=True)
class Lite:
    """A folder of Milvus Lite that this process has open."""

    address: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: int = 0


_open_here: dict[Path, Lite] = {}
_opening = threading.Lock()


def take(path: Path) -> Lite:
    """Open a folder of Milvus Lite, or use the one that this process has open."""
    try:
        from milvus_lite.server_manager import server_manager_instance as manager
    except ImportError as error:
        message = f"{path}: milvus-lite is not installed, or not beside faiss-gpu: {INSTALL}."
        raise CollectionError(message) from error
    with _opening:
        if path not in _open_here:
            _refuse_others(path)
            address = manager.start_and_get_uri(str(path))
            if address is None:
                message = f"{path} cannot be opened by Milvus Lite: it must be a folder that this user can write to."
                raise CollectionError(message)
            _open_here[path] = Lite(address)
        lite = _open_here[path]
        lite.users += 1
        return lite


def _refuse_others(path: Path) -> None:
    """Raise CollectionError where another process has the folder open; Milvus Lite would only fail."""
    try:
        handle = os.open(path / "LOCK", os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = (
            f"{path} is open in another process, and Milvus Lite lets in one at a time: close that one "
            "(a dashboard, an ingest), or share the collection by a Milvus server."
        )
        raise CollectionError(message) from error
    finally:
        os.close(handle)


def give_back(path: Path) -> None:
    """Let go of a folder; the last one to do so closes it."""
    from milvus_lite.server_manager import server_manager_instance as manager

    with _opening:
        lite = _open_here[path]
        lite.users -= 1
        if not lite.users:
            del _open_here[path]
            manager.release_server(str(path))
