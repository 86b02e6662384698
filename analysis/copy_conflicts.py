"""Copies of one sound that have different labels: at most one of the labels is right of all, or the sound has two."""

from collections.abc import Mapping

import pandas as pd


def conflicting_groups(copies: pd.DataFrame, category_of: Mapping[str, str | None]) -> tuple[int, ...]:
    """Groups of copies whose videos have more than one category; those without a label contradict nobody.

    Parameters
    ----------
    copies
        ``analysis.duplicates.duplicate_groups``.
    category_of
        Category of a video by its id; None or missing where it has none.

    >>> copies = pd.DataFrame({"group": [1, 1, 2, 2], "id": ["a", "b", "c", "d"]})
    >>> conflicting_groups(copies, {"a": "food", "b": "travel", "c": "food", "d": None})
    (1,)
    """
    categories = copies["id"].map(category_of.get)
    counts = categories.groupby(copies["group"]).nunique()
    return tuple(int(group) for group in counts.index[counts > 1])
