"""Two evaluations side by side: by how much their figures differ, and which videos changed.

Only videos that both judged are compared, each by the label that it had in each run's day. Intervals are of a paired
bootstrap over groups (channels, recordings, copies): a resample draws the same groups for both runs, so that what they
share does not widen the interval of the difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.compare_figures import Figures, category_differences, overall_differences
from analysis.comparison import mcnemar_p
from analysis.evaluation_report import named
from analysis.intervals import Resamples
from analysis.metrics import probability_names
from analysis.run_folds import dealt_apart, joined, kept_folds
from analysis.runs import read_table
from analysis.splits import alone, groups_by_id
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.figures import how_many
from quartzlens.records import Json, Run
from store.base import Store

CHANGES = ("wrong to right", "right to wrong")
_NOT_COMPARED = {"after", "versions", "folds_asked", "fold_keys"}


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRuns:
    """What changed from a ``first`` run to a ``second``.

    Attributes
    ----------
    n
        Videos that both judged.
    metrics
        One row a metric, on those videos: ``metric``, ``first``, ``second``, ``difference`` (second less first),
        ``low`` and ``high`` (the 95 % interval of the difference). Accuracy, balanced accuracy, macro precision, recall
        and F1 grow with quality; log loss, Brier score and calibration error shrink. Means over categories are over
        those that any of these videos has as its label in both runs, and left out where there are none.
    per_category
        Likewise precision, recall and F1 of each category that is in both: ``category`` besides. What one run leaves
        undefined (a category that is never predicted has no precision) counts as 0, with an interval of -1 to 1.
    changes
        One row a video that is right in one run alone: ``id``, ``change`` (of ``CHANGES``), ``category_first``,
        ``category_second`` (labels of the two days), ``predicted_first``, ``predicted_second``, ``probability_first``,
        ``probability_second`` (of what was predicted). The second run's surest first, by kind of change.
    mcnemar_p
        Exact two-sided p of the changes being a toss of a coin; takes videos as independent, the interval does not.
    only_first, only_second
        Ids of videos that one run alone judged.
    notes
        Sentences on what else differs between the runs: categories, encoder, labels, folds, classifier, seed.
    """

    first: Run
    second: Run
    n: int
    metrics: pd.DataFrame
    per_category: pd.DataFrame
    changes: pd.DataFrame
    mcnemar_p: float
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        """All of it as JSON values."""
        return {
            "first": self.first.id,
            "second": self.second.id,
            "n": self.n,
            "metrics": _records(self.metrics),
            "per_category": _records(self.per_category),
            "changes": _records(self.changes),
            "mcnemar_p": self.mcnemar_p,
            "only_first": list(self.only_first),
            "only_second": list(self.only_second),
            "notes": list(self.notes),
        }


def compare_runs(
    first: Run, second: Run, groups: Mapping[str, str], encoders: Mapping[str, str] | None = None
) -> ComparedRuns:
    """Compare two evaluations with their files, on the videos that both judged.

    Parameters
    ----------
    groups
        Group of each video, as of ``groups_of``, for runs that did not keep theirs; a video that is not in it is a
        group of its own.
    encoders
        Name of an encoder by its key, for the sentence that says that they differ.

    Raises
    ------
    UsageError
        One is no evaluation.
    NotEnoughDataError
        No video was judged by both.
    CollectionError
        A table is damaged.
    """
    one, other = _judged(first), _judged(second)
    in_other = set(other.ids)
    both = [video for video in one.ids if video in in_other]
    if not both:
        raise NotEnoughDataError(f"No video was judged by both {first.id} and {second.id}: nothing can be compared.")
    common = set(both)
    only = [tuple(video for video in run.ids if video not in common) for run in (one, other)]
    one, other = one.of(both), other.of(both)
    kept = [kept_folds(run, both) for run in (first, second)]
    names = [groups.get(video, alone(video)) for video in both]
    together = np.array(names, dtype=object) if None in kept else joined(*(one[0] for one in kept if one))
    resamples = Resamples.of(together)
    changes = _changes(one, other)
    averaged = set(one.labels) & set(other.labels)
    figures = [
        Figures.of(run.labels, run.shares.astype(np.float32), run.categories, resamples, averaged)
        for run in (one, other)
    ]
    metrics, per_category = overall_differences(*figures), category_differences(*figures)
    if one.same_as(other):
        metrics, per_category = (table.assign(low=0.0, high=0.0) for table in (metrics, per_category))
    return ComparedRuns(
        first,
        second,
        len(both),
        metrics,
        per_category,
        changes,
        mcnemar_p(*(int((changes["change"] == kind).sum()) for kind in CHANGES)),
        only[0],
        only[1],
        (
            *_other_categories(one.categories, other.categories, len(averaged)),
            *_notes(first, second, int((one.labels != other.labels).sum()), encoders or {}),
            *dealt_apart([one[1] for one in kept if one]),
        ),
    )


def groups_of(store: Store, copies: pd.DataFrame) -> dict[str, str]:
    """Group of every video by its id, as an evaluation of today would make them.

    Parameters
    ----------
    copies
        Of ``analysis.duplicates.duplicate_groups``.
    """
    return groups_by_id(store.videos(), dict(zip(copies["id"], copies["group"], strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What a run said of n videos: labels and predictions (n,) str objects, and ``shares`` (n, k) of ``categories``."""

    ids: tuple[str, ...]
    labels: NDArray[np.object_]
    predicted: NDArray[np.object_]
    shares: NDArray[np.float64]
    categories: tuple[str, ...]

    def of(self, ids: Sequence[str]) -> "_Judged":
        """Those of these videos, in their order."""
        row_of = {video: row for row, video in enumerate(self.ids)}
        rows = np.array([row_of[video] for video in ids], dtype=np.int64)
        return _Judged(tuple(ids), self.labels[rows], self.predicted[rows], self.shares[rows], self.categories)

    def same_as(self, other: "_Judged") -> bool:
        """Whether the same was said of the same labels to the last digit, so that nothing can differ elsewhere."""
        same_labels = self.categories == other.categories and np.array_equal(self.labels, other.labels)
        return same_labels and np.array_equal(self.shares, other.shares)


