"""Whose turn it is to ask a site: that of who has waited longest."""

import threading

import pytest

from pipeline.asking import Turn


def test_turns_are_taken_in_the_order_of_asking() -> None:
    """Of many threads that wait none overtakes another, however long each takes."""
    turn, taken, threads = Turn(), list[int](), list[threading.Thread]()

    def take(number: int) -> None:
        """Wait for a turn, and note it."""
        with turn:
            taken.append(number)

    with turn:
        for number in range(20):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(turn._waiting) < number + 2:
                pass
    for thread in threads:
        thread.join(30)
    assert taken == list(range(20))


def test_who_gives_up_waiting_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interrupt the turn goes to the next."""
    turn = Turn()

    def interrupt(*_: object) -> None:
        """As Ctrl-C does."""
        raise KeyboardInterrupt

    with turn, monkeypatch.context() as patch:
        patch.setattr(turn._changed, "wait_for", interrupt)
        with pytest.raises(KeyboardInterrupt), turn:
            pass
    with turn:
        assert len(turn._waiting) == 1
    assert not turn._waiting
