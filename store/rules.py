"""What every backend must agree on: checks of what comes in, and what a changed list does to the label history."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import CollectionError, EncoderMismatchError, HistoryMovedError, UnknownVideoError
from quartzlens.outcomes import Outcome
from quartzlens.records import BadRow, Fingerprint, Label, LabelSource, Media, Result, Row, Run
from store import arrays

SILENCE_DBFS = -200.0
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def now() -> str:
    """The time in UTC as ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_rows(source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow]) -> None:
    """Raise ValueError where a row is of another list or the number of a row occurs twice."""
    every: tuple[Row | BadRow, ...] = (*rows, *bad_rows)
    for row in every:
        if row.source_list != source_list:
            message = f"Row {row.number} is of the list {row.source_list!r}, not of {source_list!r}."
            raise ValueError(message)
    if len({row.number for row in rows}) < len(rows):
        message = f"The list {source_list!r} has two rows of one number."
        raise ValueError(message)


def grown(before: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """The rows of a list that only grows: each of ``rows`` in the place of an earlier one of its video, or at the end.

    >>> def row(number, video): return Row("l", number, video, video)
    >>> [(row.number, row.video_id) for row in grown([row(1, "a"), row(2, "b")], [row(1, "new"), row(2, "a")])]
    [(1, 'a'), (2, 'b'), (3, 'new')]
    """
    after = {row.number: row for row in before}
    places: dict[str, list[int]] = {}
    for row in sorted(before, key=lambda row: -row.number):
        places.setdefault(row.video_id, []).append(row.number)
    end = max(after, default=0)
    for row in sorted(rows, key=lambda row: row.number):
        if places.get(row.video_id):
            number = places[row.video_id].pop()
        else:
            number = end = end + 1
        after[number] = replace(row, number=number)
    return sorted(after.values(), key=lambda row: row.number)


def label_changes(source_list: str, before: Mapping[int, tuple[str, str | None]], rows: Sequence[Row]) -> list[Label]:
    """Entries that a list's new rows add to the label history, take-backs first.

    ``before`` maps the number of each old row to its video's id and label. A row that now leads to another video takes
    its label back from the old one.

    >>> changes = label_changes("l", {1: ("a", "food")}, [Row("l", 1, "b", "b", label="food")])
    >>> [(change.video_id, change.category) for change in changes]
    [('a', None), ('b', 'food')]
    """
    after = {row.number: (row.video_id, row.label) for row in rows}
    given_at = now()
    taken, given = [], []
    for number in sorted(before.keys() | after.keys()):
        old_video, old_label = before.get(number, (None, None))
        new_video, new_label = after.get(number, (None, None))
        if (old_video, old_label) == (new_video, new_label):
            continue
        origin = f"{source_list}#{number}"
        if old_video is not None and old_label is not None and (old_video != new_video or new_label is None):
            taken.append(Label(old_video, None, LabelSource.CSV, origin, given_at))
        if new_video is not None and new_label is not None:
            given.append(Label(new_video, new_label, LabelSource.CSV, origin, given_at))
    return taken + given


def checked(results: Sequence[Result]) -> list[Result]:
    """The results with arrays and media facts as they are kept.

    Raises
    ------
    ValueError
        An ok without an embedding, an embedding with another outcome, arrays that are not finite or misshapen, or
        words that are not one a fragment, each with a probability.
    """
    return [_checked(result) for result in results]


def _checked(result: Result) -> Result:
    if (result.outcome is Outcome.OK) != (result.embedded is not None):
        message = f"Video {result.video_id}: an embedding goes with the outcome ok alone, and it is {result.outcome}."
        raise ValueError(message)
    return replace(
        result,
        media=_kept_media(result.video_id, result.media) if result.media else None,
        embedded=arrays.kept(result.video_id, result.embedded) if result.embedded else None,
    )


def _kept_media(video_id: str, media: Media) -> Media:
    """Digital silence gets a number that a database can hold; a container's nonsense about its length is no length."""
    if math.isnan(media.loudness_dbfs) or not math.isfinite(media.clip_seconds):
        message = f"Video {video_id}: {media.loudness_dbfs} dBFS or {media.clip_seconds} s of clip is no number."
        raise ValueError(message)
    known = media.source_seconds is not None and math.isfinite(media.source_seconds)
    return replace(
        media,
        source_seconds=media.source_seconds if known else None,
        loudness_dbfs=max(media.loudness_dbfs, SILENCE_DBFS),
    )


def check_known(ids: Iterable[str], known: Iterable[str]) -> None:
    """Raise UnknownVideoError, naming the first few ids that are not known."""
    unknown = sorted(set(ids) - set(known))
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        message = f"Not in the collection: {', '.join(unknown[:3])}{more}. Add it first: quartzlens ingest SOURCE."
        raise UnknownVideoError(message)


def check_length(after: int | None, entries: int) -> None:
    """Raise HistoryMovedError where the label history has not the length any more that it was read with."""
    if after not in {None, entries}:
        message = f"The label history had {after:,} entries when it was read and has {entries:,} now: try again."
        raise HistoryMovedError(message)


def check_queries(fingerprint: Fingerprint, queries: NDArray[np.float32], k: int) -> None:
    """Raise ValueError for a query's shape or values or for k, EncoderMismatchError for a query's dimension."""
    if queries.ndim != 2 or k < 0 or not np.isfinite(queries).all():
        message = f"A search takes finite queries (q, d) and k >= 0, not an array of shape {queries.shape} and k {k}."
        raise ValueError(message)
    if queries.shape[1] != fingerprint.dimension:
        message = (
            f"The query has {queries.shape[1]} dimensions, embeddings of {fingerprint} have {fingerprint.dimension}: "
            "encode the query with the collection's encoder."
        )
        raise EncoderMismatchError(message)


def check_held(fingerprint: Fingerprint, held: Sequence[Fingerprint]) -> None:
    """Raise EncoderMismatchError where embeddings are held, but only those of other fingerprints."""
    if held and fingerprint not in held:
        others = ", ".join(str(other) for other in held)
        message = (
            f"The collection has no embeddings of {fingerprint}, but of {others}. "
            "Search with that encoder, or ingest again with this one."
        )
        raise EncoderMismatchError(message)


def check_run(run: Run) -> None:
    """Raise ValueError where a run's id or a file's name is not a plain, safe name: both become names on disk."""
    for name in (run.id, *run.files):
        if not is_safe_name(name):
            message = f"{name!r} is no name for a run or its file: letters, digits, dot, dash, underscore, at most 100."
            raise ValueError(message)


def is_safe_name(name: str) -> bool:
    """Whether a run's id or a file's name is one that leads to no other folder."""
    return _SAFE_NAME.fullmatch(name) is not None


def twice(run_id: str) -> ValueError:
    """The error for a run whose id is taken."""
    return ValueError(f"There is a run {run_id!r} already.")


def not_empty() -> CollectionError:
    """The error where another store is to be taken over and something is kept already."""
    return CollectionError("Another collection is kept here already: move to a folder and store of their own.")


def labels_seen_after(labels_seen: int, erased: Sequence[int]) -> int:
    """A run's count of labels once the entries at the sorted positions ``erased`` (from 0) left the history.

    >>> labels_seen_after(3, [0, 2, 5])
    1
    """
    return labels_seen - sum(position < labels_seen for position in erased)
