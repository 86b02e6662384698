"""Why a video was judged as it was: all evidence of one video in one record, and the verdict that follows from it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.duplicates import copies_of
from analysis.evaluation import Evaluation
from analysis.evidence_background import Background, background
from analysis.evidence_change import Change, best_cut
from analysis.evidence_neighbours import (
    NEAREST_COLUMNS,
    NOBODY,
    PAIR_COLUMNS,
    Vote,
    best_pairs,
    nearest_of_both,
    outlier_percentile,
    voted,
)
from analysis.evidence_parts import Parted, Stretch, clock
from analysis.evidence_timeline import Timeline, timeline
from analysis.verdict import Grounds, Kind, Thresholds, Verdict, verdict
from quartzlens.records import Fingerprint
from store.base import Store
from store.vectors import undamaged

__all__ = [
    "Background",
    "Change",
    "Evidence",
    "Kind",
    "Parted",
    "Stretch",
    "Timeline",
    "Verdict",
    "Vote",
    "background",
    "clock",
    "evidence",
    "timeline",
]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for and against the judgement of one video, by the model that never saw it or its group.

    Attributes
    ----------
    timeline
        Label, prediction, probabilities, fragments, the seconds that misled (``analysis.evidence_timeline.Timeline``).
    margin
        Probability of the most probable category less that of the next, 0..1.
    vote
        What its nearest labelled videos of other groups say.
    nearest
        Nearest videos of the labelled and of the predicted category (``evidence_neighbours.nearest_of_both``).
    pairs
        Fragments of it and of these neighbours that match best (``evidence_neighbours.best_pairs``).
    label_quality
        0 (surely wrong) .. 1 (surely right), by cleanlab from out-of-fold probabilities (``analysis.label_quality``).
    duplicates
        Ids of the videos with the same sound.
    outlier
        Share of the videos, 0..100, that are nearer to their 10th neighbour of other groups than this one is.
    change
        Where the sound changes most (``analysis.evidence_change``); None in a short video.
    verdict
        What is to be thought of it, with reasons (``analysis.verdict``).

    A video without an embedding by now, or with a damaged one, has an empty vote, no neighbours, no change, and NaN as
    ``outlier``.
    """

    timeline: Timeline
    margin: float
    vote: Vote
    nearest: pd.DataFrame
    pairs: pd.DataFrame
    label_quality: float
    duplicates: tuple[str, ...]
    outlier: float
    change: Change | None
    verdict: Verdict


def evidence(
    evaluation: Evaluation,
    video_id: str,
    store: Store,
    fingerprint: Fingerprint,
    known: Background | None = None,
    thresholds: Thresholds | None = None,
) -> Evidence:
    """Gather the evidence for one video of an evaluation.

    Parameters
    ----------
    known
        What ``background`` gave for this evaluation, for callers that keep it: most of the work is of the whole
        collection.

    Raises
    ------
    UnknownVideoError
        The evaluation did not judge a video of that id.
    """
    seen = timeline(evaluation, video_id)
    known = background(store, fingerprint, evaluation) if known is None else known
    labels = seen.category, seen.predicted
    row = known.row_of.get(video_id)
    if row is None:
        vote, outlier, change = Vote({}, 0, NOBODY), float("nan"), None
        nearest, pairs = (pd.DataFrame(columns=list(columns)) for columns in (NEAREST_COLUMNS, PAIR_COLUMNS))
    else:
        vote, outlier = voted(known, row, *labels), outlier_percentile(known, row)
        nearest = nearest_of_both(known, row, *labels)
        fragments = undamaged(store.fragments(fingerprint, [video_id, *nearest["id"]]))
        pairs = best_pairs(fragments, video_id, nearest)
        own = np.array([one == video_id for one in fragments.ids], dtype=bool)
        change = best_cut(fragments.matrix[own], fragments.bounds[own, 0], known.directions)
    first, second = sorted(seen.probabilities.values(), reverse=True)[:2]
    margin, quality = first - second, known.quality.get(video_id, float("nan"))
    silent = any(video.silent for video in store.videos([video_id]))
    grounds = Grounds(*labels, margin, quality, vote, outlier, seen.parted, change, silent)
    return Evidence(
        seen,
        margin,
        vote,
        nearest,
        pairs,
        quality,
        copies_of(known.copies, video_id),
        outlier,
        change,
        verdict(grounds, thresholds),
    )
