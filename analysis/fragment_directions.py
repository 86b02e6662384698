"""The directions in which fragments of a collection differ most."""

import numpy as np
from numpy.typing import NDArray

MOST, FLOOR = 128, 0.1

Floats = NDArray[np.float32]


class Directions:
    """The widest directions of some fragments (f, d), each made about equally wide: (., d) -> (., p) float32.

    A floor keeps the narrowest ones, which hold the noise of encodings, from being blown up.
    """

    def __init__(self, matrix: Floats) -> None:
        wide = matrix.astype(np.float64)
        self._mean = wide.mean(axis=0) if len(wide) else np.zeros(wide.shape[1])
        wide -= self._mean
        values, vectors = np.linalg.eigh(wide.T @ wide / max(len(wide), 1))
        n = max(1, min(MOST, len(wide) - 1, len(values)))
        floor = FLOOR * values.sum() / n + np.finfo(np.float32).tiny
        self._turn = vectors[:, -n:] / np.sqrt(np.maximum(values[-n:], 0.0) + floor)

    def __call__(self, matrix: Floats) -> Floats:
        """Fragments as these directions show them."""
        turned: Floats = ((matrix - self._mean) @ self._turn).astype(np.float32)
        return turned
