"""A few worker processes of one kind for the threads that need one at a time."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.worker import Worker
from quartzlens.errors import QuartzlensError

T = TypeVar("T")

_CLOSE_SECONDS = 5.0
_KILL_AGAIN_SECONDS = 0.02


class ClosedError(QuartzlensError):
    """Work was asked for after the end."""


class Pool:
    """Lends workers to threads; those that are used last are lent first, and none starts before it is needed.

    Parameters
    ----------
    count
        How many workers there are at most.
    memory_bytes
        Limit of each, as in ``Worker``.
    """

    def __init__(self, count: int, memory_bytes: int | None) -> None:
        self._idle = [Worker(memory_bytes) for _ in range(count)]
        self._busy: set[Worker] = set()
        self._closed = False
        self._changed = threading.Condition()

    def call(self, function: Callable[..., T], *args: Any, timeout_seconds: float) -> T:
        """Run ``function(*args)`` in the next worker that is free, as ``Worker.call`` does; the wait for it is free.

        Raises ClosedError after ``close``, also where that came while the call waited for a worker.
        """
        worker = self._borrow()
        try:
            return worker.call(function, *args, timeout_seconds=timeout_seconds)
        finally:
            self._give_back(worker)

    def close(self) -> None:
        """End all workers at once, whatever they are doing; calls that run fail, and no later one starts another."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            until = time.monotonic() + _CLOSE_SECONDS
            while self._busy and time.monotonic() < until:
                for worker in self._busy:
                    _kill(worker)
                self._changed.wait(_KILL_AGAIN_SECONDS)
            for worker in self._idle:
                worker.close()

    def _borrow(self) -> Worker:
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._closed)
            if self._closed:
                raise ClosedError("the workers were ended")
            worker = self._idle.pop()
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            self._busy.discard(worker)
            self._idle.append(worker)
            self._changed.notify_all()


def _kill(worker: Worker) -> None:
    """Kill a worker that a thread is waiting for: that thread notices, and collects it.

    Closing it from here would take the connection from under the waiting thread.
    """
    pid = worker.pid
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