def _judged(run: Run) -> _Judged:
    if run.kind != "evaluate":
        raise UsageError(
            f"Run {run.id} is a {run.kind} run, which judges only the part that it set aside: "
            "give two evaluations, which judge every video."
        )
    table, categories = read_table(run, "predictions.parquet"), _categories(run)
    return _Judged(
        tuple(map(str, table["id"])),
        table["category"].to_numpy(dtype=object),
        table["predicted"].to_numpy(dtype=object),
        table[probability_names(categories)].to_numpy(dtype=np.float64),
        categories,
    )


def _categories(run: Run) -> tuple[str, ...]:
    categories = run.results["categories"]
    return tuple(map(str, categories)) if isinstance(categories, list) else ()


def _changes(one: _Judged, other: _Judged) -> pd.DataFrame:
    """Videos that are right in one run alone."""
    before, after = one.labels == one.predicted, other.labels == other.predicted
    table = pd.DataFrame(
        {
            "id": list(one.ids),
            "change": np.select([~before & after, before & ~after], CHANGES, ""),
            "category_first": one.labels,
            "category_second": other.labels,
            "predicted_first": one.predicted,
            "predicted_second": other.predicted,
            "probability_first": one.shares.max(axis=1),
            "probability_second": other.shares.max(axis=1),
        }
    )
    order = ["change", "probability_second"]
    changed = table[table["change"] != ""]
    return changed.sort_values(order, ascending=[False, False], kind="stable", ignore_index=True)


def _records(table: pd.DataFrame) -> list[Json]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _other_categories(first: Sequence[str], second: Sequence[str], averaged: int) -> Iterator[str]:
    """Whether the runs chose among different categories, and over how many of them means are, in two sentences."""
    sides = (("first", first, second), ("second", second, first))
    alone = [(which, [name for name in one if name not in other]) for which, one, other in sides]
    said = [f"{named(names)} in the {which} alone" for which, names in alone if names]
    if said:
        yield (
            f"They chose among different categories: {len(first):,}, then {len(second):,} ({'; '.join(said)}). "
            "Macro figures and balanced accuracy are over those that both have as labels of these videos: "
            f"{averaged or 'none'}."
        )


def _notes(first: Run, second: Run, relabelled: int, encoders: Mapping[str, str]) -> Iterator[str]:
    """What else differs, in sentences."""
    if first.fingerprint_key != second.fingerprint_key:
        names = [encoders.get(run.fingerprint_key, run.fingerprint_key) for run in (first, second)]
        yield f"They judged embeddings of different encoders: {names[0]} and {names[1]}."
    if first.labels_seen != second.labels_seen:
        history = f"the label history had {first.labels_seen:,} entries, then {second.labels_seen:,}"
        changed = how_many(relabelled, "video") if relabelled else "no video"
        yield f"They are of different labels: {history}; {changed} of those compared had another label."
    if first.settings.get("versions") != second.settings.get("versions"):
        yield "They were made by different versions of the code or of its libraries."
    for name in sorted({*first.settings, *second.settings} - _NOT_COMPARED):
        values = [run.settings.get(name) for run in (first, second)]
        if values[0] != values[1] and name in first.settings and name in second.settings:
            said = ["none" if value is None else value for value in values]
            yield f"{name}: {said[0]}, then {said[1]}."
    if first.seed != second.seed:
        yield f"seed: {first.seed}, then {second.seed}."
