"""Numbers in words."""

import doctest

from quartzlens import figures


def test_the_examples_hold() -> None:
    """Plurals, percentages, nearness and rows are written as the examples of the functions say."""
    found = doctest.testmod(figures)
    assert (found.failed, found.attempted) == (0, 5)
