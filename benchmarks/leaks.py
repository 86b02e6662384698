"""Leaks, depths and learning curve of docs/results.md: ``python -m benchmarks.leaks DIR [FOLD_COLUMN]``, as JSON.

DIR is a collection with depth profiles; what is judged is logistic regression, under the column's folds or five grouped
ones (seed 0), with intervals of groups. Nothing is kept.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from analysis.classifier import make_classifier
from analysis.dataset import Dataset, load_dataset
from analysis.depth_choice import depths_of
from analysis.duplicates import duplicate_groups
from analysis.intervals import Resamples
from analysis.leaks import beside_random_split, leak_report
from analysis.learning_curve import learning_curve, learning_sentence
from analysis.out_of_fold import out_of_fold
from analysis.probes import facts_of
from analysis.splits import grouped_folds, groups_per_category, joined_groups
from pipeline.checkpoint import open_checkpoint
from pipeline.encoder import shares_of_work
from store.collection import current_fingerprint, open_collection

SEED, FOLDS = 0, 5


def folds_of(dataset: Dataset) -> np.ndarray:
    """Published folds, or five that part no group."""
    if dataset.folds is not None:
        return dataset.folds
    fewest = int(groups_per_category(dataset.y, dataset.groups, len(dataset.categories)).min())
    return grouped_folds(dataset.y, dataset.groups, min(FOLDS, fewest), SEED)


def main(folder: Path, fold_column: str | None) -> None:
    """Print all of it."""
    with open_collection(folder) as opened:
        store, fingerprint = opened.store, current_fingerprint(opened)
        copies = duplicate_groups(store, fingerprint)
        dataset = load_dataset(store, fingerprint, fold_column, copies)
        fold_of, k = folds_of(dataset), len(dataset.categories)
        resamples, videos = Resamples.of(dataset.groups), store.videos(dataset.ids)

        def make() -> Any:
            return make_classifier("logistic", k, SEED)

        data = (dataset.X, dataset.y)
        grouped, _ = out_of_fold(make, *data, dataset.groups, fold_of, k)
        leaks = leak_report(
            dataset.ids, *data, k, fold_of, resamples,
            channels=joined_groups(videos), copies=copies, facts=facts_of(videos), seed=SEED,
        )  # fmt: skip
        leaks["random_split"] = beside_random_split(make, *data, k, fold_of, grouped, resamples, seed=SEED)
        curve = learning_curve(make, *data, dataset.groups, fold_of, k, resamples, seed=SEED)
        work = shares_of_work(open_checkpoint(opened.encoder.checkpoint), opened.encoder.block)
        report = {"n": len(dataset.ids), "groups": resamples.n_groups, "leaks": leaks, "learning_curve": curve}
        report |= {
            "learning": learning_sentence(curve),
            **depths_of(store, fingerprint, dataset, fold_of, work=work, nested=True),
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
