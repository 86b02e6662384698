"""What two runs kept together, and into which folds they dealt it."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.runs import read_table
from analysis.splits import numbered
from quartzlens.records import Run

Names: TypeAlias = NDArray[np.object_]


def kept_folds(run: Run, ids: Sequence[str]) -> tuple[Names, Names] | None:
    """Group and fold of these videos as a run kept them; None of a run that is older than this."""
    if "folds.parquet" not in run.files:
        return None
    table = read_table(run, "folds.parquet").astype({"id": str}).set_index("id").loc[list(ids)]
    return table["group"].to_numpy(dtype=object), table["fold_1"].to_numpy(dtype=object)


def joined(first: Names, second: Names) -> Names:
    """Groups that hold together whatever either of two groupings does: (n,) each."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    (names, one), (others, other) = numbered(first), numbered(second)
    total = len(names) + len(others)
    ties = coo_array((np.ones(len(one)), (one, len(names) + other)), shape=(total, total))
    return np.asarray(connected_components(ties, directed=False)[1][one].astype(str), dtype=object)


def dealt_apart(folds: Sequence[Names]) -> Iterator[str]:
    """Whether two runs dealt the videos that both judged into different folds, in a sentence."""
    if len(folds) == 2 and len(set(zip(*folds, strict=True))) > max(len(set(one)) for one in folds):
        yield "Their folds differ: quartzlens evaluate --after ID deals as an earlier run did."
