"""A change that is killed in its middle: made by a process of its own that kills itself at a given line of code."""

import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from store.base import Store
from store.local import LocalStore
from store.milvus_folder import INSTALL
from tests.store.things import axis, ok

FORKS = multiprocessing.get_context("forkserver")
# So that a process is there in milliseconds, with everything imported and no thread of its own yet.
FORKS.set_forkserver_preload(
    ["tests.store.crashing", "tests.store.things", "store.milvus", "pymilvus", "milvus_lite.db"]
)
HAS_MILVUS = all(importlib.util.find_spec(name) for name in ("pymilvus", "milvus_lite"))
NO_MILVUS = f"Milvus Lite is not installed (it needs faiss-cpu, so not beside faiss-gpu): {INSTALL}"
_TRACED = (f"{os.sep}store{os.sep}", f"{os.sep}milvus_lite{os.sep}")


def open_local(folder: Path) -> Store:
    """The store in a folder."""
    return LocalStore(folder)


def open_milvus(folder: Path) -> Store:
    """The store in Milvus Lite."""
    from store.milvus import MilvusStore

    return MilvusStore(str(folder / "milvus"))


def killed_at(line: int, opened: Callable[[Path], Store], folder: Path, method: str, *args: Any, **named: Any) -> bool:
    """Whether a change was ended by SIGKILL at its ``line``-th line of the store's or of Milvus Lite's own code.

    It is killed in whatever thread comes to that line; a change that has fewer lines is made whole.
    """
    process = FORKS.Process(target=_change, args=(line, opened, folder, method, args, named))
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0


def _change(
    line: int, opened: Callable[[Path], Store], folder: Path, method: str, args: tuple[Any, ...], named: dict[str, Any]
) -> None:
    left = line
    counting = False

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if not any(part in frame.f_code.co_filename for part in _TRACED):
            return None
        if counting and event == "line":
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    threading.settrace(trace)  # Milvus Lite answers in threads
    store = opened(folder)
    sys.settrace(trace)
    counting = True
    getattr(store, method)(*args, **named)
    counting = False
    os._exit(0)  # acknowledged, and gone without closing anything


def commit_for_ever(said: Connection, uri: str, names: Sequence[str], turn: int) -> None:
    """Commit each video again and again, with the number of the turn in its embedding; say what was acknowledged."""
    from store.milvus import MilvusStore

    store = MilvusStore(uri)
    while True:
        for name in names:
            store.commit([ok(name, [turn, *axis(1)[1:]])])
            said.send((name, turn))
        turn += 1
