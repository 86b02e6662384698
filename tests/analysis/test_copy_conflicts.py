"""Copies of one sound with different labels."""

import doctest

import pandas as pd

from analysis import copy_conflicts
from analysis.copy_conflicts import conflicting_groups
from analysis.duplicates import no_copies


def test_only_groups_of_two_categories_conflict() -> None:
    """A group of two categories is in conflict; one of a single category, or of one and no label, is not."""
    copies = pd.DataFrame({"group": [1, 1, 2, 2, 3, 3, 3], "id": list("abcdefg")})
    category_of = {"a": "food", "b": "food", "c": "food", "e": "food", "f": None, "g": "travel"}
    assert conflicting_groups(copies, category_of) == (3,)


def test_without_copies_nothing_conflicts() -> None:
    """An empty table has no groups."""
    assert conflicting_groups(no_copies(), {"a": "food"}) == ()


def test_the_example_holds() -> None:
    """The example in the docstring gives what it says."""
    assert doctest.testmod(copy_conflicts).failed == 0
