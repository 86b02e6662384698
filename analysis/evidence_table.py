"""The evidence of every video that an evaluation got wrong, one row each, in blocks: for other programs."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from analysis.evaluation import Evaluation, probability_columns
from analysis.evidence import Background, Evidence, background, evidence
from analysis.evidence_parts import Stretch
from quartzlens.errors import UsageError
from quartzlens.records import Fingerprint, Run, Video
from store.base import Store

EVIDENCE_COLUMNS = (
    "id",
    "title",
    "channel",
    "category",
    "predicted",
    "probability",
    "probability_of_label",
    "margin",
    "verdict",
    "reasons",
    "sentence",
    "vote",
    "vote_sides_with",
    "neighbours",
    "misleading",
    "misleading_seconds",
    "label_quality",
    "outlier_percentile",
    "duplicates",
)
_NUMBERS = {
    "probability": "float64",
    "probability_of_label": "float64",
    "margin": "float64",
    "neighbours": "int64",
    "misleading_seconds": "float64",
    "label_quality": "float64",
    "outlier_percentile": "float64",
}
BLOCK_VIDEOS = 200
OnVideo = Callable[[int, int], None]


def encoder_of(store: Store, run: Run) -> Fingerprint:
    """The fingerprint of the embeddings that a run is of.

    Raises
    ------
    UsageError
        They are not in the store.
    """
    found = {encoder.key: encoder for encoder in store.info().encoders}.get(run.fingerprint_key)
    if found is None:
        raise UsageError(f"The embeddings that {run.id} is of are gone: run `quartzlens evaluate`, and take its run.")
    return found


def evidence_blocks(
    store: Store,
    fingerprint: Fingerprint,
    evaluation: Evaluation,
    known: Background | None = None,
    on_video: OnVideo = lambda *_: None,
) -> Iterator[pd.DataFrame]:
    """The evidence of the misjudged videos of an evaluation, the surest mistake first, 200 videos at a time.

    Parameters
    ----------
    fingerprint
        Of the embeddings that the evaluation is of (``encoder_of``).
    known
        What ``analysis.evidence.background`` gave for this evaluation, for callers that keep it.
    on_video
        Called with the videos done and their number.

    Yields
    ------
    pandas.DataFrame
        ``id``, ``title`` and ``channel`` (None where the video was removed since), ``category`` (the label then),
        ``predicted``, ``probability`` (of what was predicted), ``probability_of_label``, ``margin`` (0..1), ``verdict``
        (``analysis.verdict.Kind``), ``reasons`` (joined by ``; ``), ``sentence`` (which seconds misled, in words),
        ``vote`` (such as ``travel 0.60; food 0.40``), ``vote_sides_with``, ``neighbours`` (how many voted),
        ``misleading`` (seconds such as ``20-45; 50-55``), ``misleading_seconds`` (their sum), ``label_quality`` (0..1),
        ``outlier_percentile`` (0..100; NaN without neighbours), ``duplicates`` (ids joined by ``; ``). One block
        without rows where nothing was misjudged.
    """
    wrong = surest_mistakes(evaluation)
    if wrong.empty:
        yield _table([])
        return
    known = background(store, fingerprint, evaluation) if known is None else known
    for start in range(0, len(wrong), BLOCK_VIDEOS):
        some = wrong.iloc[start : start + BLOCK_VIDEOS]
        own = evaluation.fragments[evaluation.fragments["id"].isin(some["id"])]
        part = replace(evaluation, predictions=some, fragments=own)
        videos = {video.id: video for video in store.videos(frozenset(map(str, some["id"])))}
        rows: list[tuple[object, ...]] = []
        for at, video_id in enumerate(map(str, some["id"]), start + 1):
            rows.append(_row(evidence(part, video_id, store, fingerprint, known), videos.get(video_id)))
            on_video(at, len(wrong))
        yield _table(rows)


def _table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Rows under ``EVIDENCE_COLUMNS``: what is unknown in a column of text is None."""
    return pd.DataFrame(rows, columns=list(EVIDENCE_COLUMNS), dtype=object).astype(_NUMBERS)


def surest_mistakes(evaluation: Evaluation) -> pd.DataFrame:
    """Rows of the predictions whose label is another, the most probable prediction first."""
    predictions = evaluation.predictions
    wrong = predictions[predictions["category"] != predictions["predicted"]]
    surest = wrong[probability_columns(predictions)].max(axis=1)
    return wrong.loc[surest.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _row(found: Evidence, video: Video | None) -> tuple[object, ...]:
    seen, vote = found.timeline, found.vote
    return (
        seen.video_id,
        video and video.title,
        video and video.channel,
        seen.category,
        seen.predicted,
        seen.probabilities[seen.predicted],
        seen.probabilities[seen.category],
        found.margin,
        str(found.verdict.kind),
        "; ".join(found.verdict.reasons),
        seen.sentence,
        "; ".join(f"{name} {share:.2f}" for name, share in vote.shares.items()),
        vote.sides_with,
        vote.neighbours,
        "; ".join(map(_between, seen.misleading)),
        round(float(sum(end - start for start, end in seen.misleading)), 1),
        found.label_quality,
        found.outlier,
        "; ".join(found.duplicates),
    )


def _between(stretch: Stretch) -> str:
    start, end = stretch
    return f"{round(start, 1):g}-{round(end, 1):g}"
