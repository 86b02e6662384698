"""Some of many, always the same."""

from collections.abc import Sequence

import numpy as np


def drawn(ids: Sequence[str], most: int) -> Sequence[str]:
    """All of ``ids`` where they are no more than ``most``, else a fixed (seeded) draw of so many, in any order.

    >>> drawn("abc", 3), sorted(drawn("abc", 2)) == sorted(drawn("abc", 2))
    ('abc', True)
    """
    if len(ids) <= most:
        return ids
    return [ids[i] for i in np.random.default_rng(0).choice(len(ids), most, replace=False)]
