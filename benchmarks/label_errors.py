"""Labels flipped on purpose, and how many the ranking finds: ``python -m benchmarks.label_errors ESC10``.

ESC10 is a collection made by ``quartzlens ingest $DATA/esc10/esc10.csv -c ESC10``. In each trial 5 % of the labels are
flipped to another category by chance, models learn from the flipped ones in the published folds, and labels are ranked
by the scores that cleanlab has for it.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.dataset import Dataset, load_dataset
from analysis.evaluation import evaluate
from analysis.metrics import probability_columns
from quartzlens.records import Fragments
from store.collection import current_fingerprint, open_collection

SHARE, FIRST = 0.05, 0.1
METHODS = ("normalized_margin", "self_confidence", "confidence_weighted_entropy")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("esc10", type=Path)
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--block", default="", help="of the depth profile, such as B2; the last one where left out")
    given = parser.parse_args()
    print("| block | classifier | accuracy, true labels | " + " | ".join(METHODS) + " |\n|---|---|---|---|---|---|")
    with open_collection(given.esc10) as opened:
        fingerprint = current_fingerprint(opened)
        assert fingerprint is not None  # noqa: S101
        dataset = load_dataset(opened.store, fingerprint, "fold")
        block = given.block
        X = opened.store.embeddings(fingerprint, dataset.ids, block).matrix if block else dataset.X
    true = replace(dataset, X=X)
    for classifier in ("original", "logistic"):
        accuracy, _ = _judged(true, classifier, 0)
        found = np.array([recalls(true, classifier, seed) for seed in range(given.trials)])
        cells = [f"{mean:.2f} ± {spread:.2f}" for mean, spread in zip(found.mean(0), found.std(0), strict=True)]
        print(f"| {block or 'last'} | {classifier} | {accuracy:.3f} | {' | '.join(cells)} |", flush=True)


def recalls(dataset: Dataset, classifier: str, seed: int) -> list[float]:
    """Share of the flips that is in the first tenth of the ranking, by each score."""
    from cleanlab.rank import get_label_quality_scores

    y = flipped(dataset.y, len(dataset.categories), SHARE, seed)
    _, shares = _judged(replace(dataset, y=y), classifier, seed)
    shares /= shares.sum(axis=1, keepdims=True)
    first = round(FIRST * len(y))
    ranked = [np.argsort(get_label_quality_scores(y, shares, method=method), kind="stable") for method in METHODS]
    wrong = set(np.flatnonzero(y != dataset.y).tolist())
    return [len(wrong & set(order[:first].tolist())) / len(wrong) for order in ranked]


def flipped(y: NDArray[np.int64], n_categories: int, share: float, seed: int) -> NDArray[np.int64]:
    """Labels of which a share is another category by chance."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(y), round(share * len(y)), replace=False)
    changed = y.copy()
    changed[rows] = (y[rows] + rng.integers(1, n_categories, len(rows))) % n_categories
    return changed


def _judged(dataset: Dataset, classifier: str, seed: int) -> tuple[float, NDArray[np.float64]]:
    none = Fragments((), np.zeros((0, 2), np.float32), np.zeros((0, dataset.X.shape[1]), np.float32), ())
    evaluation = evaluate(dataset, none, classifier=classifier, seed=seed)
    right = evaluation.predictions["category"] == evaluation.predictions["predicted"]
    columns = probability_columns(evaluation.predictions)
    return float(right.mean()), evaluation.predictions[columns].to_numpy(dtype=np.float64, copy=True)


if __name__ == "__main__":
    main()
