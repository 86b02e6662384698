"""What a classifier learns from: labelled videos with embeddings and the groups that folds must not split."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.columns import listed
from analysis.duplicates import duplicate_groups, no_copies
from analysis.splits import folds_without_choice, group_value, groups_by_id, groups_per_category
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.figures import how_many
from quartzlens.outcomes import Outcome
from quartzlens.records import Fingerprint, Video
from store.base import Store
from store.vectors import finite

NOT_CHOSEN = "not among the videos that were chosen"
NO_LABEL = "no label"
SEVERAL_LABELS = "several labels: a person must decide"
NO_EMBEDDING = "no embedding"
DAMAGED = "a damaged embedding, with what is no number in it: `quartzlens check` tells"
OTHER_ENCODER = "no embedding by this encoder"
SINGLE_GROUP = "its category has a single channel, or copies tie its channels: it cannot be evaluated"
_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Videos that can be trained on and judged, and those left out.

    Attributes
    ----------
    ids
        n video ids, in the order of the store.
    X
        (n, d) float32 pooled embeddings, not normalised.
    y
        (n,) int64, positions in ``categories``.
    categories
        k category names, sorted.
    groups
        (n,) str objects; equal for videos that must stay together (``analysis.splits.joined_groups`` over all
        videos of the store, so that a chain of ties holds through videos that are left out).
    folds
        (n,) int64 published folds, or None. Whole numbers keep their value, other names are numbered in sorted order.
    copies
        What was found of copies among these videos: ``videos`` that are copies of one another, ``groups`` of them, and
        ``parted``, the groups that lie in several published folds.
    videos
        The n videos as the store knows them.
    channels
        (n,) str objects: channels and recordings, without what copies tie together, whatever ``groups`` are made of.
    copies_found
        As of ``duplicate_groups``, of the whole collection.
    grouped_by
        What ``groups`` are made of: ``channel``, ``recording``, both (``channel and recording``), the column asked for,
        or ``video`` where each stands for itself.
    unknown
        Ids that were chosen and that no video of the collection has, sorted.
    left_out
        ``id``, ``category`` (None: no label; several are joined by " + "), ``reason``: every other video of the
        collection.
    """

    ids: tuple[str, ...]
    X: NDArray[np.float32]
    y: NDArray[np.int64]
    categories: tuple[str, ...]
    groups: NDArray[np.object_]
    folds: NDArray[np.int64] | None
    left_out: pd.DataFrame
    copies: Mapping[str, int]
    videos: tuple[Video, ...] = ()
    channels: NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, dtype=object))
    copies_found: pd.DataFrame = field(default_factory=no_copies)
    grouped_by: str = "channel"
    unknown: tuple[str, ...] = ()


