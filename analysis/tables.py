"""Documented tables of what a store holds, for people and charts. Loads pandas, neither torch nor scikit-learn."""

from collections.abc import Sequence

import pandas as pd

from quartzlens.records import Video
from store.base import Store

VIDEO_COLUMNS = (
    "id",
    "title",
    "channel",
    "category",
    "source",
    "outcome",
    "loudness_dbfs",
    "clip_seconds",
    "silent",
)
PENDING = "pending"


def videos_table(store: Store, videos: Sequence[Video] | None = None) -> pd.DataFrame:
    """All videos of a collection, one row each, in the order in which they came.

    Parameters
    ----------
    videos
        What the store's ``videos`` gave, for callers that have them.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title``, ``channel`` (None: unknown), ``category`` (None: no label, or labels that disagree),
        ``source``, ``outcome`` (a value of ``Outcome``, or ``pending``), ``loudness_dbfs`` and ``clip_seconds``
        (float64, NaN where the video was not decoded), ``silent`` (bool). Titles, channels and categories are data:
        show them as plain text.
    """
    rows = [_row(video) for video in (store.videos() if videos is None else videos)]
    table = pd.DataFrame(rows, columns=list(VIDEO_COLUMNS), dtype=object)
    numbers = {"loudness_dbfs": "float64", "clip_seconds": "float64", "silent": "bool"}
    return table.astype(numbers)


def _row(video: Video) -> tuple[object, ...]:
    media = video.media
    heard = (media.loudness_dbfs, media.clip_seconds, media.silent) if media else (float("nan"), float("nan"), False)
    outcome = video.outcome.value if video.outcome else PENDING
    return (video.id, video.title, video.channel, video.category, video.source, outcome, *heard)
