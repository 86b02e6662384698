"""Embeddings that are the same, as equal samples give them: all by which copies of a single fragment can be known."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Fingerprint
from store.base import Store
from store.vectors import finite, normalised, similarities

SAME = 0.99999
"""Cosine of two embeddings of the same samples: in other company an encoder may differ in their last digits."""
AT_ONCE = 512
_MARGIN = 1e-5
"""By how much a product in single precision may be off, and more."""


def same_embeddings(store: Store, fingerprint: Fingerprint, ids: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Find which of these videos have the same embedding: a cosine of ``SAME`` or more.

    Zeros are like none, damaged ones neither. Time grows with n * n * d, memory by two embeddings and 2 KB a video.

    Yields
    ------
    tuple
        The positions of a video and of one before it in ``ids``, and their cosine: not all such pairs, but as many as
        join what any of them ties together, also through a chain.
    """
    found = store.embeddings(fingerprint, ids)
    row_of = {found.ids[row]: row for row in np.flatnonzero(finite(found.matrix))}
    there = [at for at, video_id in enumerate(ids) if video_id in row_of]
    unit = normalised(found.matrix[[row_of[ids[at]] for at in there]])
    for one, other, cosine in _same_rows(unit):
        yield there[one], there[other], cosine


def _same_rows(unit: NDArray[np.float32]) -> Iterator[tuple[int, int, float]]:
    """The same of the rows of (n, d) float32, L2-normalised."""
    group_of = np.arange(len(unit))
    for start in range(0, len(unit), AT_ONCE):
        stop = start + AT_ONCE
        for row, nearness in enumerate(unit[start:stop] @ unit[:stop].T, start):
            near = np.flatnonzero(nearness[:row] >= SAME - _MARGIN)
            near = near[np.argsort(-nearness[near], kind="stable")]
            for other in near[np.unique(group_of[near], return_index=True)[1]]:
                cosine = float(similarities(unit[other][None], unit[row])[0])
                if cosine >= SAME:
                    yield row, int(other), cosine
                    group_of[group_of == group_of[other]] = row
