"""Which videos to label next: those that the classifier is least sure of, spread over all that sounds different."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.classifier import fit_classifier, make_classifier, probabilities
from analysis.dataset import load_dataset
from analysis.label_work import decided
from quartzlens.errors import UsageError
from quartzlens.records import Fingerprint, Video
from store.base import Store
from store.vectors import finite, normalised

COLUMNS = ("id", "title", "channel", "claimed", "predicted", "probability", "uncertainty")


def next_to_label(
    store: Store,
    fingerprint: Fingerprint,
    n: int,
    *,
    classifier: str = "logistic",
    seed: int = 0,
    copies: pd.DataFrame | None = None,
    within: Collection[str] | None = None,
) -> pd.DataFrame:
    """Choose up to ``n`` videos without a label, or with several of lists, whose label would teach most.

    A classifier learns from all labelled videos and judges the others; ``spread_choice`` then takes uncertain ones that
    do not sound alike. With ``within`` only videos of those ids are chosen; it learns from all the same.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title``, ``channel`` (None where unknown), ``claimed`` (several labels joined by " + ", None without
        any), ``predicted``, ``probability`` (of it), ``uncertainty`` (1 less the margin between the two most probable
        categories), in the order in which they are worth labelling. No rows where every embedded video has its label.

    Raises
    ------
    UsageError
        ``n`` is below 1.
    NotEnoughDataError
        Too few labels to learn from (``analysis.dataset.load_dataset``).
    """
    if n < 1:
        raise UsageError(f"{n} videos were asked for: at least 1.")
    embeddings = store.embeddings(fingerprint)
    video_of, known = {video.id: video for video in store.videos()}, decided(store)
    whole = finite(embeddings.matrix)  # of a damaged embedding nothing can be told
    asked = embeddings.ids if within is None else within
    open_ = {one for one in asked if one in video_of and waits(video_of[one], known)}
    rows = np.array([i for i, one in enumerate(embeddings.ids) if whole[i] and one in open_], np.int64)
    if not len(rows):
        return _table([])
    dataset = load_dataset(store, fingerprint, copies=copies)
    model = make_classifier(classifier, len(dataset.categories), seed)
    fit_classifier(model, dataset.X, dataset.y, dataset.groups)
    shares = probabilities(model, embeddings.matrix[rows], len(dataset.categories))
    uncertainty = 1.0 - margins(shares)
    # Plain cosines crowd near 1: all would be equally near.
    about = embeddings.matrix[rows] - embeddings.matrix.mean(axis=0, where=whole[:, None])
    chosen = spread_choice(uncertainty, normalised(about), n)
    table = [
        _row(video_of[embeddings.ids[rows[i]]], dataset.categories, shares[i], float(uncertainty[i])) for i in chosen
    ]
    return _table(table)


def _table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Rows under ``COLUMNS``: what is unknown in a column of text is None."""
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(dict.fromkeys(COLUMNS[-2:], "float64"))


def waits(video: Video, known: frozenset[str]) -> bool:
    """Whether a video that can be heard is without a label, or with several and not ``known`` to be right with them.

    ``known`` are the ids of ``analysis.label_work.decided``.
    """
    return video.category is None and video.id not in known and not video.silent


def margins(shares: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far the most probable category is before the next: (n, k) probabilities in, (n,) out.

    >>> margins(np.array([[0.25, 0.75], [0.5, 0.5]])).tolist()
    [0.5, 0.0]
    """
    two = np.partition(shares.astype(np.float64), shares.shape[1] - 2, axis=1)[:, -2:]
    apart: NDArray[np.float64] = two[:, 1] - two[:, 0]
    return apart


def spread_choice(uncertainty: NDArray[np.float64], unit: NDArray[np.float32], n: int) -> list[int]:
    """Choose up to n positions, uncertain and far from each other.

    The most uncertain comes first; each next one has the largest product of its uncertainty and its distance (1 -
    cosine) from the nearest that was chosen: the farthest-first order of Gonzalez (1985), weighted. Ties: by position.

    Parameters
    ----------
    uncertainty
        (m,) not negative; unit (m, d) has rows of length 1.
    """
    chosen: list[int] = []
    left = np.ones(len(uncertainty), dtype=bool)
    distance = np.full(len(uncertainty), 2.0)
    for _ in range(min(n, len(uncertainty))):
        score = np.where(left, uncertainty * distance, -1.0)
        best = int(score.argmax())
        chosen.append(best)
        left[best] = False
        distance = np.minimum(distance, np.maximum(1.0 - unit @ unit[best], 0.0))
    return chosen


def _row(
    video: Video, categories: tuple[str, ...], shares: NDArray[np.float32], uncertainty: float
) -> tuple[object, ...]:
    best = int(shares.argmax())
    claimed = " + ".join(video.categories) or None
    return video.id, video.title, video.channel, claimed, categories[best], float(shares[best]), uncertainty
