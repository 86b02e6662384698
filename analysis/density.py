"""How densely a map is filled, for maps of more points than can be drawn one by one."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 96
COLUMNS = ("left", "right", "bottom", "top", "n", "colour", "share")


def density(points: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Count points in a grid over their extent.

    Parameters
    ----------
    points
        ``x``, ``y``, and ``colour``: texts, or numbers (NaN: unknown).
    bins
        Cells along each side.

    Returns
    -------
    pandas.DataFrame
        One row for each cell that holds points: ``left``, ``right``, ``bottom``, ``top`` (its edges), ``n`` (points in
        it), ``colour`` (the most frequent text, of equals the first by name; of numbers their mean) and ``share`` (0..1
        of the points that have that text; 1 of numbers).
    """
    across, wide = _cells(points["x"].to_numpy(dtype=float), bins)
    up, high = _cells(points["y"].to_numpy(dtype=float), bins)
    cells = pd.DataFrame({"across": across, "up": up, "colour": points["colour"].to_numpy()})
    grouped = cells.groupby(["across", "up"], sort=True)["colour"]
    found = grouped.size().rename("n").reset_index()
    if cells["colour"].dtype == "float64":
        found["colour"], found["share"] = grouped.mean().to_numpy(), 1.0
    else:
        counts = cells.groupby(["across", "up", "colour"], sort=True).size().rename("most").reset_index()
        first = counts.sort_values("most", ascending=False, kind="stable").drop_duplicates(["across", "up"])
        found = found.merge(first, on=["across", "up"])
        found["share"] = found["most"] / found["n"]
    for name, edges, step in (("left", wide, "across"), ("bottom", high, "up")):
        found[name] = edges[0] + found[step] * edges[1]
    found["right"], found["top"] = found["left"] + wide[1], found["bottom"] + high[1]
    return found[list(COLUMNS)]


def _cells(values: NDArray[np.float64], bins: int) -> tuple[NDArray[np.int64], tuple[float, float]]:
    """Which cell each value is in, and where the first begins and how wide each is."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    width = (high - low) / bins or 1.0
    return np.minimum(((values - low) / width).astype(np.int64), bins - 1), (low, width)