def load_dataset(
    store: Store,
    fingerprint: Fingerprint,
    fold_column: str | None = None,
    copies: pd.DataFrame | None = None,
    *,
    group_by: str | None = None,
    within: Collection[str] | None = None,
) -> Dataset:
    """Collect what can be trained on and judged from a store.

    Videos without a label, with several, without an embedding of ``fingerprint`` or (with ``fold_column``) without a
    fold are left out, and so are categories with one single group: whatever is held out of them, nothing is left to
    learn from.

    Copies of one sound are one group, as a channel is. Published folds that part a channel or a recording are refused,
    for the list says what it is, and so are those that part what ``group_by`` names; by ``video`` nothing is refused.
    Folds that part copies are used as they are and counted (``Dataset.copies``): a copy is found by measuring, its
    publisher did not know of it, and other folds' figures could not be compared with theirs.

    Parameters
    ----------
    fold_column
        Extra column of the lists that holds published folds.
    copies
        What ``duplicate_groups`` gave, for callers that keep it.
    group_by
        What must not be parted, besides copies (``by`` of ``analysis.splits.joined_groups``); None: channels, and
        recordings.
    within
        Ids of the videos that are chosen; all others are left out, and still tie groups. None: all. Ids that no video
        has are told (``Dataset.unknown``).

    Raises
    ------
    NotEnoughDataError
        Fewer than two categories remain.
    UsageError
        No usable video has ``fold_column`` or ``group_by``, the former has a single value, a group or a channel is in
        several of its folds, all folds but one hold fewer than two categories, or no video has any id of ``within``.
    """
    videos = store.videos()
    embeddings = store.embeddings(fingerprint)
    row_of = {video_id: row for row, video_id in enumerate(embeddings.ids)}
    damaged = {embeddings.ids[row] for row in np.flatnonzero(~finite(embeddings.matrix))}
    reasons = {video.id: _reason(video, row_of, fold_column, damaged) for video in videos}
    unknown = _unknown(() if within is None else within, reasons)
    if within is not None:
        reasons.update(dict.fromkeys(reasons.keys() - set(within), NOT_CHOSEN))
    usable = [video for video in videos if reasons[video.id] is None]
    _check_columns(usable, fold_column, group_by)
    copies = duplicate_groups(store, fingerprint) if copies is None else copies
    sound_of = dict(zip(copies["id"], copies["group"], strict=True))
    named, group_of = groups_by_id(videos, by=group_by), groups_by_id(videos, sound_of, group_by)
    categories, kept = _evaluable(usable, group_of)
    gone = {video.id for video in usable} - {video.id for video in kept}
    reasons.update(dict.fromkeys(gone, SINGLE_GROUP))
    left_out = _left_out(videos, reasons)
    if len(categories) < 2:
        raise NotEnoughDataError(_too_few(len(videos), categories, left_out, len(unknown)))
    groups = np.array([group_of[video.id] for video in kept], dtype=object)
    matrix = embeddings.matrix[[row_of[video.id] for video in kept]]
    y = np.array([categories.index(str(video.category)) for video in kept], dtype=np.int64)
    known = groups_by_id(videos) if group_by else named
    channels = np.array([known[video.id] for video in kept], dtype=object)
    together = [named] if group_by == "video" else [named, known]
    folds = _published_folds(kept, y, together, fold_column) if fold_column else None
    ids = tuple(video.id for video in kept)
    counted = _copies(ids, folds, sound_of)
    by = _grouped_by(kept, group_by)
    shape = (ids, matrix, y, categories, groups, folds, left_out, counted)
    return Dataset(*shape, tuple(kept), channels, copies, by, unknown)


