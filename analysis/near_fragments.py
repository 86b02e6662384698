"""Nearest fragments: the seconds that sound most like a video, a moment, or anything else."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.neighbours import SAMPLE_VIDEOS, Query, percentile, resolved
from quartzlens.records import Fingerprint, Neighbour, Video, Words
from store.base import Store
from store.vectors import normalised

COLUMNS = (
    "id",
    "title",
    "category",
    "channel",
    "start_seconds",
    "end_seconds",
    "heard",
    "probability",
    "thumbnail_file",
    "similarity",
    "percentile",
)
_NUMBERS = ("start_seconds", "end_seconds", "probability", "similarity", "percentile")


def fragments_near(
    store: Store,
    fingerprint: Fingerprint,
    query: Query,
    k: int,
    within: Collection[str] | None = None,
    *,
    leave_out: Collection[str] = (),
    pairs: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Find the nearest fragments of a video of the collection, of a moment of one, or of any embedding.

    Parameters
    ----------
    query, k, within, leave_out
        As for ``analysis.neighbours.neighbours_of``; no fragment of the query's own video is found.
    pairs
        What ``fragment_pair_similarities`` gave, for callers that keep it.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title``, ``category``, ``channel`` of the video (None where unknown); ``start_seconds``,
        ``end_seconds`` of the fragment; ``heard``, the words (None where nobody listened, unsure where somebody did),
        and their ``probability``; ``thumbnail_file`` (None: no picture is kept); ``similarity`` (cosine);
        ``percentile``: the share of pairs of fragments of different videos that are less similar, 0..100 (NaN where
        there is no pair). Best first.

    Raises
    ------
    UnknownVideoError, UsageError
        As for ``analysis.neighbours.neighbours_of``.
    """
    vector, own = resolved(store, fingerprint, query, k)
    left = {*leave_out, *own}
    spare = len(store.fragments(fingerprint, left).ids) if left else 0
    found = store.search(fingerprint, vector[None, :], k + spare, within=within, fragments=True)[0]
    found = [neighbour for neighbour in found if neighbour.video_id not in left][:k]
    ids = {neighbour.video_id for neighbour in found}
    videos, heard = {video.id: video for video in store.videos(ids)}, _heard(store, fingerprint, ids)
    pairs = fragment_pair_similarities(store, fingerprint) if pairs is None else pairs
    rows = [_row(one, videos[one.video_id], heard, pairs) for one in found]
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.astype(dict.fromkeys(_NUMBERS, "float64"))


def fragment_pair_similarities(store: Store, fingerprint: Fingerprint) -> NDArray[np.float32]:
    """Similarities of pairs of fragments of different videos, ascending: (pairs,) float32.

    One fragment, by a fixed (seeded) draw, of each of up to 500 videos: fragments of one video are near each other
    whatever it is about, and no video counts more for being longer.
    """
    random = np.random.default_rng(0)
    ids = np.array(store.embedded_ids(fingerprint), dtype=object)
    if len(ids) > SAMPLE_VIDEOS:
        ids = ids[random.choice(len(ids), SAMPLE_VIDEOS, replace=False)]
    fragments = store.fragments(fingerprint, ids.tolist())
    starts = np.flatnonzero([i == 0 or one != fragments.ids[i - 1] for i, one in enumerate(fragments.ids)])
    counts = np.diff(np.append(starts, len(fragments.ids)))
    drawn = starts + (random.random(len(starts)) * counts).astype(np.int64)
    unit = normalised(fragments.matrix[drawn])
    return np.sort((unit @ unit.T)[np.triu_indices(len(unit), k=1)])


def _heard(store: Store, fingerprint: Fingerprint, ids: Collection[str]) -> dict[tuple[str, float], Words | None]:
    """What was heard in each fragment of these videos, by its video and the second that it begins at."""
    fragments = store.fragments(fingerprint, ids)
    begun = zip(fragments.ids, map(float, fragments.bounds[:, 0]), strict=True)
    return dict(zip(begun, fragments.words, strict=True))


def _row(
    one: Neighbour,
    video: Video,
    heard: dict[tuple[str, float], Words | None],
    pairs: NDArray[np.float32],
) -> tuple[object, ...]:
    start, end = one.bounds or (float("nan"), float("nan"))
    words = heard.get((one.video_id, start))
    said = (words.text, words.probability) if words else (None, float("nan"))
    picture = video.media.thumbnail_file if video.media else None
    told = (video.id, video.title, video.category, video.channel)
    return (*told, start, end, *said, picture, one.similarity, percentile(pairs, one.similarity))
