"""Where the vectors of an index come from: the video of each and, for fragments, its number in the video."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class What(StrEnum):
    """What an index holds a vector of each: whole videos, or fragments."""

    VIDEOS = "videos"
    FRAGMENTS = "fragments"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The video (its number in the catalog) and fragment of each vector: ``owners`` (n,) int64, ``numbers`` (n,) int32.

    In the order of videos, then of time. Of a whole video the number is 0.
    """

    owners: NDArray[np.int64]
    numbers: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.owners)

    def at(self, positions: NDArray[np.int64]) -> "Places":
        """Those at these positions, in their order."""
        return Places(self.owners[positions], self.numbers[positions])

    @property
    def order(self) -> NDArray[np.int64]:
        """Positions in the order of videos, then of time."""
        return np.lexsort((self.numbers, self.owners))


def joined(parts: "list[Places]") -> Places:
    """Places under one another."""
    return Places(
        np.concatenate([np.empty(0, np.int64), *(part.owners for part in parts)]),
        np.concatenate([np.empty(0, np.int32), *(part.numbers for part in parts)]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some of the vectors kept: ``matrix`` (n, d) float32, as kept, not normalised."""

    places: Places
    matrix: NDArray[np.float32]