def _unknown(chosen: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """Chosen ids that are not known, sorted. Raises UsageError where none of them is."""
    unknown = tuple(sorted(set(chosen).difference(known)))
    if unknown and len(unknown) == len(set(chosen)):
        some = listed(unknown[:_NAMED]) + (", ..." if len(unknown) > _NAMED else "")
        raise UsageError(
            f"The collection has none of the chosen videos: {some}. Ids are compared letter by letter; "
            "`quartzlens export --what videos videos.csv` writes those that there are."
        )
    return unknown


def _check_columns(usable: Sequence[Video], fold_column: str | None, group_by: str | None) -> None:
    if fold_column and not any(video.extra.get(fold_column, "").strip() for video in usable):
        raise UsageError(
            f"No labelled video has a value in column '{fold_column}'. "
            "Leave the fold column away, or name one of the list's."
        )
    if group_by and group_by != "video" and not any(group_value(video, group_by) for video in usable):
        columns = sorted({name for video in usable for name, value in video.extra.items() if value.strip()})
        raise UsageError(
            f"No labelled video has a value in column '{group_by}'. Group by channel, recording, video or one of the "
            f"list's columns: {', '.join(columns) or 'it has no others'}."
        )


def _grouped_by(videos: Sequence[Video], group_by: str | None) -> str:
    """What ties these videos to others, in words."""
    if group_by:
        return group_by
    known = [name for name in ("channel", "recording") if any(group_value(video, name) for video in videos)]
    return " and ".join(known) or "video"


def _copies(ids: Sequence[str], folds: NDArray[np.int64] | None, sound_of: Mapping[str, int]) -> dict[str, int]:
    """Count the groups of copies among these videos, and those that published folds part."""
    members: dict[int, list[int]] = {}
    for row, video_id in enumerate(ids):
        if video_id in sound_of:
            members.setdefault(sound_of[video_id], []).append(row)
    rows = [found for found in members.values() if len(found) > 1]
    parted = sum(folds is not None and len(set(folds[found])) > 1 for found in rows)
    return {"videos": sum(map(len, rows)), "groups": len(rows), "parted": parted}


def _reason(
    video: Video, row_of: Mapping[str, int], fold_column: str | None, damaged: Collection[str] = ()
) -> str | None:
    if not video.categories:
        return NO_LABEL
    if len(video.categories) > 1:
        return SEVERAL_LABELS
    if video.id not in row_of:
        outcome = video.outcome.value if video.outcome else "pending"
        return f"{NO_EMBEDDING}: {outcome}" if video.outcome is not Outcome.OK else OTHER_ENCODER
    if video.id in damaged:
        return DAMAGED
    if fold_column and not video.extra.get(fold_column, "").strip():
        return f"no value in column {fold_column}"
    return None


def _evaluable(usable: Sequence[Video], group_of: Mapping[str, str]) -> tuple[tuple[str, ...], list[Video]]:
    """Categories with two groups or more, and their videos."""
    names = sorted({str(video.category) for video in usable})
    y = np.array([names.index(str(video.category)) for video in usable], dtype=np.int64)
    groups = np.array([group_of[video.id] for video in usable], dtype=object)
    counts = groups_per_category(y, groups, len(names))
    kept = tuple(name for name, count in zip(names, counts, strict=True) if count >= 2)
    return kept, [video for video in usable if video.category in kept]


def _left_out(videos: Sequence[Video], reasons: dict[str, str | None]) -> pd.DataFrame:
    rows = [(v.id, " + ".join(v.categories) or None, reasons[v.id]) for v in videos if reasons[v.id] is not None]
    return pd.DataFrame(rows, columns=["id", "category", "reason"], dtype=object)


def _too_few(n_videos: int, categories: tuple[str, ...], left_out: pd.DataFrame, n_unknown: int) -> str:
    found = f"only '{categories[0]}' has" if categories else "none has"
    counts = left_out["reason"].value_counts()
    told = [how_many(n_videos, "video"), *(f"{n} left out: {reason}" for reason, n in counts.items())]
    told += [how_many(n_unknown, "chosen id is", "chosen ids are") + " not in the collection"] if n_unknown else []
    why = "; ".join(told)
    return (
        f"At least two categories with videos of two channels each are needed, and {found} them ({why}). "
        "Label more videos, or ingest videos of more channels."
    )


def _published_folds(
    videos: Sequence[Video], y: NDArray[np.int64], together: Sequence[Mapping[str, str]], column: str
) -> NDArray[np.int64]:
    """Folds of a column, which part no group of what is kept ``together``: the group of each video by its id."""
    texts = [video.extra[column].strip() for video in videos]
    whole = all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts)
    texts = [str(int(text)) for text in texts] if whole else texts
    first: dict[str, str] = {}
    groups = (group_of[video.id] for group_of in together for video in videos)
    for group, text in zip(groups, texts * len(together), strict=True):
        if first.setdefault(group, text) != text:
            raise UsageError(
                f"The {group} is in fold {first[group]} and in fold {text} of column '{column}': a fold would be "
                "judged on what its model has learned from. Correct the column, or leave it away to have folds made."
            )
    names = sorted(set(texts))
    if len(names) < 2:
        raise UsageError(f"Column '{column}' has the one value '{names[0]}': at least two folds are needed.")
    for position in folds_without_choice(y, np.array([names.index(text) for text in texts], dtype=np.int64)):
        raise UsageError(
            f"Without fold {names[position]} of column '{column}' a single category is left to learn from. "
            "Spread the categories over the folds, or leave the column away to have folds made."
        )
    return np.array([int(text) if whole else names.index(text) for text in texts], dtype=np.int64)
