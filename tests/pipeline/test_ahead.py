"""Working ahead: order kept, errors carried over, no work beyond what was asked."""

import threading
import time

import pytest

from pipeline.ahead import ahead


def test_results_come_in_the_order_of_the_inputs() -> None:
    """Pairs of input and result arrive in order."""
    assert list(ahead(lambda n: n * n, range(50))) == [(n, n * n) for n in range(50)]


def test_an_error_is_raised_at_its_turn() -> None:
    """Results before the failing one still arrive."""
    arrived = []
    with pytest.raises(ZeroDivisionError):
        for _, result in ahead(lambda n: 6 // n, [3, 2, 0, 1]):
            arrived.append(result)
    assert arrived == [2, 3]


def test_one_that_waits_holds_up_no_other() -> None:
    """While the first result is waited for, the next are computed, but never more than was asked for."""
    go, begun = threading.Event(), []

    def first_waits(n: int) -> int:
        begun.append(n)
        if n == 0:
            assert go.wait(20)
        elif n == 2:
            go.set()
        return n

    results = ahead(first_waits, range(100), size=3)
    assert next(results)[1] == 0
    assert sorted(begun) == [0, 1, 2]
    results.close()


def test_closing_ends_the_work() -> None:
    """Who stops listening stops the work after at most the results that were ahead."""
    calls = []
    results = ahead(lambda n: calls.append(n), range(1000), size=2)
    next(results)
    results.close()
    until = time.monotonic() + 10
    while any(thread.name.startswith("ahead") for thread in threading.enumerate()) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(calls) <= 5
