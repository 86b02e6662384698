"""What a page looks up once: the same for all of a page, anew for the next one and outside of pages."""

import threading
from itertools import count

import pytest

from dashboard import once


def test_a_page_looks_up_once_and_the_next_one_anew() -> None:
    """Within a page every call gives the first answer; the next page, also after an error, asks again."""
    numbers = count()
    look = once.each_page(lambda: next(numbers))
    with pytest.raises(RuntimeError, match="of the page"), once.page():
        assert [look(), look()] == [0, 0]
        raise RuntimeError("of the page")
    with once.page():
        assert [look(), look()] == [1, 1]
    assert [look(), look()] == [2, 3]


def test_what_failed_is_looked_up_again() -> None:
    """An error is raised and not remembered: what comes to be while a page is drawn is found."""
    answers = iter([KeyError("not yet"), "there"])

    def answer() -> str:
        found = next(answers)
        if isinstance(found, KeyError):
            raise found
        return str(found)

    look = once.each_page(answer)
    with once.page():
        with pytest.raises(KeyError):
            look()
        assert look() == "there"


def test_pages_of_two_browsers_look_up_for_themselves() -> None:
    """A page that another thread draws at the same time has its own answers."""
    numbers, told = count(), list[int]()
    look = once.each_page(lambda: next(numbers))

    def other() -> None:
        with once.page():
            told.append(look())

    with once.page():
        assert look() == 0
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert look() == 0
    assert told == [1]
