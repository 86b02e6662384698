"""One at a time: waiting for one's turn in such a way that a person can see the wait and end it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.2


@contextmanager
def turn(
    lock: threading.Lock, waits: Callable[[], object], begins: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Hold a lock for as long as the block lasts.

    ``waits`` is called again and again while somebody else holds it; what it raises ends the wait. ``begins`` is called
    when the turn has come.
    """
    while not lock.acquire(timeout=_LOOK_SECONDS):
        waits()
    try:
        begins()
        yield
    finally:
        lock.release()
