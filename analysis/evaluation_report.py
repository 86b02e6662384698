"""What an evaluation tells beside its metrics: baselines, calibration, coverage, groups, and what one must know."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.calibration import coverage, reliability
from analysis.comparison import compared
from analysis.dataset import SEVERAL_LABELS, SINGLE_GROUP, Dataset
from analysis.intervals import Resamples
from analysis.judging import Deal, Judged
from analysis.metrics import confusion_report, left_out_counts, metrics_of
from analysis.splits import alone, groups_per_category
from quartzlens.figures import how_many
from quartzlens.records import Json

_LARGEST = 5
_NAMED, _LONGEST = 5, 60

Floats = NDArray[np.float32]


def report(
    dataset: Dataset,
    judged: Judged,
    deals: Sequence[Deal],
    folds_asked: int,
    resamples: Resamples,
) -> dict[str, Json]:
    """Metrics of the chosen classifier and what is known of its folds, as JSON values (``docs/evaluate-json.md``)."""
    metrics = metrics_of(dataset.y, judged.by_video, dataset.categories, resamples)
    calibration: Json = {
        "error": metrics["calibration_error"],
        "reliability": reliability(dataset.y, judged.by_video, resamples),
    }
    folds = len(np.unique(deals[0][0]))
    confusion = np.array(metrics["confusion"], dtype=np.int64)
    return {
        **metrics,
        **confusion_report(confusion, dataset.categories),
        "left_out": left_out_counts(dataset.left_out),
        "copies": {**dataset.copies},
        "folds": folds,
        "groups": groups_report(dataset, resamples),
        "repeats": {"n": len(deals), "accuracies": list(judged.right), "spread": spread(judged.right)},
        "class_weights_chosen": {**Counter(judged.chosen)},
        "calibration": calibration,
        "coverage": coverage(dataset.y, judged.by_video, resamples),
        "notes": [*notes(dataset, deals, folds_asked)],
    }


def beside(dataset: Dataset, by_video: Floats, others: Mapping[str, Floats], resamples: Resamples) -> dict[str, Json]:
    """Metrics of each baseline, and the tests of whether the classifier differs from it."""
    return {
        name: {
            **metrics_of(dataset.y, other, dataset.categories, resamples),
            "compared": compared(dataset.y, by_video, other, resamples),
        }
        for name, other in others.items()
    }


def spread(accuracies: Sequence[float]) -> float | None:
    """Standard deviation of the repeats' accuracies; None of a single one.

    >>> spread([0.5]), spread([0.5, 0.5])
    (None, 0.0)
    """
    return float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None


def groups_report(dataset: Dataset, resamples: Resamples) -> dict[str, Json]:
    """What was kept together, and what was not.

    Returns
    -------
    dict
        ``by``, ``n``, ``largest`` (``group``, ``videos``), ``alone`` (videos that nothing ties to another), ``parted``
        (channels and recordings whose videos are in several groups), ``warning`` (None: there is none).
    """
    sizes = Counter(dataset.groups.tolist())
    largest: list[Json] = [{"group": name, "videos": n} for name, n in sizes.most_common(_LARGEST)]
    n_alone = sum(group == alone(video) for group, video in zip(dataset.groups, dataset.ids, strict=True))
    groups_of = Counter(channel for channel, _ in set(zip(dataset.channels, dataset.groups, strict=True)))
    parted = sum(n > 1 for n in groups_of.values())
    warning = f"{_not_together(dataset, n_alone, parted)}{resamples.warning}".strip() or None
    return {
        "by": dataset.grouped_by, "n": len(sizes), "largest": largest, "alone": n_alone, "parted": parted,
        "warning": warning,
    }  # fmt: skip


def _not_together(dataset: Dataset, n_alone: int, parted: int) -> str:
    """What was not kept together, in a sentence with a space behind it; empty where nothing is known to be parted."""
    by, said = dataset.grouped_by, []
    if by == "video":
        any_known = any(channel != alone(one) for channel, one in zip(dataset.channels, dataset.ids, strict=True))
        why = "Channels are parted, as was asked for" if any_known else "No channel or recording is known"
        return f"{why}, so each video stands for itself: figures may be too good. "
    if parted:
        channels = how_many(parted, "channel or recording", "channels or recordings")
        said.append(f"Groups by {by} part {channels}, as was asked for")
    if n_alone:
        known = (
            f"{'no' if said else 'No'} {by.replace(' and ', ' or ')} is known of {n_alone:,} of {len(dataset.ids):,}"
        )
        said.append(f"{known} videos, so each of these stands for itself")
    return f"{'; '.join(said)}: figures may be too good. " if said else ""


def notes(dataset: Dataset, deals: Sequence[Deal], folds_asked: int) -> list[str]:
    """What a reader has to know, in sentences.

    Chosen ids that no video has, fewer folds than asked for, categories that a model never knew, videos that wait for a
    person, categories left out.
    """
    said, folds = _not_there(dataset.unknown), len(np.unique(deals[0][0]))
    if dataset.folds is not None and len(deals) > 1:
        said.append("Published folds are the same in all repeats: only seeds make a difference between them.")
    if dataset.folds is None and folds < folds_asked:
        counts = groups_per_category(dataset.y, dataset.groups, len(dataset.categories))
        few = [name for name, n in zip(dataset.categories, counts, strict=True) if n == folds]
        verb, each = ("has", "") if len(few) == 1 else ("have", " each")
        said.append(
            f"{how_many(folds, 'fold')} instead of {folds_asked}: {named(few)} {verb} "
            f"{how_many(folds, 'group')}{each} (channels, or what takes their place)."
        )
    return said + _unknown_sentences(dataset, deals) + left_out_sentences(dataset)


def _not_there(ids: Sequence[str]) -> list[str]:
    """Ids that were chosen and are no videos of the collection, in a sentence."""
    are = how_many(len(ids), "chosen id is no video", "chosen ids are no videos")
    return [f"{are} of the collection: {named(ids)}."] if ids else []


def _unknown_sentences(dataset: Dataset, deals: Sequence[Deal]) -> list[str]:
    """Categories that lie in one fold alone, in a sentence: published folds and few large groups can do that."""
    rows = [(name, dataset.y == at) for at, name in enumerate(dataset.categories)]
    unknown = [name for name, own in rows if any(len(set(fold_of[own])) == 1 for fold_of, _ in deals)]
    if not unknown:
        return []
    one = len(unknown) == 1
    lie, models, them, were = ("lies", "model", "it", "was") if one else ("lie", "models", "them", "were")
    where = f"one fold {'alone' if one else 'each'}{' in at least one repeat' if len(deals) > 1 else ''}"
    learned = f"the {models} that judged {them} there had learned without {them}"
    return [f"{named(unknown)} {lie} in {where}: {learned}, so {'it' if one else 'they'} {were} bound to be wrong."]


def left_out_sentences(dataset: Dataset) -> list[str]:
    """Videos of several categories and categories of one group, each in a sentence."""
    reasons, said = dataset.left_out["reason"], []
    if several := int((reasons == SEVERAL_LABELS).sum()):
        has, stays = ("has", "stays") if several == 1 else ("have", "stay")
        said.append(
            f"{how_many(several, 'video')} {has} several categories in the list and {stays} out of training until a "
            "person decides: `quartzlens labels set`, or the dashboard."
        )
    if single := sorted(set(dataset.left_out.loc[reasons == SINGLE_GROUP, "category"])):
        are, each = ("is", "") if len(single) == 1 else ("are", " each")
        said.append(
            f"{named(single)} {are} left out: with a single group{each} there is nothing to judge by another. "
            "A group is a channel, a recording, or what copies tie together (`quartzlens status --duplicates`)."
        )
    return said


def named(names: Sequence[str]) -> str:
    """Some categories by name; of many the first, of long names the beginning.

    >>> named(["food", ""]), named(list("abcdefg"))
    ("'food', ''", "'a', 'b', 'c', 'd', 'e' and 2 more")
    """
    short = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names[:_NAMED]]
    shown = ", ".join(f"'{name}'" for name in short)
    return shown + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
