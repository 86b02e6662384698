"""What a collection holds, as plain tables for other programs: the same for notebooks and ``quartzlens export``.

Each function gives whole tables; those with vectors come in blocks, so that a large collection is never in memory at
once.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import latest_evaluation, read_evaluation
from analysis.label_work import label_history
from analysis.metrics import probability_names
from analysis.neighbours import pair_similarities
from analysis.runs import named_run
from analysis.tables import videos_table
from quartzlens.errors import NotEnoughDataError, UnknownVideoError, UsageError
from quartzlens.records import Fingerprint, Fragments, Run
from store.base import Store

LABEL_COLUMNS = ("id", "category", "source", "origin", "given_at", "person", "note")
ERROR_COLUMNS = ("id", "title", "channel", "category", "predicted", "probability", "probability_of_label", "fold")
NEIGHBOUR_COLUMNS = ("id", "rank", "neighbour", "similarity", "percentile", "category", "neighbour_category")
BLOCK_VIDEOS = 1000


def every_column(store: Store) -> pd.DataFrame:
    """All videos with all that lists say of them.

    Returns
    -------
    pandas.DataFrame
        The columns of ``analysis.tables.videos_table``, ``description``, and each other column of the lists as text
        (None where a list has none), with ``list.`` before a name that is taken.
    """
    table, videos = videos_table(store), store.videos()
    table["description"] = pd.Series([video.description for video in videos], dtype=object)
    extra = dict.fromkeys(name for video in videos for name in video.extra)
    for name in extra:
        column = name
        while column in table.columns:
            column = f"list.{column}"
        table[column] = pd.Series([video.extra.get(name) for video in videos], dtype=object)
    return table


def labels_table(store: Store) -> pd.DataFrame:
    """The whole label history, oldest first.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``category`` (None: the label was taken back), ``source`` (csv, person or import), ``origin``
        (``list#row``; ``unsure`` where a person could not tell), ``given_at`` (ISO 8601), ``person`` (who said it;
        empty where no name was given), ``note``. What counts of it now is ``category`` of the videos.
    """
    return label_history(store)[list(LABEL_COLUMNS)]


def evaluation_of(store: Store, fingerprint: Fingerprint, run_id: str | None) -> Run:
    """The evaluation of an id with its files, or the latest of ``fingerprint``.

    Raises
    ------
    UsageError
        There is no run of that id, or it is no evaluation.
    NotEnoughDataError
        Nothing was evaluated yet.
    """
    if run_id is not None:
        run = named_run(store, run_id)
        if run.kind != "evaluate":
            raise UsageError(f"Run {run.id} is a {run.kind} run: predictions of every video are of evaluations.")
        return run
    found = latest_evaluation(store, fingerprint)
    if found is None:
        raise NotEnoughDataError("There is no evaluation of these embeddings yet: run `quartzlens evaluate`.")
    return found[0]


def predictions_table(run: Run) -> pd.DataFrame:
    """The out-of-fold predictions of an evaluation, as ``analysis.evaluation.Evaluation.predictions``."""
    return read_evaluation(run).predictions


def errors_table(store: Store, run: Run) -> pd.DataFrame:
    """Videos that an evaluation got wrong, the surest mistake first.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title`` and ``channel`` (None where the video was removed since), ``category`` (the label then),
        ``predicted``, ``probability`` (of what was predicted), ``probability_of_label``, ``fold``.
    """
    evaluation = read_evaluation(run)
    wrong = evaluation.predictions[evaluation.predictions["category"] != evaluation.predictions["predicted"]]
    categories = [str(name) for name in evaluation.metrics["categories"]]  # type: ignore[union-attr]
    column_of = dict(zip(categories, probability_names(categories), strict=True))
    videos = {video.id: video for video in store.videos(frozenset(map(str, wrong["id"])))}
    rows = []
    for row in wrong.to_dict("records"):
        video = videos.get(row["id"])
        named = (row["id"], video and video.title, video and video.channel, row["category"], row["predicted"])
        shares = (float(row[column_of[row["predicted"]]]), float(row[column_of[row["category"]]]))
        rows.append((*named, *shares, int(row["fold"])))
    numbers = {"probability": "float64", "probability_of_label": "float64", "fold": "int64"}
    table = pd.DataFrame(rows, columns=list(ERROR_COLUMNS), dtype=object).astype(numbers)
    return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)


def embedded_among(store: Store, fingerprint: Fingerprint, ids: Iterable[str] | None) -> list[str] | None:
    """Ids that somebody asked for, a text being one of them, as a list; None, which is all, as it is.

    Raises
    ------
    UnknownVideoError
        One of them has no embedding.
    """
    if ids is None:
        return None
    asked = [ids] if isinstance(ids, str) else list(map(str, ids))
    for missing in sorted(set(asked).difference(store.embedded_ids(fingerprint))):
        raise UnknownVideoError(f"No video '{missing}' has an embedding of {fingerprint}.")
    return asked


def neighbours_table(
    store: Store, fingerprint: Fingerprint, k: int = 10, ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """The nearest videos of each video, or of each of ``ids`` (a text is one id).

    Returns
    -------
    pandas.DataFrame
        ``id``, ``rank`` (from 1), ``neighbour`` (its id), ``similarity`` (cosine), ``percentile`` (as of
        ``analysis.neighbours.neighbours_of``), ``category`` and ``neighbour_category`` (None: no label).

    Raises
    ------
    UsageError
        ``k`` is below 1.
    UnknownVideoError
        One of ``ids`` has no embedding.
    """
    if k < 1:
        raise UsageError(f"{k} neighbours were asked for: at least 1.")
    asked = store.embeddings(fingerprint, embedded_among(store, fingerprint, ids))
    category = {video.id: video.category for video in store.videos()}
    pairs = pair_similarities(store, fingerprint)
    rows = []
    for start in range(0, len(asked.ids), BLOCK_VIDEOS):
        found = store.search(fingerprint, asked.matrix[start : start + BLOCK_VIDEOS], k + 1)
        for own, neighbours in zip(asked.ids[start:], found, strict=False):
            others = [one for one in neighbours if one.video_id != own][:k]
            rows += [(own, at, one.video_id, one.similarity) for at, one in enumerate(others, 1)]
    table = pd.DataFrame(rows, columns=list(NEIGHBOUR_COLUMNS[:4]))
    below = np.searchsorted(pairs, table["similarity"].to_numpy(dtype=np.float32))
    table["percentile"] = 100.0 * below / len(pairs) if len(pairs) else np.nan
    for column, of in (("category", "id"), ("neighbour_category", "neighbour")):
        table[column] = pd.Series([category[one] for one in table[of]], dtype=object)
    return table


def embedding_blocks(store: Store, fingerprint: Fingerprint) -> Iterator[tuple[pd.DataFrame, NDArray[np.float32]]]:
    """Pooled embeddings, a thousand videos at a time: a table with ``id``, and (n, d) float32, not normalised."""
    for ids in _blocks(store.embedded_ids(fingerprint)):
        some = store.embeddings(fingerprint, ids)
        yield pd.DataFrame({"id": np.array(some.ids, dtype=object)}), some.matrix


def fragment_blocks(store: Store, fingerprint: Fingerprint) -> Iterator[tuple[pd.DataFrame, NDArray[np.float32]]]:
    """Fragments of a thousand videos at a time, by video and time: as of ``fragments_table``, and (f, d) float32."""
    for ids in _blocks(store.embedded_ids(fingerprint)):
        some = store.fragments(fingerprint, ids)
        yield fragments_table(some), some.matrix


def fragments_table(fragments: Fragments) -> pd.DataFrame:
    """Fragments without their embeddings, in their order.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``start_seconds``, ``end_seconds``, ``words`` (None: nobody listened; empty: none were heard),
        ``words_probability`` (NaN where nobody listened).
    """
    words = fragments.words
    start, end = fragments.bounds.reshape(-1, 2).T
    return pd.DataFrame(
        {
            "id": np.array(fragments.ids, dtype=object),
            "start_seconds": start,
            "end_seconds": end,
            "words": pd.Series([one.text if one else None for one in words], dtype=object),
            "words_probability": np.array([one.probability if one else np.nan for one in words], dtype=np.float64),
        }
    )


def _blocks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Blocks of ids; an empty one where there are none, so that a table has its columns all the same."""
    yield from (ids[start : start + BLOCK_VIDEOS] for start in range(0, max(len(ids), 1), BLOCK_VIDEOS))
