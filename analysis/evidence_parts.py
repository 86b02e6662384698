"""One video in two categories: the division of its seconds that explains them best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Stretch = tuple[float, float]
LEAST_SECONDS = 8.0
"""What each of two categories must at least have: two fragments, of which the last may be a short one."""
LEAST_SHARE = 0.02
"""A fragment speaks against a category as this probability at most: one that is sure and wrong does not decide."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A video divided into one stretch and the rest, each of a category of its own.

    Attributes
    ----------
    stretch, stretch_category, stretch_share
        The seconds, their category, and its mean probability there.
    rest_category, rest_share
        The same of all other seconds.
    gain
        How much more probable the fragments are divided so than as any single category: a difference of log
        probabilities, each fragment of 5 s counted once (shorter ones in part). Negative where one category explains
        them better.
    """

    stretch: Stretch
    stretch_category: str
    stretch_share: float
    rest_category: str
    rest_share: float
    gain: float

    def __str__(self) -> str:
        start, end = map(clock, self.stretch)
        return (
            f"{start} to {end} sound like {self.stretch_category} ({self.stretch_share:.2f}), "
            f"the rest like {self.rest_category} ({self.rest_share:.2f})"
        )


def best_parted(shares: NDArray[np.float64], bounds: NDArray[np.float64], categories: Sequence[str]) -> Parted | None:
    """Find the stretch of one category in a rest of another that explains the fragments best.

    Every contiguous stretch is tried, at an end or in the middle, and the two most probable categories for it and for
    the rest, which must differ (a likelihood ratio of a change point).

    Parameters
    ----------
    shares
        (f, k) probabilities of the fragments in order of time; bounds (f, 2) are their seconds.

    Returns
    -------
    Parted or None
        None where the video cannot be divided into two parts of ``LEAST_SECONDS``.
    """
    seconds = np.maximum(bounds[:, 1] - bounds[:, 0], 0.0)
    logs = np.log(np.maximum(shares, LEAST_SHARE)) * (seconds / 5.0)[:, None]
    sums, lengths = _summed(logs), _summed(seconds)
    starts, ends = np.triu_indices(len(seconds) + 1, 1)
    inside = lengths[ends] - lengths[starts]
    enough = (inside >= LEAST_SECONDS) & (lengths[-1] - inside >= LEAST_SECONDS)
    if not enough.any() or len(categories) < 2:
        return None
    starts, ends = starts[enough], ends[enough]
    of_stretch = sums[ends] - sums[starts]
    both = of_stretch[:, :, None] + (sums[-1] - of_stretch)[:, None, :]
    both[:, np.arange(len(categories)), np.arange(len(categories))] = -np.inf
    at, inner, outer = map(int, np.unravel_index(int(both.argmax()), both.shape))
    chosen = np.zeros(len(seconds), dtype=bool)
    chosen[starts[at] : ends[at]] = True
    return Parted(
        (float(bounds[starts[at], 0]), float(bounds[ends[at] - 1, 1])),
        categories[inner],
        float(np.average(shares[chosen, inner], weights=seconds[chosen])),
        categories[outer],
        float(np.average(shares[~chosen, outer], weights=seconds[~chosen])),
        float(both.max() - sums[-1].max()),
    )


def _summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the first 0, 1, ... f rows."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


def clock(seconds: float) -> str:
    """Minutes and whole seconds, cut off as a player shows them.

    >>> clock(75.9)
    '1:15'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
