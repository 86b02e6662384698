"""An index as it was at one revision of the embeddings: unchanging segments, and which of their vectors still count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import faiss
import numpy as np
from numpy.typing import NDArray

from store import kinds, vectors
from store.places import Places, joined
from store.segment import Hit, Kept, Mask, Segment


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Segments, of which the first is the one that is kept on disk; what came later is in the others.

    Attributes
    ----------
    revision, made
        The embedding revisions that it shows, and that its first segment shows.
    counting
        For each segment which of its vectors still count, (n,); None where all do.
    chosen
        Whether a person chose the first segment's kind.
    recall
        As measured when the first segment was made.
    """

    revision: int
    made: int
    segments: tuple[Segment, ...]
    counting: tuple[Mask, ...]
    chosen: bool = False
    recall: float = 1.0

    def __len__(self) -> int:
        return sum(_count(segment, mask) for segment, mask in zip(self.segments, self.counting, strict=True))

    @property
    def astray(self) -> int:
        """How many vectors are not in the first segment, or are there in vain."""
        first, *later = self.segments
        return len(first) - _count(first, self.counting[0]) + sum(map(len, later))

    def search(
        self, queries: NDArray[np.float32], k: int, within: NDArray[np.int64] | None, kept: Kept
    ) -> list[list[Hit]]:
        """The nearest of each query (q, d) float32, best first, ties in the order of videos and of time.

        ``within`` holds the numbers of the videos that may be found; with it the answer is exact in every kind.
        """
        rows = vectors.normalised(queries)
        answers: list[list[Hit]] = [[] for _ in rows]
        for segment, allowed in self._allowed(within):
            found = segment.nearest(rows, k, allowed, kept, segment.effort if within is None else 0)
            answers = [[*before, *more] for before, more in zip(answers, found, strict=True)]
        return [sorted(hits, key=lambda hit: (-hit[0], hit[1], hit[2]))[:k] for hits in answers]

    def _allowed(self, within: NDArray[np.int64] | None) -> Iterator[tuple[Segment, Mask]]:
        most = max((int(segment.places.owners[-1]) for segment in self.segments if len(segment)), default=0)
        wanted = None
        if within is not None:
            wanted = np.zeros(most + 1, dtype=bool)
            wanted[within[within <= most]] = True
        for segment, mask in zip(self.segments, self.counting, strict=True):
            if wanted is None:
                yield segment, mask
            else:
                chosen = wanted[segment.places.owners]
                yield segment, chosen if mask is None else chosen & mask

    def changed(self, revision: int, segment: Segment | None, gone: NDArray[np.int64]) -> "Snapshot":
        """The snapshot of a later revision: ``gone`` are the videos whose vectors here count no more."""
        counting = tuple(_without(one, mask, gone) for one, mask in zip(self.segments, self.counting, strict=True))
        added = () if segment is None else (segment,)
        parts = [*zip(self.segments, counting, strict=True), *((one, None) for one in added)]
        # Put together as long as the last is not far smaller, there are never many.
        while len(parts) > 2 and _together(parts[-2][0], parts[-1][0]):
            parts[-2:] = [(_joined(parts[-2:]), None)]
        segments, masks = zip(*parts, strict=True)
        return replace(self, revision=revision, segments=segments, counting=masks)


def _count(segment: Segment, mask: Mask) -> int:
    return len(segment) if mask is None else int(np.count_nonzero(mask))


def _without(segment: Segment, mask: Mask, gone: NDArray[np.int64]) -> Mask:
    owners = segment.places.owners
    # Both are sorted, so the few that went are found by halving.
    starts, ends = np.searchsorted(owners, gone, "left"), np.searchsorted(owners, gone, "right")
    if not (ends > starts).any():
        return mask
    left = np.ones(len(owners), dtype=bool) if mask is None else mask.copy()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        left[start:end] = False
    return left


def _together(before: Segment, last: Segment) -> bool:
    flat = before.centre is None and last.centre is None
    return flat and len(before) < 4 * len(last) and len(before) + len(last) <= kinds.MOST_FLAT


def _joined(parts: Sequence[tuple[Segment, Mask]]) -> Segment:
    """One flat segment with what still counts of several, in the order of places."""
    rows, places = [], []
    for segment, mask in parts:
        at = np.arange(len(segment)) if mask is None else np.flatnonzero(mask)
        rows.append(segment.index.reconstruct_batch(at))
        places.append(segment.places.at(at))
    every = joined(places)
    order = every.order
    index = faiss.IndexFlatIP(parts[0][0].index.d)
    index.add(np.concatenate(rows)[order])
    return Segment("f32", Places(every.owners[order], every.numbers[order]), index)
