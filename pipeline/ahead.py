"""Prepare the next things while this one is being worked on."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def ahead(function: Callable[[In], Out], inputs: Iterable[In], size: int = 2) -> Generator[tuple[In, Out], None, None]:
    """Pairs of (input, function(input)) in order, of which at most ``size`` are computed ahead, each in a thread.

    As many threads as results, so that one that waits for something of its own holds up no other. What the function
    raises is raised here, at its turn. Closing the generator leaves undone what has not begun.

    >>> list(ahead(str.upper, ["a", "b"]))
    [('a', 'A'), ('b', 'B')]
    """
    pool = ThreadPoolExecutor(size, thread_name_prefix="ahead")
    begun: deque[tuple[In, Future[Out]]] = deque()
    try:
        for one in inputs:
            begun.append((one, pool.submit(function, one)))
            if len(begun) >= size:
                yield _first(begun)
        while begun:
            yield _first(begun)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _first(begun: deque[tuple[In, Future[Out]]]) -> tuple[In, Out]:
    """The oldest of what was begun; the result is kept nowhere else."""
    one, future = begun.popleft()
    return one, future.result()
