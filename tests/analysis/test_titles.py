"""Finding videos by words of their titles."""

import doctest

from analysis import titles
from analysis.titles import titled
from quartzlens.records import Video

VIDEOS = [
    Video("a", "/a", title="The old abbey in the rain"),
    Video("b", "/b", title="Abbeys"),
    Video("c", "/c", title="RAIN on the Ábbey roof"),
    Video("d", "/d", title=""),
]


def test_all_words_must_be_there() -> None:
    """Every word or its beginning is in the title, whatever case and accents; the fullest comes first."""
    assert titled(VIDEOS, "abbey") == ("b", "c", "a")
    assert titled(VIDEOS, "abbey rain") == ("c", "a")
    assert titled(VIDEOS, "bbey") == ()


def test_nothing_asked_finds_nothing() -> None:
    """Without a word, such as for marks alone, nothing is found."""
    assert titled(VIDEOS, "") == titled(VIDEOS, "  *() ") == ()


def test_the_example_holds() -> None:
    """The example in the docstring gives what it says."""
    assert doctest.testmod(titles).failed == 0
