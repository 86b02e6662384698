"""Which points of a plane lie within a line that was drawn around them."""

import numpy as np
from numpy.typing import NDArray


def within(places: NDArray[np.float64], outline: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points lie within a closed line, by the even-odd rule (Shimrat 1962, doi:10.1145/368637.368653).

    Where the line crosses itself, what it goes around twice is outside.

    Parameters
    ----------
    places
        (n, 2) float64.
    outline
        (m, 2) float64: its corners; the last is joined to the first. With fewer than three nothing is inside.

    Returns
    -------
    numpy.ndarray
        (n,) bool.

    >>> within(np.array([[1.0, 1.0], [3.0, 1.0]]), np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]))
    array([ True, False])
    """
    inside = np.zeros(len(places), dtype=bool)
    if len(outline) <= 2:
        return inside
    near = ((places >= outline.min(axis=0)) & (places <= outline.max(axis=0))).all(axis=1)
    x, y = places[near].T
    found = np.zeros(len(x), dtype=bool)
    for (left, low), (right, high) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if low != high:
            crossed = ((low > y) != (high > y)) & (x < (right - left) * (y - low) / (high - low) + left)
            found ^= crossed
    inside[near] = found
    return inside
