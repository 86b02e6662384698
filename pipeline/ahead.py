"""Prepare the next things while this one is being worked on."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def ahead(function: Callable[[In], Out], inputs: Iterable[In], size: int = 2) -> Generator[tuple[In, Out], None, None]:
    """Pairs of (input, function(input)) in order, computed in one thread that is at most ``size`` results ahead.

    What the function raises is raised here, at its turn. Closing the generator ends the thread after its current call.

    >>> list(ahead(str.upper, ["a", "b"]))
    [('a', 'A'), ('b', 'B')]
    """
    results: queue.Queue[tuple[In, Out] | BaseException | None] = queue.Queue(maxsize=size)
    stopped = threading.Event()

    def offer(result: tuple[In, Out] | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                results.put(result, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for one in inputs:
                if stopped.is_set():
                    return
                offer((one, function(one)))
            offer(None)
        except BaseException as error:  # noqa: BLE001 -- carried over to the thread that asked
            offer(error)

    threading.Thread(target=work, name="ahead", daemon=True).start()
    try:
        while (result := results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stopped.set()
